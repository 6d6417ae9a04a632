"""What of each platform's run becomes which field: pure, and without the platforms, so that it is
tested where none is installed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ..event import Event
from .telling import Phase, RunFacts, run_event

DAGSTER_PHASES: Mapping[str, Phase] = {
    "STARTED": "started",
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "CANCELED": "failed",
}
"""Those of Dagster's statuses that are told."""


def dag_run_event(phase: Phase, dag_run: Any, why: str = "", tasks: Sequence[Any] = ()) -> Event:
    """The event for what became of a DAG run.

    Args:
        phase: What became of it.
        dag_run: Airflow's.
        why: What Airflow says about it.
        tasks: Its task instances, where they are known.
    """
    more: dict[str, Any] = {"run_type": _word(getattr(dag_run, "run_type", None))}
    if phase != "started":
        more.update(_counts(tasks))
    if phase == "failed":
        more["error"] = why or None
        # The one that failed first; those after it were not tried.
        failed = [task for task in tasks if _word(task.state) == "failed"]
        failed.sort(key=lambda task: (task.end_date is None, task.end_date))
        more["node_name"] = failed[0].task_id if failed else None
    facts = RunFacts(
        platform="airflow",
        graph_name=dag_run.dag_id,
        run_id=dag_run.run_id,
        # Clearing a run runs it again under its id.
        epoch=str(getattr(dag_run, "clear_number", None) or 0),
        status=_word(dag_run.state) or phase,
        started_at=dag_run.start_date,
        finished_at=dag_run.end_date,
        more=more,
    )
    return run_event(phase, facts)


def _counts(tasks: Sequence[Any]) -> dict[str, int]:
    if not tasks:
        return {}
    states = Counter(_word(task.state) for task in tasks)
    return {
        "total_count": len(tasks),
        "success_count": states["success"],
        "errored_count": states["failed"] + states["upstream_failed"],
        "retried_count": sum(max(0, (task.try_number or 1) - 1) for task in tasks),
    }


def _word(state: Any) -> str | None:
    """States are enumerations of texts, or texts."""
    return None if state is None else str(getattr(state, "value", state))


def flow_run_event(phase: Phase, flow: Any, flow_run: Any, state: Any) -> Event:
    """The event for the state that a flow run has entered."""
    more: dict[str, Any] = {"flow_run_name": flow_run.name}
    if phase == "failed":
        more["error"] = state.message
        more["retried_count"] = max(0, (flow_run.run_count or 1) - 1)
    facts = RunFacts(
        platform="prefect",
        graph_name=flow.name,
        run_id=str(flow_run.id),
        # Each state has an id of its own, also where a run is retried.
        epoch=str(state.id),
        status=str(getattr(state.type, "value", state.type)),
        started_at=state.timestamp if phase == "started" else flow_run.start_time,
        finished_at=None if phase == "started" else state.timestamp,
        more=more,
    )
    return run_event(phase, facts)


def run_status_event(status: str, run: Any, record: Any, happened: Any) -> Event:
    """The event for a run that has reached a status.

    Args:
        status: Dagster's word: `STARTED`, `SUCCESS`, `FAILURE` or `CANCELED`.
        run: Its `DagsterRun`.
        record: Its `RunRecord`, which has the times, in Unix seconds.
        happened: The `DagsterEvent` of it.
    """
    phase = DAGSTER_PHASES[status]
    more: dict[str, Any] = {}
    if phase == "failed":
        more["error"] = happened.message
    facts = RunFacts(
        platform="dagster",
        graph_name=run.job_name,
        run_id=run.run_id,
        # A run that is tried again is another run there.
        epoch="0",
        status=status,
        started_at=_time(record and record.start_time),
        finished_at=_time(record and record.end_time),
        more=more,
    )
    return run_event(phase, facts)


def task_event(
    phase: Phase, task_name: str, task_id: str, status: str, retries: int, **more: Any
) -> Event:
    """The event for what became of a task, with times and other fields in `more`."""
    facts = RunFacts(
        platform="celery",
        graph_name=task_name,
        run_id=task_id,
        # One task is told to begin once, and each of its ends once.
        epoch=str(retries),
        status=status,
        started_at=more.pop("started_at", None),
        finished_at=more.pop("finished_at", None),
        more=more if phase == "started" else {"retried_count": retries, **more},
    )
    return run_event(phase, facts)


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)
