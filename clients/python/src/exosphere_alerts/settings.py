"""The emitter that the environment describes, for listeners and for programs without settings of
their own."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

from .emitter import Emitter
from .errors import SettingError

_lock = threading.Lock()
_shared: dict[tuple[str, ...], Emitter] = {}


def from_env(environment: Mapping[str, str] | None = None) -> Emitter:
    """A new emitter with `ALERTS_URL`, `ALERTS_KEY`, `ALERTS_OUTBOX`, `ALERTS_NAMESPACE` and
    `ALERTS_SOURCE`; the last two may be absent.

    Raises:
        SettingError: One is missing or wrong.
    """
    found = os.environ if environment is None else environment
    missing = [
        name for name in ("ALERTS_URL", "ALERTS_KEY", "ALERTS_OUTBOX") if not found.get(name)
    ]
    if missing:
        raise SettingError(
            f"set {', '.join(missing)}: the host's address, a key of it, and a file on a local disk in "
            "which events wait"
        )
    return Emitter(
        found["ALERTS_URL"],
        found["ALERTS_KEY"],
        outbox=found["ALERTS_OUTBOX"],
        namespace=found.get("ALERTS_NAMESPACE") or None,
        source=found.get("ALERTS_SOURCE") or None,
    )


def shared() -> Emitter:
    """The emitter of this environment, the same one each time. What listeners use."""
    names = ("ALERTS_URL", "ALERTS_KEY", "ALERTS_OUTBOX", "ALERTS_NAMESPACE", "ALERTS_SOURCE")
    setting = tuple(os.environ.get(name, "") for name in names)
    with _lock:
        emitter = _shared.get(setting)
        if emitter is None or emitter.is_closed:
            emitter = _shared[setting] = from_env()
        return emitter
