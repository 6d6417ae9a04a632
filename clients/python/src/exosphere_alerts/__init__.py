"""Exosphere Alerts for Python: emit events, verify alerts, use the API."""

from .emitter import Emitter, Status
from .errors import (
    AlertsError,
    DiskFull,
    InvalidEvent,
    OutboxError,
    OutboxFull,
    SettingError,
    VerificationError,
)
from .event import Event
from .outbox import Refused
from .run import Run
from .sender import Trouble
from .settings import from_env
from .verify import Alert, verify

__all__ = [
    "Alert",
    "AlertsError",
    "DiskFull",
    "Emitter",
    "Event",
    "InvalidEvent",
    "OutboxError",
    "OutboxFull",
    "Refused",
    "Run",
    "SettingError",
    "Status",
    "Trouble",
    "VerificationError",
    "from_env",
    "verify",
]
