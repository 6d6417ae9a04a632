"""A clock that a test moves by hand."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone
from threading import Event

START = datetime(2026, 1, 31, 2, 0, tzinfo=timezone.utc)


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._s = 0.0
        self._waiting_until_s: float | None = None

    def now(self) -> datetime:
        return START + timedelta(seconds=self._s)

    def monotonic_s(self) -> float:
        return self._s

    def wait(self, wake: Event, timeout_s: float) -> None:
        with self._moved:
            ends_at_s = self._s + timeout_s
            self._waiting_until_s = ends_at_s
            self._moved.notify_all()
            while self._s < ends_at_s and not wake.is_set():
                # `wake` is set without telling this condition.
                self._moved.wait(0.005)
            self._waiting_until_s = None

    def advance(self, seconds: float) -> None:
        with self._moved:
            self._s += seconds
            self._moved.notify_all()

    def move_to_next_wait(self) -> float:
        """Lets exactly one pause of the sender pass; answers with its end."""
        ends_at = time.monotonic() + 30
        with self._moved:
            while self._waiting_until_s is None or self._waiting_until_s <= self._s:
                assert time.monotonic() < ends_at, "the sender never paused"
                self._moved.wait(0.005)
            self._s = self._waiting_until_s
            self._moved.notify_all()
            return self._s
