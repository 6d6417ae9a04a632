"""Several processes on one outbox: started side by side, and forked from one that has it open."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from exosphere_alerts import Emitter
from exosphere_alerts.outbox import Outbox

from .support.host import Host
from .support.stranger import answering, receipt

WRITER = """
import sys
from exosphere_alerts import Emitter
url, outbox, name = sys.argv[1:]
with Emitter(url, "exo_key", outbox=outbox) as emitter:
    for number in range(100):
        emitter.emit("t", id=f"{name}/{number}")
"""


def test_processes_side_by_side_lose_nothing_and_one_of_them_sends(outbox: Path) -> None:
    with answering(receipt) as stranger:
        arguments = [sys.executable, "-c", WRITER, stranger.url, str(outbox)]
        writers = [subprocess.Popen([*arguments, str(number)]) for number in range(4)]
        assert [writer.wait() for writer in writers] == [0] * 4
        with Emitter(stranger.url, "exo_key", outbox=outbox) as emitter:
            assert emitter.flush(60)
        ids = [event["id"] for event in stranger.taken]
        assert sorted(ids) == sorted(f"{w}/{n}" for w in range(4) for n in range(100))
        for writer in range(4):
            own = [one for one in ids if one.startswith(f"{writer}/")]
            assert own == [f"{writer}/{n}" for n in range(100)], "in the order of each process"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_forked_children_emit_through_the_emitter_of_their_parent(
    host: Host, namespace: str, outbox: Path
) -> None:
    """As a web server with workers does, or Celery, that made its emitter before they began."""
    stop = threading.Event()
    with Emitter(host.url, host.key, outbox=outbox, namespace=namespace) as emitter:
        emitter.emit("t", id="parent/before")

        def keep_emitting() -> None:
            number = 0
            while not stop.is_set():
                emitter.emit("t", id=f"parent/{number}")
                number += 1

        # So that forks come while the lock is held and requests are on their way.
        busy = threading.Thread(target=keep_emitting)
        busy.start()
        fork = multiprocessing.get_context("fork")
        children = [
            fork.Process(target=_emit_in_child, args=[emitter, number]) for number in range(4)
        ]
        for child in children:
            child.start()
        for child in children:
            child.join()
            assert child.exitcode == 0
        stop.set()
        busy.join()
        assert emitter.flush(60)
        assert emitter.refused() == []
    with host.client(namespace) as client:
        stored: set[str] = set()
        cursor = None
        while True:
            answer = client.get_httpx_client().get(
                "/v1/events", params={"limit": 200, **({"cursor": cursor} if cursor else {})}
            )
            page = answer.json()
            stored.update(one["event"]["id"] for one in page["data"])
            cursor = page["next_cursor"]
            if not cursor:
                break
    assert {f"child-{c}/{n}" for c in range(4) for n in range(50)} <= stored


def _emit_in_child(emitter: Emitter, child: int) -> None:
    for number in range(50):
        emitter.emit("t", id=f"child-{child}/{number}")
    emitter.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_that_ends_at_once_takes_nothing_from_its_parent(outbox: Path) -> None:
    with answering(receipt) as stranger, Emitter(stranger.url, "exo_key", outbox=outbox) as emitter:
        emitter.emit("t", id="1")
        assert emitter.flush(60)
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        assert emitter.status().is_sending
        emitter.emit("t", id="2")
        assert emitter.flush(60)
    assert [event["id"] for event in stranger.taken] == ["1", "2"]


def test_two_emitters_in_one_process_do_not_both_send(outbox: Path) -> None:
    with (
        answering(receipt) as stranger,
        Emitter(stranger.url, "exo_key", outbox=outbox) as one,
        Emitter(stranger.url, "exo_key", outbox=outbox) as other,
    ):
        for number in range(100):
            (one if number % 2 else other).emit("t", id=str(number))
        assert one.flush(60)
        assert [event["id"] for event in stranger.taken] == [str(n) for n in range(100)]
        assert one.status().is_sending != other.status().is_sending


def test_those_that_make_the_file_at_the_same_moment_agree(tmp_path: Path) -> None:
    for number in range(30):
        path = tmp_path / f"{number}.outbox"
        boxes = [Outbox(path, max_events=1000, max_bytes=10_000) for _ in range(8)]
        start = threading.Barrier(len(boxes))

        def put(box: Outbox, start: threading.Barrier = start) -> None:
            start.wait()
            box.settle(box.enqueue([b"x"]))

        threads = [threading.Thread(target=put, args=[box]) for box in boxes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert boxes[0].totals()[0] == len(boxes)
        for box in boxes:
            box.close()
