"""What of a platform's run becomes which field, on objects that look like the platforms' own. That
they do look so is what `cargo xtask integrations` shows."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from exosphere_alerts.event import encode
from exosphere_alerts.integrations.mapping import (
    dag_run_event,
    flow_run_event,
    run_status_event,
    task_event,
)
from exosphere_alerts.integrations.prefect import alert_hooks
from exosphere_alerts.integrations.telling import RunFacts, run_event, tell

START = datetime(2026, 1, 31, 2, 0, tzinfo=timezone.utc)
END = START + timedelta(minutes=10)


def encoded(event: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(encode(event, source="/s", namespace=None, now=START))
    return read


def dag_run(**more: Any) -> Any:
    facts: dict[str, Any] = {
        "dag_id": "nightly-etl",
        "run_id": "scheduled__2026-01-31",
        "clear_number": 0,
        "state": SimpleNamespace(value="failed"),
        "run_type": SimpleNamespace(value="scheduled"),
        "start_date": START,
        "end_date": END,
    }
    return SimpleNamespace(**{**facts, **more})


def task(name: str, state: str, end: datetime | None = END, tries: int = 1) -> Any:
    return SimpleNamespace(task_id=name, state=state, end_date=end, try_number=tries)


def test_a_dag_run_that_failed() -> None:
    tasks = [
        task("publish", "upstream_failed", None, 0),
        task("load", "failed", END, 3),
        task("extract", "success"),
        task("check", "failed", END + timedelta(seconds=1)),
    ]
    event = encoded(dag_run_event("failed", dag_run(), "task_failure", tasks))
    assert event["id"] == "nightly-etl/scheduled__2026-01-31/0/failed"
    assert event["source"] == "/airflow"
    assert event["type"] == "workflow.failed"
    assert event["subject"] == "graph/nightly-etl/run/scheduled__2026-01-31"
    assert event["time"] == "2026-01-31T02:10:00Z"
    assert event["data"] == {
        "graph_name": "nightly-etl",
        "run_id": "scheduled__2026-01-31",
        "status": "failed",
        "created_at": "2026-01-31T02:00:00Z",
        "finished_at": "2026-01-31T02:10:00Z",
        "duration_ms": 600_000,
        "run_type": "scheduled",
        "total_count": 4,
        "success_count": 1,
        "errored_count": 3,
        "retried_count": 2,
        "error": "task_failure",
        "node_name": "load",
    }


def test_a_dag_run_that_is_cleared_is_told_again_and_told_twice_it_is_one() -> None:
    once, twice = dag_run_event("started", dag_run()), dag_run_event("started", dag_run())
    cleared = dag_run_event("started", dag_run(clear_number=1))
    assert once.id == twice.id
    assert once.id != cleared.id
    assert encoded(once)["time"] == "2026-01-31T02:00:00Z"
    assert "duration_ms" not in encoded(once)["data"]


def test_ids_longer_than_the_host_takes_stay_different() -> None:
    long = "é" * 250
    ids = set()
    for end in ("a", "b"):
        event = encoded(dag_run_event("failed", dag_run(dag_id=long, run_id=long + end)))
        assert len(event["id"].encode()) <= 512
        assert "subject" not in event
        ids.add(event["id"])
    assert len(ids) == 2


def test_a_flow_run_of_prefect() -> None:
    state = SimpleNamespace(
        id="s1",
        type=SimpleNamespace(value="CRASHED"),
        timestamp=END,
        message="the process was killed",
    )
    run = SimpleNamespace(id="r1", name="swift-owl", run_count=3, start_time=START)
    event = encoded(flow_run_event("failed", SimpleNamespace(name="etl"), run, state))
    assert event["id"] == "etl/r1/s1/failed"
    assert event["source"] == "/prefect"
    assert event["data"]["status"] == "CRASHED"
    assert event["data"]["duration_ms"] == 600_000
    assert event["data"]["retried_count"] == 2
    assert event["data"]["error"] == "the process was killed"
    assert event["data"]["flow_run_name"] == "swift-owl"


def test_prefect_has_a_hook_for_each_end() -> None:
    assert set(alert_hooks()) == {
        "on_running",
        "on_completion",
        "on_failure",
        "on_crashed",
        "on_cancellation",
    }


def test_a_run_of_dagster() -> None:
    run = SimpleNamespace(job_name="etl", run_id="r1")
    happened = SimpleNamespace(message="step load failed")
    record = SimpleNamespace(start_time=START.timestamp(), end_time=END.timestamp())
    event = encoded(run_status_event("FAILURE", run, record, happened))
    assert event["id"] == "etl/r1/0/failed"
    assert event["source"] == "/dagster"
    assert event["time"] == "2026-01-31T02:10:00Z"
    assert event["data"]["duration_ms"] == 600_000
    assert event["data"]["error"] == "step load failed"
    canceled = encoded(run_status_event("CANCELED", run, None, happened))
    assert canceled["type"] == "workflow.failed"
    assert canceled["data"]["status"] == "CANCELED"
    assert "duration_ms" not in canceled["data"]


def test_a_task_of_celery() -> None:
    event = encoded(
        task_event(
            "failed",
            "shop.charge",
            "t1",
            "FAILURE",
            2,
            started_at=START,
            finished_at=END,
            error="x" * 5000,
        )
    )
    assert event["id"] == "shop.charge/t1/2/failed"
    assert event["source"] == "/celery"
    assert event["data"]["retried_count"] == 2
    assert len(event["data"]["error"]) == 2000


def test_clocks_that_were_set_back_make_no_negative_duration() -> None:
    facts = RunFacts("p", "g", "r", "0", "SUCCESS", started_at=END, finished_at=START)
    assert encoded(run_event("succeeded", facts))["data"]["duration_ms"] == 0


def test_a_listener_without_settings_says_so_and_lets_the_platform_be(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("ALERTS_URL", raising=False)
    monkeypatch.delenv("ALERTS_KEY", raising=False)
    tell(dag_run_event("started", dag_run()))
    assert "set ALERTS_URL, ALERTS_KEY, ALERTS_OUTBOX" in caplog.text
