"""Posts batches of events over one connection that is kept open.

Python's own HTTP client: an emitter is installed beside a platform that pins its own libraries,
so this package must not bring any. No redirect is followed, so the key goes to one host only.
"""

from __future__ import annotations

import contextlib
import http.client
import ssl
import time
from socket import SHUT_RDWR
from urllib.parse import urlsplit

from .answers import Answer
from .errors import SettingError

TIMEOUT_S = 30.0
"""For each step of a request: a host whose disk is busy may take seconds."""
MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""The receipt for a thousand events with the longest ids is a fifth of it."""
_CHUNK_BYTES = 64 * 1024


class TransportError(Exception):
    """No answer came."""


class Transport:
    """To one host, with one key.

    Args:
        url: The host's address, `https://alerts.example.com`.
        key: A platform key, or an editor's.
    """

    def __init__(
        self, url: str, key: str, *, ssl_context: ssl.SSLContext | None, timeout_s: float
    ) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
            raise SettingError(
                f"the host's address (ALERTS_URL) must be like https://alerts.example.com, not {url!r}"
            )
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise SettingError(
                "the host's address (ALERTS_URL) must hold no user, query or fragment"
            )
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise SettingError("the key (ALERTS_KEY) must be an API key of the host: `exo_…`")
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._path = f"{parts.path.rstrip('/')}/v1/events"
        self._headers = {
            "x-api-key": key,
            "content-type": "application/cloudevents-batch+json",
            "accept": "application/json",
            "user-agent": "exosphere-alerts-python",
        }
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            self._connection = http.client.HTTPSConnection(
                parts.hostname,
                port,
                timeout=timeout_s,
                context=ssl_context or ssl.create_default_context(),
            )
        else:
            self._connection = http.client.HTTPConnection(parts.hostname, port, timeout=timeout_s)

    def post(self, batch: bytes) -> Answer:
        """Sends a batch once.

        Raises:
            TransportError: Nothing came back, so whether it arrived is not known.
        """
        is_reused = self._connection.sock is not None
        try:
            return self._exchange(batch)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            # Between two batches the host may have closed what it thought was idle.
            if is_reused and isinstance(error, (ConnectionError, http.client.BadStatusLine)):
                try:
                    return self._exchange(batch)
                except (OSError, http.client.HTTPException) as second:
                    self.close()
                    error = second
            reason = f"{type(error).__name__}: {error}"
            raise TransportError(f"no answer from {self.origin} ({reason})") from error

    def _exchange(self, batch: bytes) -> Answer:
        self._connection.request("POST", self._path, body=batch, headers=self._headers)
        response = self._connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, self._read(response))

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        """Up to the bounds in size and time; of an answer that has more, what came is enough to
        see that it is not ours."""
        ends_at = time.monotonic() + self._timeout_s
        body = bytearray()
        while chunk := response.read1(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES or time.monotonic() > ends_at:
                self.close()
                break
        # Read to its end, it is not closed by that in every version of Python, and a response that is
        # open keeps the connection from its next request.
        response.close()
        return bytes(body)

    def abort(self) -> None:
        """From another thread: the request that is on its way ends now."""
        socket = self._connection.sock
        if socket is not None:
            with contextlib.suppress(OSError):
                socket.shutdown(SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.close()
