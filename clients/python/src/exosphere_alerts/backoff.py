"""How long to leave the host alone after a failure."""

from __future__ import annotations

from random import Random

FIRST_S = 0.5
"""A restart of the host takes about as long."""
LONGEST_S = 60.0
"""A host that is back hears of what waited within a minute."""
MAX_RETRY_AFTER_S = 3600.0
"""A mistaken `Retry-After` of a year must not silence alerts."""


class Backoff:
    """Doubles with every failure in a row. Half of each pause is chance, so that the senders of
    many machines do not come back at the same moment."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures = 0

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self, retry_after_s: float | None) -> float:
        """Seconds to wait now. What the host asks for is the least."""
        whole = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures, 30))
        self._failures += 1
        pause = whole / 2 + self._random.random() * whole / 2
        if retry_after_s is None:
            return pause
        asked = min(max(retry_after_s, 0.0), MAX_RETRY_AFTER_S)
        return max(pause, asked + self._random.random() * asked / 10)
