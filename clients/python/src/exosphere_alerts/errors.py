"""What can go wrong, each with what to do about it in its message."""

from __future__ import annotations


class AlertsError(Exception):
    """Of everything that this package raises itself."""


class InvalidEvent(AlertsError, ValueError):
    """The event could never be accepted; nothing of it was stored."""


class SettingError(AlertsError, ValueError):
    """A setting is missing or cannot be right."""


class OutboxError(AlertsError):
    """The outbox did not take the event, so it is not stored and will not be sent."""


class OutboxFull(OutboxError):
    """The outbox holds as much as it may. The host has not taken events for a while."""


class DiskFull(OutboxError):
    """The disk below the outbox has no room, or cannot be written to."""


class VerificationError(AlertsError, ValueError):
    """A request is not a genuine alert; answer it with 401 and do nothing else."""
