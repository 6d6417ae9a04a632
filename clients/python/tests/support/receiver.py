"""A receiver of alerts that checks each with `verify`, as a user's would."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from exosphere_alerts import Alert, VerificationError, verify


class Receiver:
    """What came, and what was refused."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.refused: list[str] = []
        self.secret = ""
        self.url = ""

    def event_ids(self) -> list[str]:
        return [alert["event"]["id"] for alert in list(self.alerts)]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            try:
                receiver.alerts.append(verify(receiver.secret, body, dict(self.headers.items())))
                self.send_response(204)
            except VerificationError as error:
                receiver.refused.append(str(error))
                self.send_response(401)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Handler) as url:
        receiver.url = f"{url}/hook"
        yield receiver


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler], port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """A server on this port or a free one, for as long as the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
