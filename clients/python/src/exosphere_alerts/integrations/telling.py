"""What all listeners have in common: a platform's run becomes an event in one vocabulary, and
telling of it never gets in the platform's way."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ..errors import AlertsError
from ..event import MAX_ATTRIBUTE_BYTES, Event, timestamp
from ..run import MAX_ERROR
from ..settings import shared

log = logging.getLogger("exosphere_alerts")

Phase = Literal["started", "succeeded", "failed"]


@dataclass(frozen=True)
class RunFacts:
    """What a platform says of a run.

    Attributes:
        platform: Its name, which becomes the events' source: `airflow`.
        graph_name: What runs: a DAG, a flow, a job, a task.
        run_id: Which run of it.
        epoch: Tells the tries of one run apart where the platform keeps its id. The same for the
            same fact, whichever process tells it and however often, so that it counts once.
        status: The platform's own word.
        started_at: When the run began, with a zone.
        finished_at: When it ended.
        more: Further fields: counts, `node_name`, `error`.
    """

    platform: str
    graph_name: str
    run_id: str
    epoch: str
    status: str
    started_at: datetime | None
    finished_at: datetime | None = None
    more: dict[str, Any] = field(default_factory=dict)


def run_event(phase: Phase, facts: RunFacts) -> Event:
    """The event of this fact."""
    data: dict[str, Any] = {
        "graph_name": facts.graph_name,
        "run_id": facts.run_id,
        "status": facts.status,
    }
    if facts.started_at is not None:
        data["created_at"] = timestamp(facts.started_at)
    if phase != "started" and facts.finished_at is not None:
        data["finished_at"] = timestamp(facts.finished_at)
        if facts.started_at is not None:
            took = facts.finished_at - facts.started_at
            data["duration_ms"] = max(0, round(took.total_seconds() * 1000))
    data.update({name: value for name, value in facts.more.items() if value is not None})
    if "error" in data:
        data["error"] = str(data["error"])[:MAX_ERROR]
    return Event(
        type=f"workflow.{phase}",
        id=_bounded(f"{facts.graph_name}/{facts.run_id}/{facts.epoch}/{phase}"),
        source=f"/{facts.platform}",
        # Beyond its bound it is left out: `data` names the run as well.
        subject=_subject(facts),
        time=facts.started_at if phase == "started" else facts.finished_at,
        data=data,
    )


def tell(event: Event) -> None:
    """Stores it with the emitter of the environment. What fails is logged: a run goes on also where
    nobody can be told of it."""
    try:
        shared().emit_events([event])
    except AlertsError as error:
        log.error("the event %s is not told: %s", event.id, error)


def _bounded(text: str) -> str:
    """What is longer than an id may be keeps its beginning and ends in its digest."""
    if len(text.encode()) <= MAX_ATTRIBUTE_BYTES:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()
    beginning = text.encode()[: MAX_ATTRIBUTE_BYTES - len(digest) - 1]
    return f"{beginning.decode(errors='ignore')}~{digest}"


def _subject(facts: RunFacts) -> str | None:
    subject = f"graph/{facts.graph_name}/run/{facts.run_id}"
    return subject if len(subject.encode()) <= MAX_ATTRIBUTE_BYTES else None
