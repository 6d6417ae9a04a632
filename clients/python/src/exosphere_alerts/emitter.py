"""The emitter: what a program that has something to tell holds in its hand."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import ssl
import threading
import time as real_time
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from random import Random
from types import TracebackType
from typing import Any

from .answers import Accepted, judge
from .clock import Clock, SystemClock
from .errors import OutboxError, OutboxFull, SettingError
from .event import Event, encode
from .outbox import Outbox, Refused, Ticket
from .run import Run
from .sender import Sender, Trouble, log
from .transport import TIMEOUT_S, Transport, TransportError

MAX_EVENTS = 100_000
"""Waiting events: a day of one a second, and some."""
MAX_BYTES = 256 * 1024 * 1024
"""Of the disk, for events that wait."""
CLOSE_S = 5.0
"""How long the end of a program waits for its last events to leave."""
DIRECT_S = 5.0
"""For an event that the disk does not take: the caller waits for the host instead."""
DIRECT_PAUSE_S = 10.0
"""After such a try failed, the next callers are told at once."""
_FLUSH_POLL_S = 0.02


@dataclass(frozen=True)
class Status:
    """How things stand.

    Attributes:
        waiting: Events that the host does not have yet.
        waiting_bytes: Their size.
        refused: Events that it will never take, kept to be looked at.
        trouble: Why events wait, if this process sends and gets none through.
        is_sending: Whether this process is the one of those on this outbox that sends.
    """

    waiting: int
    waiting_bytes: int
    refused: int
    trouble: Trouble | None
    is_sending: bool


class Emitter:
    """Stores events and sends them in the background.

    An event is on the disk when `emit` returns, and stays there until the host has it: through a
    host that is down, a network that is away, and the end of this process. It arrives once.

    Args:
        url: The host's address.
        key: A platform key, or an editor's key of the namespace.
        outbox: A file on a local disk; made if it is not there. Processes may share it if they have
            the same url and key.
        namespace: Whose events they are; needed with a platform key.
        source: The `source` of events; `/v0/namespace/{namespace}` if it is left out.
        max_events: More that wait are refused with `OutboxFull`.
        max_bytes: The same for their size.
        on_refused: Is told of each event that the host will never take. From the sender's thread.
        on_trouble: Is told why events wait, when it begins and every ten minutes.
        ssl_context: For a host with a certificate of a private authority.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        outbox: str | os.PathLike[str],
        namespace: str | None = None,
        source: str | None = None,
        max_events: int = MAX_EVENTS,
        max_bytes: int = MAX_BYTES,
        on_refused: Callable[[Refused], None] | None = None,
        on_trouble: Callable[[Trouble], None] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
        clock: Clock | None = None,
        random: Random | None = None,
    ) -> None:
        if source is None and namespace is None:
            source = "exosphere-alerts-python"
        self.namespace = namespace
        self.source = source if source is not None else f"/v0/namespace/{namespace}"
        self.clock = clock if clock is not None else SystemClock()
        if max_events < 1 or max_bytes < 1:
            raise SettingError("max_events and max_bytes must be at least 1")
        self._outbox = Outbox(outbox, max_events=max_events, max_bytes=max_bytes)

        def new_sender() -> Sender:
            return Sender(
                self._outbox,
                Transport(url, key, ssl_context=ssl_context, timeout_s=timeout_s),
                namespace=namespace,
                clock=self.clock,
                random=random if random is not None else Random(),
                on_refused=on_refused,
                on_trouble=on_trouble,
            )

        self._new_sender = new_sender
        # Here, so that a wrong setting is told here.
        self._sender = new_sender()
        self._start_lock = threading.Lock()
        self._is_closed = False
        self._executor: ThreadPoolExecutor | None = None
        self._directly = Transport(url, key, ssl_context=ssl_context, timeout_s=DIRECT_S)
        self._directly_lock = threading.Lock()
        self._no_directly_until_s = 0.0
        # What an earlier process left goes out without waiting for the first event.
        self._started_sender()
        _emitters.add(self)

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more events."""
        return self._is_closed

    def emit(
        self,
        type: str,
        data: Any = None,
        *,
        id: str | None = None,
        source: str | None = None,
        subject: str | None = None,
        time: datetime | None = None,
        namespace: str | None = None,
        extensions: Mapping[str, str | int | bool] | None = None,
    ) -> None:
        """Stores one event; it is on the disk when this returns.

        Args:
            type: What rules look at: `workflow.failed`, or a type of your own.
            data: Anything that JSON can say.
            id: Names the event together with `source`: told twice, it counts once. Give one where
                the same thing may be told by two processes; else a random one is made.
            source: In place of the emitter's.
            subject: What it is about: `graph/{graph_name}/run/{run_id}`.
            time: When it happened, with its zone; now if left out.
            namespace: In place of the emitter's.
            extensions: More CloudEvents attributes.

        Raises:
            InvalidEvent: The host would refuse it.
            OutboxFull: Too many events wait.
            DiskFull: The disk did not take it.
            OutboxError: The outbox cannot be used.
        """
        event = Event(type, data, id, source, subject, time, namespace, extensions or {})
        self.emit_events([event])

    async def aemit(
        self,
        type: str,
        data: Any = None,
        *,
        id: str | None = None,
        source: str | None = None,
        subject: str | None = None,
        time: datetime | None = None,
        namespace: str | None = None,
        extensions: Mapping[str, str | int | bool] | None = None,
    ) -> None:
        """`emit` for coroutines: the event loop does not wait for the disk. Cancelled, it may have
        stored the event."""
        event = Event(type, data, id, source, subject, time, namespace, extensions or {})
        await self.aemit_events([event])

    def emit_events(self, events: Sequence[Event]) -> None:
        """Stores all of them, or none, with one wait for the disk."""
        self._settle(self._enqueued(events))

    async def aemit_events(self, events: Sequence[Event]) -> None:
        """`emit_events` for coroutines."""
        ticket = self._enqueued(events)
        if self._executor is None:
            # One thread: while it waits for the disk, the next ones gather into one write.
            self._executor = ThreadPoolExecutor(1, "exosphere-alerts-outbox")
        await asyncio.wrap_future(self._executor.submit(self._settle, ticket))

    def _enqueued(self, events: Sequence[Event]) -> Ticket:
        if self._is_closed:
            raise OutboxError("the emitter is closed: emit before `close`, or make another one")
        now = self.clock.now()
        return self._outbox.enqueue(
            [encode(one, source=self.source, namespace=self.namespace, now=now) for one in events]
        )

    def _settle(self, ticket: Ticket) -> None:
        try:
            self._outbox.settle(ticket)
        except OutboxFull:
            raise
        except OutboxError as error:
            # What the disk does not take, the host may.
            if not self._is_sent_directly(ticket.bodies):
                raise
            log.warning("sent at once, since it could not be stored first: %s", error)
            return
        self._started_sender().wake()

    def _is_sent_directly(self, bodies: Sequence[bytes]) -> bool:
        with self._directly_lock:
            if self.clock.monotonic_s() < self._no_directly_until_s:
                return False
            with contextlib.suppress(TransportError):
                answer = self._directly.post(b"[" + b",".join(bodies) + b"]")
                if isinstance(judge(answer, len(bodies), self.clock.now()), Accepted):
                    return True
            self._no_directly_until_s = self.clock.monotonic_s() + DIRECT_PAUSE_S
            return False

    def run(
        self, graph_name: str, *, run_id: str | None = None, data: dict[str, Any] | None = None
    ) -> Run:
        """Tells of a run: `workflow.started` now, and `workflow.succeeded` or `workflow.failed` when
        the `with` ends, with the platform's fields.

        Args:
            graph_name: What runs: the name by which rules know it.
            run_id: Names this run; a random UUID if it is left out.
            data: More fields for all of its events.
        """
        return Run(self, graph_name, run_id, data)

    def flush(self, timeout_s: float | None = None) -> bool:
        """Waits until the host has, or has refused, all that is stored now. Whether it has."""
        self._started_sender().wake()
        return self._wait(timeout_s, or_trouble=False)

    def settle(self, timeout_s: float = CLOSE_S) -> bool:
        """`flush`, but a host that is known to be away is not waited for."""
        self._started_sender().wake()
        return self._wait(timeout_s, or_trouble=True)

    def _wait(self, timeout_s: float | None, *, or_trouble: bool) -> bool:
        up_to = self._outbox.last_seq()
        ends_at = None if timeout_s is None else real_time.monotonic() + timeout_s
        while self._outbox.has_waiting(up_to):
            if ends_at is not None and real_time.monotonic() >= ends_at:
                return False
            if or_trouble and self._sender.trouble is not None:
                return False
            real_time.sleep(_FLUSH_POLL_S)
        return True

    def _started_sender(self) -> Sender:
        with self._start_lock:
            if not self._is_closed:
                self._sender.start()
            return self._sender

    def after_fork_in_child(self) -> None:
        """Threads, connections and the right to send are the parent's; here they begin anew, when
        the child has something to tell."""
        self._sender.abandon()
        self._sender = self._new_sender()
        self._start_lock = threading.Lock()
        self._directly_lock = threading.Lock()
        self._executor = None

    async def aflush(self, timeout_s: float | None = None) -> bool:
        """`flush` for coroutines."""
        return await asyncio.to_thread(self.flush, timeout_s)

    def status(self) -> Status:
        """How things stand in the outbox, for a health page."""
        waiting, waiting_bytes, refused = self._outbox.totals()
        return Status(
            waiting, waiting_bytes, refused, self._sender.trouble, self._sender.is_sending
        )

    def refused(self, limit: int = 100) -> list[Refused]:
        """The newest events that the host will never take."""
        return self._outbox.refused(limit)

    def retry_refused(self) -> int:
        """Sends them again, once what was wrong is put right. How many."""
        count = self._outbox.retry_refused()
        self._sender.wake()
        return count

    def drop_refused(self) -> int:
        """Forgets them. How many."""
        return self._outbox.drop_refused()

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Sends what can be sent in this time and stops; the rest waits for the next process. A host
        that is known to be away is not waited for."""
        with self._start_lock:
            if self._is_closed:
                return
            self._is_closed = True
        _emitters.discard(self)
        if self._executor is not None:
            self._executor.shutdown(wait=True)
        with contextlib.suppress(OutboxError):
            self._wait(timeout_s, or_trouble=True)
        self._sender.stop()
        self._directly.close()
        self._outbox.close()

    async def aclose(self, timeout_s: float = CLOSE_S) -> None:
        """`close` for coroutines."""
        await asyncio.to_thread(self.close, timeout_s)

    def __enter__(self) -> Emitter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Emitter:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"Emitter(outbox={str(self._outbox.path)!r}, namespace={self.namespace!r})"


_emitters: weakref.WeakSet[Emitter] = weakref.WeakSet()


def _close_at_exit() -> None:
    for emitter in list(_emitters):
        emitter.close()


def _after_fork_in_child() -> None:
    for emitter in list(_emitters):
        emitter.after_fork_in_child()


atexit.register(_close_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
