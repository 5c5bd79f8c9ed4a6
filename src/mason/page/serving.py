"""The server of `mason view`: one folder, one person, this machine.

Strategy: a page of a stranger that the same browser shows must get nothing from here. The address
is 127.0.0.1 and the Host must say so (a name of the stranger's that leads here does not do); every
address begins with a random token; what is posted must come from a page of this very origin; pages
may not be framed, kept or sniffed. Connections are few, and none may take its time.
"""

from __future__ import annotations

import json
import secrets
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import BoundedSemaphore, Timer
from typing import Any
from urllib.parse import parse_qs

from mason.errors import MasonError
from mason.page.comparisons import Comparisons
from mason.page.sheet import policy
from mason.page.shelf import MOST_DROPPED, Shelf
from mason.page.views import (
    SERVED,
    Links,
    comparison_view,
    document_view,
    folder_view,
    problem_text,
    problem_view,
)

HOST = "127.0.0.1"
_AT_ONCE = 16
_SECONDS = 10.0  # that a browser may be silent
_DEADLINE = 120.0  # for one connection
_ADDRESS_ROOM = 16_384
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Connection": "close",
}


class ViewServer(ThreadingMixIn, HTTPServer):
    """Serve a shelf on this machine; `address` is where, `serve_forever` starts it.

    Raises OSError where the port is taken.
    """

    daemon_threads = True
    request_queue_size = _AT_ONCE

    def __init__(self, root: Path, compare: Sequence[str], port: int = 0) -> None:
        """Serve `root`; `compare` is the command that compares a document."""
        self.shelf = Shelf(root)
        self.comparisons = Comparisons(compare)
        self.token = secrets.token_urlsafe(24)
        self._room = BoundedSemaphore(_AT_ONCE)
        super().__init__((HOST, port), _Request)

    @property
    def address(self) -> str:
        """Return the address to open, with the token."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    def server_bind(self) -> None:
        """Bind without asking any name server what this machine is called, as the parent does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = HOST, self.server_address[1]

    def server_close(self) -> None:
        """Close, and end the comparison that is under way."""
        super().server_close()
        self.comparisons.close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread where there is room, and hang up where there is none."""
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one connection, which ends at the deadline whatever it is doing."""
        timer = Timer(_DEADLINE, _hang_up, [request])
        timer.daemon = True
        timer.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            timer.cancel()
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away; what else goes wrong is a mistake of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _hang_up(request: socket.socket) -> None:
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is closed already


class _Refusal(Exception):
    """Carry what is answered instead of a page."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class _Request(BaseHTTPRequestHandler):
    """Answer one request."""

    server: ViewServer
    server_version = "mason"
    sys_version = ""
    timeout = _SECONDS
    _waits = False  # whether the page is to be asked for again

    def do_GET(self) -> None:
        """Show a page."""
        self._answer(self._page)

    def do_POST(self) -> None:
        """Take a file that was dropped."""
        self._answer(self._drop)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request that is not even HTTP, or asks for a method that there is not."""
        self._send(405 if code == 501 else code, "text/plain", message or "This is refused.")

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: addresses hold the token."""

    def _answer(self, make: Callable[[str, Mapping[str, str]], tuple[str, str]]) -> None:
        try:
            self._check_host()
            kind, body = make(*self._place())
        except _Refusal as refusal:
            self._send(refusal.status, "text/plain", refusal.message)
        else:
            self._send(200, kind, body)

    def _check_host(self) -> None:
        port = self.server.server_port
        if self.headers.get_all("Host") not in ([f"{HOST}:{port}"], [f"localhost:{port}"]):
            raise _Refusal(403, "This server answers to 127.0.0.1 only.")

    def _place(self) -> tuple[str, dict[str, str]]:
        """Return the part of the address behind the token, and what is asked there."""
        if len(self.path) > _ADDRESS_ROOM:
            raise _Refusal(414, "This address is too long.")
        path, _, query = self.path.partition("?")
        token, _, place = path.lstrip("/").partition("/")
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            raise _Refusal(404, "There is nothing here.")
        try:
            found = parse_qs(query, errors="surrogateescape", max_num_fields=10)
        except ValueError:
            raise _Refusal(400, "This asks for too many things.") from None
        return place, {name: values[-1] for name, values in found.items()}

    def _page(self, place: str, asked: Mapping[str, str]) -> tuple[str, str]:
        shelf = self.server.shelf
        links = Links(f"/{self.server.token}/", asked)
        try:
            if place == "" and shelf.is_folder and "file" not in asked:
                page = folder_view(shelf, asked.get("folder", ""), links)
            elif place in ("", "dropped"):
                page = document_view(shelf, place, links)
            elif place == "compared":
                page, self._waits = comparison_view(shelf, self.server.comparisons, links)
            else:
                raise _Refusal(404, "There is nothing here.")
        except (MasonError, OSError) as error:
            page = problem_view(error, links)
        return "text/html", page

    def _drop(self, place: str, asked: Mapping[str, str]) -> tuple[str, str]:
        """Read what was posted, and answer where it is shown or why it cannot be."""
        if place != "drop":
            raise _Refusal(404, "There is nothing here.")
        if self.headers.get_all("Origin") != [f"http://{self.headers['Host']}"]:
            raise _Refusal(403, "Only a page of this server may send files to it.")
        data = self._body()
        name = asked.get("name", "")[:255].replace("/", "_")
        try:
            number = self.server.shelf.drop(name, data)
        except (MasonError, OSError) as error:
            said = {"problem": problem_text(name, error)}
        else:
            said = {"page": f"/{self.server.token}/dropped?number={number}"}
        return "application/json", json.dumps(said)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Transfer-Encoding") or not (length.isascii() and length.isdigit()):
            raise _Refusal(411, "The length of the file is not said.")
        if len(length) > 15 or int(length) > MOST_DROPPED:
            most = f"{MOST_DROPPED >> 20} MiB"
            raise _Refusal(413, f"Files of more than {most} are not taken here: mason view FILE.")
        data = self.rfile.read(int(length))
        if len(data) != int(length):
            raise _Refusal(400, "The file did not come whole.")
        return data

    def _send(self, status: int, kind: str, text: str) -> None:
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", f"{policy(SERVED)}; frame-ancestors 'none'")
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        if self._waits:
            self.send_header("Refresh", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
