"""`run()`: what is told of a run, and that telling never gets in the way of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from exosphere_alerts import Emitter

from .support.eventually import eventually
from .support.host import Host, free_port
from .support.manual_clock import ManualClock
from .support.receiver import Receiver
from .support.stranger import Stranger, answering, receipt


class Emitted:
    """What a host was sent."""

    def __init__(self, stranger: Stranger, emitter: Emitter) -> None:
        self._stranger = stranger
        self.emitter = emitter

    def events(self) -> list[dict[str, Any]]:
        assert self.emitter.flush(60)
        return self._stranger.taken


@pytest.fixture
def emitted(outbox: Path) -> Any:
    with (
        answering(receipt) as stranger,
        Emitter(stranger.url, "exo_key", outbox=outbox, namespace="payments") as emitter,
    ):
        yield Emitted(stranger, emitter)


def test_a_run_that_ends_well_is_told_with_the_platforms_fields(emitted: Emitted) -> None:
    with emitted.emitter.run("nightly-etl", run_id="r1") as run:
        run.data.update(success_count=11, total_count=11)
    started, succeeded = emitted.events()
    assert started["type"] == "workflow.started"
    assert started["source"] == "/v0/namespace/payments"
    assert started["subject"] == "graph/nightly-etl/run/r1"
    assert started["data"] == {
        "graph_name": "nightly-etl",
        "run_id": "r1",
        "created_at": started["time"],
        "status": "PENDING",
    }
    assert succeeded["type"] == "workflow.succeeded"
    data = succeeded["data"]
    assert data["created_at"] == started["time"]
    assert data["finished_at"] == succeeded["time"]
    assert data["duration_ms"] >= 0
    assert (data["status"], data["success_count"], data["total_count"]) == ("SUCCESS", 11, 11)
    assert "error" not in data


def test_a_run_that_fails_is_told_and_its_error_goes_on(emitted: Emitted) -> None:
    run = emitted.emitter.run("nightly-etl")
    run.data["node_name"] = "load"
    with pytest.raises(ValueError, match="no such table"), run:
        raise ValueError("no such table " + "x" * 10_000)
    _, failed = emitted.events()
    assert failed["type"] == "workflow.failed"
    assert failed["data"]["status"] == "FAILED"
    assert failed["data"]["node_name"] == "load"
    assert failed["data"]["error"].startswith("ValueError: no such table")
    assert len(failed["data"]["error"]) == 2000


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (SystemExit(0), "workflow.succeeded"),
        (SystemExit(), "workflow.succeeded"),
        (SystemExit(3), "workflow.failed"),
        (KeyboardInterrupt(), "workflow.failed"),
    ],
)
def test_the_end_of_the_program_ends_its_run(
    emitted: Emitted, end: BaseException, told: str
) -> None:
    with pytest.raises(type(end)), emitted.emitter.run("g"):
        raise end
    assert emitted.events()[-1]["type"] == told


def test_a_run_that_is_tried_again_under_its_id_is_told_again(emitted: Emitted) -> None:
    for _ in range(2):
        with emitted.emitter.run("g", run_id="r1"):
            pass
    ids = [event["id"] for event in emitted.events()]
    assert len(set(ids)) == 4


def test_coroutines_tell_of_their_runs_also_when_they_are_cancelled(emitted: Emitted) -> None:
    async def work(is_in: asyncio.Event) -> None:
        async with emitted.emitter.run("g", run_id="r1"):
            is_in.set()
            await asyncio.sleep(600)

    async def cancel() -> None:
        is_in = asyncio.Event()
        task = asyncio.create_task(work(is_in))
        await is_in.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert [event["type"] for event in emitted.events()] == ["workflow.started", "workflow.failed"]
    assert emitted.events()[-1]["data"]["error"].startswith("CancelledError")


def test_a_run_that_is_cancelled_before_it_began_does_not_seem_stuck(emitted: Emitted) -> None:
    async def work() -> None:
        async with emitted.emitter.run("g", run_id="r1"):
            raise AssertionError

    async def cancel() -> None:
        task = asyncio.create_task(work())
        # It is in the middle of telling that the run began.
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert [event["type"] for event in emitted.events()] == ["workflow.started", "workflow.failed"]


def test_work_goes_on_where_its_news_cannot_be_stored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    done = []
    with Emitter(
        f"http://127.0.0.1:{free_port()}", "exo_key", outbox=tmp_path / "file" / "outbox"
    ) as emitter:
        with emitter.run("g", run_id="r1"):
            done.append(1)
        with emitter.run("g", data={"bad": object()}):
            done.append(2)
    assert done == [1, 2]
    assert "the event r1/" in caplog.text
    assert "data.bad is a object" in caplog.text


def test_how_long_a_run_took_does_not_hang_on_the_time_of_day(outbox: Path) -> None:
    clock = ManualClock()
    with answering(receipt) as stranger:
        emitter = Emitter(stranger.url, "exo_key", outbox=outbox, clock=clock)
        with emitter.run("g"):
            clock.advance(90.5)
        eventually(lambda: len(stranger.taken) == 2, "both events")
        emitter.close()
    assert stranger.taken[-1]["data"]["duration_ms"] == 90_500


def test_a_stuck_run_alerts_while_it_is_stuck(
    host: Host, namespace: str, emitter: Emitter, receiver: Receiver
) -> None:
    """What makes `workflow.started` worth telling."""
    with host.client(namespace) as client:
        http = client.get_httpx_client()
        endpoint = http.post("/v1/webhooks", json={"name": "E", "target_url": receiver.url}).json()
        receiver.secret = endpoint["secret"]
        rule = {
            "name": "Stuck",
            "event_type": "workflow.duration_exceeded",
            "trigger": {"type": "duration", "threshold_ms": 1},
            "webhook_endpoint_id": endpoint["id"],
        }
        assert http.post("/v1/alert-rules", json=rule).status_code == 201
    with emitter.run("nightly-etl", run_id="r1"):
        eventually(lambda: bool(receiver.alerts), "the alert comes while the run goes on")
    assert receiver.alerts[0]["type"] == "workflow.duration_exceeded"
    assert receiver.alerts[0]["workflow"]["run_id"] == "r1"
