"""Celery: signals that tell of tasks.

`watch()` once, where the app is made. Each task is a run: its name is the graph, its id the run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timezone
from typing import Any

from celery import signals

from ..event import Event
from .mapping import task_event
from .telling import Phase, tell

_UID = "exosphere_alerts"
_STARTED = "exosphere_alerts_started"


def watch(tasks: Collection[str] | None = None) -> None:
    """Tells of tasks from now on, in this process and in those that are forked from it.

    Args:
        tasks: Their names; all tasks if it is left out.
    """

    def is_watched(task: Any) -> bool:
        return tasks is None or task.name in tasks

    def started(sender: Any, task_id: str, task: Any, **_: Any) -> None:
        now = datetime.now(timezone.utc)
        setattr(task.request, _STARTED, now)
        # A retry goes on with what began before; what takes too long takes it with all its retries.
        if is_watched(task) and not task.request.retries:
            tell(task_event("started", task.name, task_id, "STARTED", 0, started_at=now))

    def succeeded(sender: Any, **_: Any) -> None:
        if is_watched(sender):
            tell(_ended("succeeded", sender, sender.request.id, "SUCCESS"))

    def failed(sender: Any, task_id: str, exception: BaseException | None, **_: Any) -> None:
        if is_watched(sender):
            error = f"{type(exception).__name__}: {exception}"
            tell(_ended("failed", sender, task_id, "FAILURE", error=error))

    def revoked(sender: Any, request: Any, terminated: bool, **_: Any) -> None:
        # One that was revoked before it began was never told of.
        if is_watched(sender) and terminated:
            tell(_ended("failed", sender, request.id, "REVOKED"))

    _connect(signals.task_prerun, started, "prerun")
    _connect(signals.task_success, succeeded, "success")
    _connect(signals.task_failure, failed, "failure")
    _connect(signals.task_revoked, revoked, "revoked")


def _ended(phase: Phase, task: Any, task_id: str, status: str, **more: Any) -> Event:
    return task_event(
        phase,
        task.name,
        task_id,
        status,
        # Of a worker that died its parent tells, which does not know the request.
        getattr(task.request, "retries", None) or 0,
        started_at=getattr(task.request, _STARTED, None),
        finished_at=datetime.now(timezone.utc),
        **more,
    )


def _connect(signal: Any, receiver: Callable[..., None], name: str) -> None:
    """Strongly, since nobody else holds it; by name, so that a second `watch` replaces the first."""
    uid = f"{_UID}.{name}"
    signal.disconnect(dispatch_uid=uid)
    signal.connect(receiver, weak=False, dispatch_uid=uid)
