"""`mason view`: what the server answers, whom it answers, and its pages in a real browser."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import page_samples
import pytest
from browsing import Browser
from test_cli import PROGRAM, environment, mason_command

import mason
from mason.cli.program import run
from mason.cli.view import COMPARE
from mason.page import chart, comparisons, serving
from mason.page.chart import ChartError
from mason.page.serving import HOST, ViewServer

EVIL = "<img src=x onerror=alert(1)>.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "orders.json").write_text(json.dumps(page_samples.ORDERS))
    (root / "many.json").write_text(json.dumps({"rows": list(range(3_000))}))
    mason.dump({"deep": [[[[[[[[[[5]]]]]]]]]]}, root / "deep.cbor")
    (root / "bad.json").write_text('{"a":\n tru}')
    (root / "old.pkl").write_bytes(b"\x80\x05K\x01.")
    (root / "sub" / EVIL).write_text('{"<b>":"</script><script>alert(2)</script>"}')
    (root / os.fsdecode(b"latin-\xe9.json")).write_text("[1]")
    (tmp_path / "secret.json").write_text('"secret"')
    (root / "out.json").symlink_to(tmp_path / "secret.json")
    (root / "up").symlink_to(tmp_path)
    (root / "in.json").symlink_to(root / "orders.json")
    (root / "round").symlink_to(root / "round")
    os.mkfifo(root / "pipe.json")
    return root


def serve(root: Path, compare: Sequence[str] = COMPARE) -> Iterator[ViewServer]:
    with ViewServer(root, compare) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server(folder: Path) -> Iterator[ViewServer]:
    yield from serve(folder)


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    @property
    def said(self) -> str:
        return re.sub("<[^>]*>", "", self.text.partition("<main")[2].partition("</header>")[0])


def ask(
    server: ViewServer,
    query: str = "",
    *,
    method: str = "GET",
    address: str | None = None,
    body: bytes | None = None,
    **headers: str,
) -> Answer:
    connection = http.client.HTTPConnection(HOST, server.server_port, timeout=20)
    try:
        place = f"/{server.token}/{query}" if address is None else address
        connection.putrequest(method, place, skip_host="Host" in headers)
        if body is not None and "Content_Length" not in headers:
            connection.putheader("Content-Length", str(len(body)))
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def drop(server: ViewServer, name: str, data: bytes) -> Any:
    origin = f"http://{HOST}:{server.server_port}"
    answer = ask(server, f"drop?name={quote(name)}", method="POST", body=data, Origin=origin)
    assert answer.status == 200, answer.text
    return json.loads(answer.text)


# ---------------------------------------------------------------------------------- whom it answers


def test_only_this_machine_is_listened_to(server: ViewServer) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", server.address)


def test_without_the_token_there_is_nothing(server: ViewServer) -> None:
    for address in (
        "/",
        "/x/",
        f"/{server.token[:-1]}/",
        f"//{server.token}x/",
        "/\xe9/",
        "*",
        "//[x/",
    ):
        answer = ask(server, address=quote(address, "/*["))
        assert answer.status == 404
        assert answer.text == "There is nothing here."
        assert server.token not in answer.text
    assert ask(server, "nothing").status == 404
    assert ask(server, "?" + "a=1&" * 20).status == 400


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "0.0.0.0", "[::1]", ""]
)
def test_a_host_that_is_not_this_one_is_refused(server: ViewServer, host: str) -> None:
    assert ask(server, Host=host).status == 403
    body = b"[1]"
    evil = ask(server, "drop", method="POST", body=body, Host=host, Origin=f"http://{host}")
    assert evil.status == 403
    assert ask(server, Host=f"localhost:{server.server_port}").status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1", None])
def test_only_its_own_pages_may_post(server: ViewServer, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    answer = ask(server, "drop?name=a.json", method="POST", body=b"[1]", **headers)
    assert (answer.status, answer.text) == (403, "Only a page of this server may send files to it.")
    mine = f"http://{HOST}:{server.server_port}"
    assert ask(server, "", method="POST", body=b"[1]", Origin=mine).status == 404
    wrong = ask(server, address="/x/drop", method="POST", body=b"[1]", Origin=mine)
    assert wrong.status == 404


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "X"])
def test_other_methods_are_refused(server: ViewServer, method: str) -> None:
    assert ask(server, method=method).status == 405


def test_every_answer_forbids_what_no_page_needs(server: ViewServer) -> None:
    for answer in (
        ask(server),
        ask(server, "nothing"),
        ask(server, Host="evil"),
        ask(server, method="X"),
    ):
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in headers
        assert "Python" not in headers["Server"]


# ---------------------------------------------------------------------------------- what it shows


def test_a_folder_is_listed(server: ViewServer) -> None:
    page = ask(server).text
    for name in ("orders.json", "deep.cbor", "old.pkl", "sub/", "latin-\\udce9.json"):
        assert name in page
    assert "leads out of the folder, or nowhere: not opened" in page
    assert "mason does not read them yet" in page
    for name in ("out.json", "up", "round", "pipe.json", "old.pkl"):
        assert f"file={name}" not in page
        assert f"folder={name}" not in page
    below = ask(server, "?folder=sub").text
    assert "<img" not in below
    (link,) = re.findall(r'href="/[\w-]+/(\?file=sub[^"]+)"', below)
    assert "A JSON document: dict with 1 part" in ask(server, link).said
    (latin,) = re.findall(r'href="/[\w-]+/(\?file=latin[^"]+)"', page)
    assert "A JSON document: list with 1 part" in ask(server, latin).said


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("../secret.json", "this leads out of the folder"),
        ("sub/../../secret.json", "this leads out of the folder"),
        ("/etc/passwd", "this leads out of the folder"),
        ("out.json", "this leads out of the folder"),
        ("up/secret.json", "this leads out of the folder"),
        ("nothing.json", "there is no such file"),
        ("nul%00.json", "there is no such file"),
        ("round", "there is no such file"),
        ("a" * 5000, "there is no such file"),
        ("pipe.json", "this is no ordinary file"),
        ("sub", "this is no ordinary file"),
        ("bad.json", "a value was expected"),
        ("old.pkl", "does not read pickles yet; it never will by running them"),
    ],
)
def test_what_cannot_be_shown_is_said(server: ViewServer, file: str, reason: str) -> None:
    answer = ask(server, f"?file={file}")
    assert "This cannot be shown" in answer.said
    assert reason in answer.said
    assert "secret" not in answer.text.replace("secret.json", "")


def test_a_link_inside_the_folder_is_followed(server: ViewServer) -> None:
    assert "shop.models:Shop with 5 parts" in ask(server, "?file=in.json").said


def test_one_file_is_shown_alone(folder: Path) -> None:
    for server in serve(folder / "orders.json"):
        assert "A JSON document: shop.models:Shop with 5 parts" in ask(server).said
        assert "only one file is shown here" in ask(server, "?file=many.json").said
        answer = ask(server, "?path=$.orders[1].number")
        assert "int at $.orders[1].number" in answer.said
        assert "there is no" in ask(server, "?path=$.nothing").said
        assert "This cannot be shown" in ask(server, "?path=nonsense").said


def test_what_was_cut_can_be_looked_at(server: ViewServer) -> None:
    page = ask(server, "?file=many.json").text
    assert "... 2,950 more" in page
    (more,) = re.findall(r'href="/[\w-]+/(\?file=many.json&amp;path[^"]+)"', page)
    page = ask(server, more.replace("&amp;", "&")).text
    assert "[499]" in page
    assert "... 2,500 more" in page
    deep = ask(server, "?file=deep.cbor").text
    (inside,) = re.findall(r'href="/[\w-]+/(\?file=deep.cbor&amp;path[^"]+)"', deep)
    assert "list with 1 part" in ask(server, inside.replace("&amp;", "&")).said


def test_a_file_that_changed_is_read_again(server: ViewServer, folder: Path) -> None:
    assert "dict with 1 part" in ask(server, "?file=many.json").said
    (folder / "many.json").write_text("[1,2]")
    assert "list with 2 parts" in ask(server, "?file=many.json").said


# ---------------------------------------------------------------------------------- what is dropped


def test_a_dropped_file_is_shown(server: ViewServer) -> None:
    said = drop(server, "mine/../<b>.json", b'{"a":[1,{"b":2}]}')
    answer = ask(server, address=said["page"])
    assert "mine_.._&lt;b&gt;.json" in answer.text
    assert "A JSON document: dict with 1 part" in answer.said
    assert "dict with 1 part at $.a[1]" in ask(server, address=said["page"] + "&path=$.a[1]").said
    assert "this file is no longer kept" in ask(server, "dropped?number=99").said
    assert "this file is no longer kept" in ask(server, "dropped").said
    for number in range(5):
        drop(server, f"{number}.json", b"[1]")
    assert "this file is no longer kept" in ask(server, address=said["page"]).said


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.pkl", b"\x80\x05K\x01.", "a.pkl: this is a pickle, and this version of mason does not"),
        ("a.json", b'{"a":', "a.json: "),
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(50), "a.png: "),
        ("empty", b"", "empty: the source is empty"),
        (EVIL, b"\xff\xfe", f"{EVIL}: "),
    ],
)
def test_a_dropped_file_that_cannot_be_read_is_said(
    server: ViewServer, name: str, data: bytes, reason: str
) -> None:
    assert drop(server, name, data)["problem"].startswith(reason)


def test_bodies_are_bounded(server: ViewServer, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"Origin": f"http://{HOST}:{server.server_port}"}
    large = ask(server, "drop", method="POST", body=b"", Content_Length=str(1 << 40), **headers)
    assert large.status == 413
    assert large.text == "Files of more than 64 MiB are not taken here: mason view FILE."
    for length in ("-1", "x", "\u00b2", "9" * 5000):
        answer = ask(server, "drop", method="POST", Content_Length=quote(length), **headers)
        assert answer.status in (411, 413)
    assert ask(server, "drop", method="POST", **headers).status == 411
    chunked = ask(server, "drop", method="POST", Transfer_Encoding="chunked", **headers)
    assert chunked.status == 411
    assert ask(server, "?path=" + "x" * 20_000).status == 414


@pytest.mark.uninstrumented
def test_silent_and_slow_browsers_do_not_hold_it_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving._Request, "timeout", 1.0)
    monkeypatch.setattr(serving, "_DEADLINE", 2.0)
    for server in serve(folder):
        place = HOST, server.server_port
        silent = [socket.create_connection(place) for _ in range(serving._AT_ONCE)]
        try:
            with socket.create_connection(place) as one_too_many:
                one_too_many.settimeout(20)
                assert one_too_many.recv(1) == b""
            for connection in silent:
                connection.settimeout(20)
                assert connection.recv(1) == b""
            assert ask(server).status == 200
        finally:
            for connection in silent:
                connection.close()
        with socket.create_connection(place) as dripping:
            dripping.settimeout(0.2)
            ended = False
            for _ in range(60):
                try:
                    dripping.sendall(b"G")
                    ended = dripping.recv(1) == b""
                except TimeoutError:
                    continue
                except OSError:
                    ended = True
                if ended:
                    break
            assert ended
        assert ask(server).status == 200


# ---------------------------------------------------------------------------------- comparisons


def compared(server: ViewServer, query: str) -> Answer:
    """Ask for a comparison until it is there."""
    for _ in range(600):
        answer = ask(server, f"compared?{query}")
        assert answer.status == 200, answer.text
        if "Refresh" not in answer.headers:
            return answer
        assert "Every format takes its turn" in answer.said
        time.sleep(0.2)
    raise AssertionError("the comparison does not end")


@pytest.mark.uninstrumented
def test_a_document_of_values_is_compared(server: ViewServer, folder: Path) -> None:
    values = {"<b>": EVIL, "paths": [Path("a"), {1, 2}], "when": [dt.date(2026, 11, 28)] * 2}
    mason.dump(values, folder / "values.cbor")
    assert (
        'href="/' + server.token + '/compared?file=values.cbor"'
        in ask(server, "?file=values.cbor").text
    )
    answer = compared(server, "file=values.cbor")
    assert "Measured on values.cborUse mason " in answer.said
    assert "All formats" in answer.text and "Size and time" in answer.text
    assert EVIL not in answer.text
    # what runs code on loading is not tried with what came from a file
    left_out = re.search(r"pickle 5.*?</tr>", answer.text.partition("All formats")[2], re.DOTALL)
    assert left_out is not None and "left out" in left_out[0]
    # it is kept
    assert ask(server, "compared?file=values.cbor").text == answer.text

    number = drop(server, "dropped.json", b"[1, 2]")["page"].partition("?")[2]
    assert "Measured on dropped.json" in compared(server, number).said


def test_what_names_classes_is_not_built_to_be_compared(server: ViewServer, folder: Path) -> None:
    trap = folder / "trap.json"
    trap.write_text('{"$mason":1,"$type":"os:system","$new":["touch ran"]}')
    page = ask(server, "?file=trap.json")
    assert "/compared" not in page.text
    assert "mason compare FILE --trust NAME" in page.text
    said = ask(server, "compared?file=trap.json")
    assert "Refresh" not in said.headers
    assert "it names 1 class or function, and nothing is built here" in said.said
    for query, reason in (
        ("file=bad.json", "line 2"),
        ("file=old.pkl", "pickle"),
        ("file=../secret.json", "leads out"),
        ("number=7", "no longer kept"),
    ):
        assert reason in ask(server, f"compared?{query}").said
    assert server.comparisons._jobs == {}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import sys; sys.exit('<b>no</b>')", "the comparison failed: &lt;b&gt;no&lt;/b&gt;"),
        ("import os; os.abort()", "the comparison failed: status -6"),
        ("print('[')", "the comparison failed: its answer is no JSON"),
        ("import time; time.sleep(60)", "it took longer than 0.5 seconds"),
    ],
)
def test_a_comparison_that_fails_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    monkeypatch.setattr(comparisons, "_SECONDS", 0.5 if "sleep" in code else 60)
    for server in serve(folder, [sys.executable, "-c", code]):
        answer = compared(server, "file=deep.cbor")
        assert reason in answer.said
        assert "<b>" not in answer.text


@pytest.mark.uninstrumented
def test_comparisons_are_kept_while_others_are_looked_at(folder: Path) -> None:
    told = (
        "import sys, pathlib; sys.stdin.read(); print(pathlib.Path('/dev/null').read_text() or '{')"
    )
    for server in serve(folder, [sys.executable, "-c", told]):
        for number in range(6):
            (folder / f"{number}.json").write_text(f"[{number}]")
            compared(server, f"file={number}.json")
        jobs = [job.found for job in server.comparisons._jobs.values()]
        for number in range(6):
            assert "Refresh" not in ask(server, f"compared?file={number}.json").headers
        assert [job.found for job in server.comparisons._jobs.values()] == jobs


def test_a_file_that_changes_is_compared_anew(folder: Path) -> None:
    wait = [sys.executable, "-c", "import time; time.sleep(600)"]
    for server in serve(folder, wait):
        for number in range(comparisons._KEPT * 3):
            (folder / "log.json").write_text(json.dumps(list(range(number))))
            assert "Refresh" in ask(server, "compared?file=log.json").headers
        assert len(server.comparisons._jobs) == 1
        assert "Refresh" in ask(server, "compared?file=many.json").headers


def children(thread: Path) -> list[int]:
    try:
        return [int(number) for number in (thread / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):  # it had one request, and ended meanwhile
        return []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_closing_the_terminal_ends_it_all(folder: Path, number: signal.Signals) -> None:
    rows = [{"n": n, "text": str(n)} for n in range(100_000)]
    (folder / "large.json").write_text(json.dumps(rows))
    process, said = start(str(folder / "large.json"))
    try:
        found = re.match(r"http://127\.0\.0\.1:(\d+)(/[\w-]+/)", said)
        assert found is not None
        connection = http.client.HTTPConnection(HOST, int(found[1]), timeout=60)
        connection.request("GET", f"{found[2]}compared")
        assert connection.getresponse().getheader("Refresh")
        connection.close()

        task = Path(f"/proc/{process.pid}/task")
        for _ in range(600):
            below = [child for thread in task.iterdir() for child in children(thread)]
            if below:
                break
            time.sleep(0.05)
        assert below
    finally:
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == 128 + number
    for child in below:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_who_ignores_hangups_goes_on_doing_so(folder: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup starts it
    try:
        process, said = start(str(folder))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert said.startswith("http://")
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM


def test_a_chart_that_cannot_be_drawn_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)  # it is there and cannot be imported
    monkeypatch.setattr(chart, "find_spec", lambda name: True)
    with pytest.raises(ChartError, match="which draws the chart"):
        chart.charts(page_samples.comparison())


def test_comparisons_end_with_the_server(folder: Path, tmp_path: Path) -> None:
    began = tmp_path / "began"
    code = f"import os, time; open({str(began)!r}, 'x').write(str(os.getpid())); time.sleep(600)"
    for server in serve(folder, [sys.executable, "-c", code]):
        for _ in range(2):  # the second finds the first
            assert "Refresh" in ask(server, "compared?file=deep.cbor").headers
        for number in range(comparisons._KEPT - 1):
            asked = drop(server, "a.json", b"[%d]" % number)["page"].partition("?")[2]
            assert "Refresh" in ask(server, f"compared?{asked}").headers
        assert "too many comparisons are waiting" in ask(server, "compared?file=many.json").said
        while not (began.exists() and began.read_text()):
            time.sleep(0.02)
    with pytest.raises(ProcessLookupError):
        os.kill(int(began.read_text()), 0)


# ---------------------------------------------------------------------------------- the command


def start(*arguments: str) -> tuple[subprocess.Popen[bytes], str]:
    command = [sys.executable, "-c", PROGRAM, "view", "--no-browser", *arguments]
    process = subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    return process, process.stdout.readline().decode()


def test_the_command_serves_until_it_is_interrupted(folder: Path) -> None:
    process, said = start(str(folder))
    try:
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/[\w-]+/)  \(Ctrl-C ends it\)\n", said)
        assert found is not None
        connection = http.client.HTTPConnection(HOST, int(found[1]), timeout=20)
        connection.request("GET", found[2])
        assert connection.getresponse().status == 200
        connection.close()
        taken = mason_command("view", "--no-browser", str(folder), "--port", found[1])
        assert taken.returncode == 3
        assert b"Address already in use" in taken.stderr
    finally:
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=20)
    assert (process.returncode, out, error) == (0, b"ended\n", b"")


@pytest.mark.parametrize("flags", [[], ["--no-browser"]])
def test_the_browser_is_opened(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
) -> None:
    opened: list[str] = []

    def interrupted(self: ViewServer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(ViewServer, "serve_forever", interrupted)
    assert run(["view", str(folder), *flags]) == 0
    address = capsys.readouterr().out.split()[0]
    assert opened == ([] if flags else [address])


def test_what_is_not_there_is_3(tmp_path: Path) -> None:
    ran = mason_command("view", "--no-browser", str(tmp_path / "nothing"))
    assert ran.returncode == 3
    assert b"No such file or directory" in ran.stderr


def test_show_writes_a_page(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    ran = mason_command("show", str(folder / "many.json"), "--html", str(page))
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
    text = page.read_text(encoding="utf-8")
    assert "What is in <code>many.json</code>" in text
    assert "... 2,800 more" in text
    mason_command("show", str(folder / "many.json"), "--items", "2", "--html", str(page))
    assert "... 2,998 more" in page.read_text(encoding="utf-8")
    both = mason_command("show", str(folder / "many.json"), "--html", str(page), "--json")
    assert both.returncode == 2
    lost = mason_command(
        "show", str(folder / "many.json"), "--html", str(tmp_path / "no" / "p.html")
    )
    assert lost.returncode == 3


# ---------------------------------------------------------------------------------- in a browser

DROP = """
const [name, text, base64] = arguments;
const bytes = base64 ? Uint8Array.from(atob(text), (c) => c.charCodeAt(0)) : text;
const data = new DataTransfer();
data.items.add(new File([bytes], name));
for (const type of ['dragover', 'drop']) {
  const options = {dataTransfer: data, bubbles: true, cancelable: true};
  document.body.dispatchEvent(new DragEvent(type, options));
}
"""


def problem(browser: Browser, beginning: str) -> str:
    def said() -> str:
        text: str = browser.find(".problem")[0].text
        return text if text.startswith(beginning) else ""

    found: str = browser.until(said)
    return found


@pytest.mark.uninstrumented
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_folder_in_a_browser(
    server: ViewServer, browser: Browser, theme: str, width: int
) -> None:
    browser.look_like(width, theme)
    browser.open(server.address)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    browser.driver.find_element("link text", "sub/").click()
    browser.driver.find_element("link text", EVIL).click()
    assert "</script><script>alert(2)</script>" in browser.run("return document.body.innerText")
    browser.driver.find_element("link text", "mason view").click()
    browser.driver.find_element("link text", "many.json").click()
    field = browser.find("nav input[name=path]")[0]
    field.clear()
    field.send_keys("$.rows[7]\ue007")
    browser.until(lambda: "int at $.rows[7]" in browser.driver.title or browser.find("h1")[0].text
                  == "A JSON document: int at $.rows[7]")  # fmt: skip
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.complaints() == []
    asked = browser.asked()
    assert len(asked) == 6
    assert all(address.startswith(server.address) for address in asked)


@pytest.mark.uninstrumented
def test_a_comparison_in_a_browser(server: ViewServer, browser: Browser, folder: Path) -> None:
    (folder / "rows.json").write_text(json.dumps({"<img src=x onerror=alert(1)>": [1.5] * 500}))
    browser.look_like()
    browser.open(f"{server.address}?file=rows.json")
    browser.driver.find_element("link text", "Take it through every format").click()
    browser.until(lambda: browser.driver.title.startswith("Use "), seconds=120)
    assert browser.find("svg")
    heading = browser.find("table.sortable thead th")[2]
    heading.find_element("css selector", "button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert browser.find("img") == []
    assert "<img src=x onerror=alert(1)>" in browser.run("return document.body.innerText")
    assert browser.complaints() == []
    assert all(address.startswith(server.address) for address in browser.asked())


@pytest.mark.uninstrumented
def test_files_are_dropped_and_chosen(server: ViewServer, browser: Browser, tmp_path: Path) -> None:
    browser.look_like()
    browser.open(server.address)
    browser.run(
        DROP, EVIL, '{"</script><img src=x onerror=alert(3)>": ["\\u202e", "</title>"]}', False
    )
    browser.until(lambda: browser.driver.current_url.startswith(f"{server.address}dropped"))
    text = browser.run("return document.body.innerText")
    assert EVIL in text
    assert "</script><img src=x onerror=alert(3)>" in text
    assert browser.find("img") == []

    browser.run(DROP, "<b>old.pkl", "gAVLAS4=", True)
    said = problem(browser, "<b>old.pkl: ")
    assert "this is a pickle, and this version of mason does not read pickles yet" in said
    browser.run(DROP, "\u202e<img src=x onerror=alert(4)>.json", "{", False)
    assert "<img" in problem(browser, "\\u202e")
    browser.run("document.querySelector('[data-drop]').dataset.most = 10")
    browser.run(DROP, "large.json", "[" + "1," * 100 + "1]", False)
    assert problem(browser, "large").startswith("large.json is too large")

    chosen = tmp_path / "chosen.json"
    chosen.write_text("[1,2,3]")
    browser.open(server.address)
    browser.find("input[type=file]")[0].send_keys(str(chosen))
    browser.until(lambda: browser.driver.current_url.startswith(f"{server.address}dropped"))
    assert browser.find("h1")[0].text == "A JSON document: list with 3 parts"
    assert browser.complaints() == []
    assert all(address.startswith(server.address) for address in browser.asked())


@pytest.mark.uninstrumented
def test_a_page_of_a_stranger_gets_nothing(
    server: ViewServer, browser: Browser, tmp_path: Path
) -> None:
    """Even one that knows the whole address can neither read, frame nor post."""
    page = tmp_path / "stranger.html"
    page.write_text("<!doctype html><title>stranger</title><iframe></iframe>")
    browser.open(page)
    found = browser.driver.execute_async_script(
        """
        const [address, done] = arguments;
        const post = {method: 'POST', body: '[1]', mode: 'no-cors'};
        const frame = document.querySelector('iframe');
        frame.addEventListener('load', async () => {
          const tell = (asked) => asked.then(() => 'answered', () => 'refused');
          const read = await tell(fetch(address));
          const image = await tell(fetch(address, {mode: 'no-cors'}));
          const sent = await tell(fetch(address + 'drop?name=a.json', post));
          let inside = 'refused';
          try { inside = frame.contentWindow.document.title; } catch {}
          done([read, image, sent, inside]);
        });
        frame.src = address;
        """,
        server.address,
    )
    assert found == ["refused", "refused", "refused", "refused"]
    assert "this file is no longer kept" in ask(server, "dropped?number=1").said
