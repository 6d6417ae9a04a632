"""Brings what waits in the outbox to the host: one batch after another, in order.

One process sends at a time, the one that holds the lock. Nothing here touches the disk but
through the outbox, or the network but through the transport.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from .answers import Accepted, EventsRefused, NotNow, judge
from .backoff import Backoff
from .clock import Clock
from .errors import OutboxError
from .event import timestamp
from .lock import SenderLock
from .outbox import Outbox, Refused, Waiting
from .transport import Transport, TransportError

MAX_BATCH_EVENTS = 1000
"""The host's own limit."""
MAX_BATCH_BYTES = 8 * 1024 * 1024
"""The host's own limit."""
IDLE_POLL_S = 0.25
"""How soon the process that sends sees what another one has stored."""
LOCK_POLL_S = 1.0
"""How soon another process takes over when the one that sends has ended."""
STOP_S = 1.0
"""For a request that is on its way when the emitter is closed: a host that is well answers sooner."""
REMIND_S = 600.0
"""While nothing gets through, the log says so again this often."""

log = logging.getLogger("exosphere_alerts")

Told = TypeVar("Told")


@dataclass(frozen=True)
class Trouble:
    """Why events wait."""

    reason: str
    since: str
    """RFC 3339."""


class Sender:
    """A thread that runs while there is an emitter."""

    def __init__(
        self,
        outbox: Outbox,
        transport: Transport,
        *,
        namespace: str | None,
        clock: Clock,
        random: Random,
        on_refused: Callable[[Refused], None] | None,
        on_trouble: Callable[[Trouble], None] | None,
    ) -> None:
        self._outbox = outbox
        self._transport = transport
        self._namespace = namespace
        self._clock = clock
        self._backoff = Backoff(random)
        self._on_refused = on_refused
        self._on_trouble = on_trouble
        self._lock = SenderLock(outbox.path.with_name(outbox.path.name + ".sender"))
        self._batch_events = MAX_BATCH_EVENTS
        self._sent_up_to_seq = 0
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None
        self._told_at_s = 0.0
        self.trouble: Trouble | None = None

    @property
    def is_sending(self) -> bool:
        """Whether this process is the one that sends."""
        return self._lock.is_held

    def start(self) -> None:
        """Does nothing where it runs already."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="exosphere-alerts-sender", daemon=True
            )
            self._thread.start()

    def wake(self) -> None:
        """There is something to send."""
        self._wake.set()

    def stop(self) -> None:
        """Ends the request that is on its way, and lets another process send."""
        self._is_stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(STOP_S)
            if self._thread.is_alive():
                # The host may have it or not; it is sent again, and counts once.
                self._transport.abort()
                self._thread.join(STOP_S)
        self._lock.release()
        self._transport.close()

    def abandon(self) -> None:
        """After a fork, in the child: the thread, its request and its lock are the parent's."""
        self._lock.release()

    def _run(self) -> None:
        while not self._is_stopping:
            # Before looking, so that what comes meanwhile wakes it again.
            if not self._is_backing_off():
                self._wake.clear()
            pause_s = self.step()
            if pause_s > 0 and not self._is_stopping:
                self._pause(pause_s)

    def _is_backing_off(self) -> bool:
        return self.trouble is not None

    def _pause(self, pause_s: float) -> None:
        if not self._is_backing_off():
            self._clock.wait(self._wake, pause_s)
            return
        # New events are no reason to ask a host in trouble sooner; the end is.
        ends_at_s = self._clock.monotonic_s() + pause_s
        while (left_s := ends_at_s - self._clock.monotonic_s()) > 0 and not self._is_stopping:
            self._wake.clear()
            if not self._is_stopping:
                self._clock.wait(self._wake, left_s)

    def step(self) -> float:
        """Sends one batch. Seconds until the next one: none while there is more to do."""
        try:
            if not self._lock.acquire():
                self._is_well()
                return LOCK_POLL_S
            return self._send()
        except (OutboxError, OSError) as error:
            return self._failed(NotNow(str(error)))
        except Exception as error:  # The thread must live: nothing else sends.
            log.exception("sending failed in a way that nobody thought of")
            return self._failed(NotNow(f"{type(error).__name__}: {error}"))

    def _send(self) -> float:
        batch = self._outbox.head(
            self._batch_events, MAX_BATCH_BYTES - 2, after_seq=self._sent_up_to_seq
        )
        if not batch:
            self._remove_sent()
            self._outbox.shrink()
            return IDLE_POLL_S
        body = b"[" + b",".join(one.body for one in batch) + b"]"
        try:
            answer = self._transport.post(body)
        except TransportError as error:
            return self._failed(NotNow(str(error)))
        match judge(answer, len(batch), self._clock.now()):
            case Accepted():
                self._sent_up_to_seq = batch[-1].seq
                # After a batch with a bad event it was small.
                self._batch_events = min(self._batch_events * 2, MAX_BATCH_EVENTS)
                self._remove_sent()
                self._is_well()
                return 0.0
            case EventsRefused() as refusal:
                return self._refused(batch, refusal)
            case NotNow() as pause:
                return self._failed(pause)

    def _remove_sent(self) -> None:
        """On a full disk this fails, and is tried again; meanwhile what comes after is sent."""
        if self._sent_up_to_seq > 0:
            self._outbox.remove(self._sent_up_to_seq)
            # Places begin anew if somebody replaces the file.
            self._sent_up_to_seq = 0

    def _refused(self, batch: Sequence[Waiting], refusal: EventsRefused) -> float:
        places = dict(refusal.places)
        if not places and len(batch) > 1:
            # The host did not say which: half as many find it, soon.
            self._batch_events = max(1, len(batch) // 2)
            return 0.0
        if not places:
            places = {0: refusal.detail}
        if refusal.is_about_namespace:
            # With the emitter's own namespace every event is refused, and a setting is wrong.
            places = {
                place: why
                for place, why in places.items()
                if _attribute(batch[place].body, "namespace") not in (None, self._namespace)
            }
            if not places:
                advice = "set the namespace (ALERTS_NAMESPACE) that the key (ALERTS_KEY) is of"
                return self._failed(NotNow(f"{refusal.detail}; {advice}"))
        now = timestamp(self._clock.now())
        refused = [
            Refused(batch[place].seq, batch[place].body, refusal.status, why, now)
            for place, why in sorted(places.items())
        ]
        dropped = self._outbox.set_aside(refused)
        for one in refused:
            log.error(
                "the host refused event %s, which is set aside (`python -m exosphere_alerts refused` "
                "shows it): %s",
                _attribute(one.body, "id"),
                one.detail,
            )
            self._call(self._on_refused, one)
        if dropped:
            log.error("%d older refused events were dropped to make room", dropped)
        self._is_well()
        return 0.0

    def _failed(self, pause: NotNow) -> float:
        now_s = self._clock.monotonic_s()
        is_new = self.trouble is None or self.trouble.reason != pause.reason
        since = timestamp(self._clock.now()) if self.trouble is None else self.trouble.since
        self.trouble = Trouble(pause.reason, since)
        if is_new or now_s - self._told_at_s >= REMIND_S:
            self._told_at_s = now_s
            log.warning("events wait in %s since %s: %s", self._outbox.path, since, pause.reason)
            self._call(self._on_trouble, self.trouble)
        return self._backoff.failed(pause.retry_after_s)

    def _is_well(self) -> None:
        if self.trouble is not None:
            log.warning("the host takes events again; it took none since %s", self.trouble.since)
            self.trouble = None
        self._backoff.succeeded()

    def _call(self, callback: Callable[[Told], None] | None, told: Told) -> None:
        if callback is not None:
            try:
                callback(told)
            except Exception:
                log.exception("a callback of the emitter failed")


def _attribute(body: bytes, name: str) -> object:
    """None also for what is no event: a file that was tampered with must not stop the sender."""
    try:
        event = json.loads(body)
    except ValueError:
        return None
    return event.get(name) if isinstance(event, dict) else None
