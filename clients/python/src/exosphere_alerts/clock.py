"""Time as an argument: the machine's, or one that a test moves by hand."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from threading import Event
from typing import Protocol


class Clock(Protocol):
    """What the sender needs of time."""

    def now(self) -> datetime:
        """The time of day, with its zone."""

    def monotonic_s(self) -> float:
        """Seconds since some moment; never goes back."""

    def wait(self, wake: Event, timeout_s: float) -> None:
        """Until `wake` is set or so much time has passed."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def monotonic_s(self) -> float:
        return time.monotonic()

    def wait(self, wake: Event, timeout_s: float) -> None:
        wake.wait(timeout_s)
