"""Receives alerts of Exosphere Alerts. Python's standard library alone.

Start it with

    ALERTS_SECRET=whsec_… PORT=9000 python3 receiver.py
"""

import base64
import hashlib
import hmac
import json
import os
import threading
import time
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# A request that is older was sent again by somebody else.
TOLERANCE_S = 5 * 60
# An alert is a few KiB; event data that an endpoint asks for may be 1 MiB.
MAX_BODY_BYTES = 2 * 1024 * 1024
# Ids that are remembered. With several processes, use a unique key in a database.
MAX_IDS = 100_000


class Refused(Exception):
    """A request that was not made by who knows the secret, or not now."""


def mac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


def check_time(seconds: str, now: float):
    if not seconds.isascii() or not seconds.isdigit():
        raise Refused("a timestamp is not a number")
    if abs(now - int(seconds)) > TOLERANCE_S:
        raise Refused("the request is too old, or from the future")


def verify(secret: str, headers, body: bytes, now: float):
    """Checks both signatures. Raises `Refused`."""
    # The platform's own: the secret's text as it was shown is the key.
    parts = [part.split("=", 1) for part in headers.get("x-exosphere-signature", "").split(",")]
    times = [part[1] for part in parts if part[0] == "t" and len(part) == 2]
    if len(times) != 1:
        raise Refused("x-exosphere-signature is missing")
    check_time(times[0], now)
    expected = mac(secret.encode(), times[0].encode() + b"." + body).hex()
    # More than one while a secret is changed; any will do.
    given = [part[1] for part in parts if part[0] == "v1" and len(part) == 2]
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in given):
        raise Refused("x-exosphere-signature does not match")

    # Standard Webhooks: what the base64 after `whsec_` stands for is the key.
    message_id, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    check_time(seconds, now)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{seconds}.".encode() + body
    expected = "v1," + base64.b64encode(mac(key, signed)).decode()
    given = headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in given):
        raise Refused("webhook-signature does not match")


class Seen:
    """The ids of the newest alerts: each attempt at an alert has the same one."""

    def __init__(self):
        self.ids: OrderedDict[str, None] = OrderedDict()
        self.lock = threading.Lock()

    def is_new(self, message_id: str) -> bool:
        with self.lock:
            if message_id in self.ids:
                return False
            self.ids[message_id] = None
            if len(self.ids) > MAX_IDS:
                self.ids.popitem(last=False)
            return True

    def forget(self, message_id: str):
        with self.lock:
            self.ids.pop(message_id, None)


def handle(alert: dict):
    """What you do with an alert. If it raises, the alert comes again."""
    print("alert", alert["id"], alert["type"], flush=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30  # a connection that says nothing is closed

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True  # the body was not read
            return self.answer(413 if length.isdigit() else 411, "a body of at most 2 MiB")
        body = self.rfile.read(int(length))
        try:
            verify(SECRET, self.headers, body, time.time())
        except Refused as refused:
            return self.answer(401, str(refused))
        message_id = self.headers["webhook-id"]
        if SEEN.is_new(message_id):
            try:
                handle(json.loads(body))
            except Exception as error:
                SEEN.forget(message_id)
                return self.answer(500, f"{type(error).__name__}: {error}")
        # A repeat is answered like the first: it was received.
        return self.answer(204, "")

    def answer(self, status: int, text: str):
        self.send_response(status)
        if text:
            self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    SECRET = os.environ["ALERTS_SECRET"]
    SEEN = Seen()
    address = ("127.0.0.1", int(os.environ.get("PORT", "9000")))
    ThreadingHTTPServer(address, Handler).serve_forever()
