"""A server that answers as it is told: what the host does rarely, and what others do."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from .receiver import serving


@dataclass
class Reply:
    """One answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def receipt(events: list[dict[str, Any]]) -> Reply:
    """As the host says that it has them."""
    known = [{"id": "evt_1", "event_id": one["id"], "duplicate": False} for one in events]
    body = {"accepted": len(events), "duplicates": 0, "events": known}
    return Reply(202, json.dumps(body).encode(), {"content-type": "application/json"})


def problem(status: int, kind: str, detail: str, pointers: list[str] | None = None) -> Reply:
    """As the host says that it has not."""
    errors = [{"pointer": pointer, "detail": "is wrong"} for pointer in pointers or []]
    body: dict[str, Any] = {
        "type": f"https://exosphere.dev/problems/{kind}",
        "status": status,
        "detail": detail,
        "errors": errors,
    }
    return Reply(status, json.dumps(body).encode(), {"content-type": "application/problem+json"})


class Stranger:
    """What was posted to it, in order."""

    def __init__(self, answer: Callable[[list[dict[str, Any]]], Reply]) -> None:
        self.answer = answer
        self.batches: list[list[dict[str, Any]]] = []
        self.bodies: list[bytes] = []
        self.taken: list[dict[str, Any]] = []
        self.url = ""


@contextmanager
def answering(
    answer: Callable[[list[dict[str, Any]]], Reply],
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Stranger]:
    stranger = Stranger(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            events = json.loads(body)
            stranger.bodies.append(body)
            stranger.batches.append(events)
            reply = stranger.answer(events)
            if reply.status == 202:
                stranger.taken.extend(events)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Handler, port, tls) as url:
        stranger.url = url
        yield stranger
