"""Waiting for a condition; a test that would sleep for luck is slow or wrong."""

from __future__ import annotations

import time
from collections.abc import Callable

GIVEN_UP_S = 60.0
"""Far beyond what anything here takes."""


def eventually(holds: Callable[[], bool], what: str, *, given_up_s: float = GIVEN_UP_S) -> None:
    ends_at = time.monotonic() + given_up_s
    while not holds():
        assert time.monotonic() < ends_at, f"never: {what}"
        time.sleep(0.01)
