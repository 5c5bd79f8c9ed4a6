"""`mason view PATH`: documents in the browser, from a server on this machine."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import click

# -P: what lies in the working directory is not imported
COMPARE = [sys.executable, "-P", "-m", "mason", "compare", "-", "--json"]
COMPARE += ["--seconds", "5", "--rounds", "5", "--memory", "1024"]


@click.command("view")
@click.argument("path", metavar="PATH", type=click.Path())
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Use this port instead of a free one.",
)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def command(path: str, port: int, no_browser: bool) -> None:
    """Show PATH, a file or a folder, in the browser.

    A server answers on 127.0.0.1 only, to whoever has the address with its token, until Ctrl-C.
    Nothing of a file is imported, built or run, and nothing goes out. A document that names no
    class can be taken through every format there, as mason compare does.
    """
    from mason.page.serving import ViewServer

    # so that the comparison that is under way ends, too, when the terminal is closed
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _end)
    with ViewServer(Path(path), COMPARE, port) as server:
        click.echo(f"{server.address}  (Ctrl-C ends it)")
        if not no_browser:
            import webbrowser

            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("ended")


def _end(number: int, frame: object) -> None:
    sys.exit(128 + number)
