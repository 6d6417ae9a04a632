"""Tells of a run: that it started, and how it ended, in the platform's own words."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol

from .clock import Clock
from .errors import AlertsError
from .event import Event, timestamp
from .sender import log

MAX_ERROR = 2000
"""Characters of an error's text: what a person reads, not a log."""


class Teller(Protocol):
    """What a run needs of an emitter."""

    clock: Clock

    def emit_events(self, events: Sequence[Event]) -> None: ...

    async def aemit_events(self, events: Sequence[Event]) -> None: ...


class Run:
    """A context manager, with `with` and with `async with`.

    The body's exceptions pass through. That an event could not be stored is logged and does not
    stop the body: the work matters more than the news of it.

    Attributes:
        run_id: Names the run, together with the graph.
        data: Goes with the event that ends it. Put in what rules look at: `success_count`,
            `errored_count`, `total_count`, `node_name`, …
    """

    def __init__(
        self, emitter: Teller, graph_name: str, run_id: str | None, data: dict[str, Any] | None
    ) -> None:
        self._emitter = emitter
        self._graph_name = graph_name
        self.run_id = run_id if run_id is not None else str(uuid.uuid4())
        self.data: dict[str, Any] = dict(data or {})
        # A run that is tried again under its old id is told anew.
        self._epoch = uuid.uuid4().hex[:12]
        self._started_at: datetime
        self._started_s: float

    def __enter__(self) -> Run:
        self._tell_sync(self._started())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tell_sync(self._ended(error))

    async def __aenter__(self) -> Run:
        try:
            await asyncio.shield(self._tell(self._started()))
        except asyncio.CancelledError as error:
            # The body will not run, and a run that was told of must not seem stuck.
            await asyncio.shield(self._tell(self._ended(error)))
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A task that is being cancelled has time for this: it takes milliseconds.
        await asyncio.shield(self._tell(self._ended(error)))

    def _started(self) -> Event:
        clock = self._emitter.clock
        self._started_at, self._started_s = clock.now(), clock.monotonic_s()
        return self._event("started", "PENDING", self._started_at, dict(self.data))

    def _ended(self, error: BaseException | None) -> Event:
        clock = self._emitter.clock
        finished_at = clock.now()
        # By the other clock: this one may have been set meanwhile.
        duration_ms = round((clock.monotonic_s() - self._started_s) * 1000)
        data = {
            **self.data,
            "finished_at": timestamp(finished_at),
            "duration_ms": duration_ms,
        }
        if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
            return self._event("succeeded", "SUCCESS", finished_at, data)
        data.setdefault("error", f"{type(error).__name__}: {error}"[:MAX_ERROR])
        return self._event("failed", "FAILED", finished_at, data)

    def _event(self, what: str, status: str, time: datetime, data: dict[str, Any]) -> Event:
        data = {
            "graph_name": self._graph_name,
            "run_id": self.run_id,
            "created_at": timestamp(self._started_at),
            **data,
            "status": status,
        }
        return Event(
            type=f"workflow.{what}",
            id=f"{self.run_id}/{self._epoch}/{what}",
            subject=f"graph/{self._graph_name}/run/{self.run_id}",
            time=time,
            data=data,
        )

    def _tell_sync(self, event: Event) -> None:
        try:
            self._emitter.emit_events([event])
        except AlertsError:
            log.exception("the event %s could not be stored", event.id)

    async def _tell(self, event: Event) -> None:
        try:
            await self._emitter.aemit_events([event])
        except AlertsError:
            log.exception("the event %s could not be stored", event.id)
