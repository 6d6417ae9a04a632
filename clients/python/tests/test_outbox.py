"""The outbox on its own: its bounds, its file, its threads. Real disk, and a real full one."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from exosphere_alerts import DiskFull, Emitter, OutboxError, OutboxFull
from exosphere_alerts import outbox as module
from exosphere_alerts.outbox import Outbox, Refused

from .support.eventually import eventually
from .support.host import Host, free_port
from .support.stranger import answering, receipt


def box(path: Path, max_events: int = 1000, max_bytes: int = 1_000_000) -> Outbox:
    return Outbox(path, max_events=max_events, max_bytes=max_bytes)


def put(outbox: Outbox, *bodies: bytes) -> int:
    return outbox.settle(outbox.enqueue(list(bodies)))


def unreachable() -> str:
    return f"http://127.0.0.1:{free_port()}"


def test_more_events_than_may_wait_are_refused_with_what_to_do(outbox: Path) -> None:
    stored = box(outbox, max_events=3)
    put(stored, b"1", b"2")
    with pytest.raises(OutboxFull, match="2 events with 2 bytes wait, and 3 events"):
        put(stored, b"3", b"4")
    put(stored, b"3")
    stored.remove(1)
    put(stored, b"4")
    assert [one.body for one in stored.head(10, 100)] == [b"2", b"3", b"4"]
    stored.close()


def test_more_bytes_than_may_wait_are_refused(outbox: Path) -> None:
    stored = box(outbox, max_bytes=10)
    put(stored, b"12345678")
    with pytest.raises(OutboxFull, match="max_bytes"):
        put(stored, b"123")
    put(stored, b"12")
    assert stored.totals() == (2, 10, 0)
    stored.close()


def test_one_that_finds_no_room_fails_alone(outbox: Path) -> None:
    stored = box(outbox, max_events=2)
    tickets = [stored.enqueue([b"1", b"2", b"3"]), stored.enqueue([b"4"])]
    assert stored.settle(tickets[1]) == 1
    with pytest.raises(OutboxFull):
        stored.settle(tickets[0])
    assert [one.body for one in stored.head(10, 100)] == [b"4"]
    stored.close()


def test_what_the_head_of_the_queue_holds_is_bounded_and_never_nothing(outbox: Path) -> None:
    stored = box(outbox)
    put(stored, b"x" * 100, b"y" * 100, b"z")
    assert [one.seq for one in stored.head(10, 50)] == [1]
    assert [one.seq for one in stored.head(10, 202)] == [1, 2]
    assert [one.seq for one in stored.head(1, 1000)] == [1]
    stored.close()


def test_the_oldest_refused_events_make_room(outbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REFUSED", 2)
    stored = box(outbox)
    put(stored, b"1", b"2", b"3")
    refused = [Refused(one.seq, one.body, 400, "", "") for one in stored.head(10, 100)]
    assert stored.set_aside(refused) == 1
    assert [one.body for one in stored.refused(10)] == [b"3", b"2"]
    assert stored.totals() == (0, 0, 2)
    stored.close()


def test_threads_that_write_together_share_their_wait_for_the_disk(outbox: Path) -> None:
    stored = box(outbox)
    groups = 0
    write = stored._write_group

    def counted() -> None:
        nonlocal groups
        groups += 1
        write()

    stored._write_group = counted  # type: ignore[method-assign]

    def settle_many() -> None:
        for _ in range(25):
            put(stored, b"x")

    threads = [threading.Thread(target=settle_many) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stored.totals()[0] == 400
    assert groups < 200, "fewer than half as many waits as events"
    stored.close()


def test_coroutines_that_emit_together_are_all_stored(outbox: Path) -> None:
    async def emit_all() -> None:
        async with Emitter(unreachable(), "exo_key", outbox=outbox) as emitter:
            await asyncio.gather(*(emitter.aemit("t", id=str(n)) for n in range(1000)))
            assert emitter.status().waiting == 1000
            async with emitter.run("graph"):
                pass
            assert not await emitter.aflush(0.01)

    asyncio.run(emit_all())
    stored = box(outbox)
    assert stored.totals()[0] == 1002
    stored.close()


def test_an_emitter_that_is_closed_says_so(outbox: Path) -> None:
    emitter = Emitter(unreachable(), "exo_key", outbox=outbox)
    emitter.close()
    emitter.close()
    with pytest.raises(OutboxError, match="closed"):
        emitter.emit("t")


def test_only_its_owner_reads_the_outbox(outbox: Path) -> None:
    path = outbox.parent / "folder" / "alerts.outbox"
    stored = box(path)
    put(stored, b"1")
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
    assert path.parent.stat().st_mode & 0o077 == 0
    stored.close()


def test_a_file_that_is_no_outbox_is_told_and_left_alone(outbox: Path) -> None:
    outbox.write_bytes(b"letters to my grandmother" * 100)
    with (
        Emitter(unreachable(), "exo_key", outbox=outbox) as emitter,
        pytest.raises(OutboxError, match="move it away"),
    ):
        emitter.emit("t")
    assert outbox.read_bytes().startswith(b"letters")


def test_a_file_of_a_newer_version_is_told_and_left_alone(outbox: Path) -> None:
    with sqlite3.connect(outbox) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    stored = box(outbox)
    with pytest.raises(OutboxError, match="format 9"):
        put(stored, b"1")


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    stored = box(tmp_path / "file" / "alerts.outbox")
    with pytest.raises(OutboxError, match="folder"):
        put(stored, b"1")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a megabyte, where this machine lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


def test_a_full_disk_is_told_and_what_was_stored_before_it_is_sent(small_disk: Path) -> None:
    path, others = small_disk / "alerts.outbox", small_disk / "somebody-elses"
    others.write_bytes(b"x" * 300_000)
    port, stored = free_port(), 0
    with Emitter(f"http://127.0.0.1:{port}", "exo_key", outbox=path) as emitter:
        told = ""
        while not told:
            try:
                emitter.emit("t", "x" * 10_000, id=str(stored))
                stored += 1
            except DiskFull as error:
                told = str(error)
        assert "make room on its disk" in told
        assert stored > 10
        with answering(receipt, port) as stranger:
            # All of it is read and sent, and forgotten once there is room to write that down.
            eventually(lambda: len(stranger.taken) >= stored, "all that was stored")
            others.unlink()
            emitter.emit("t", id="after")
            assert emitter.flush(60)
            ids = [event["id"] for event in stranger.taken]
            assert ids == [*(str(number) for number in range(stored)), "after"]


def test_what_a_full_disk_does_not_take_the_host_may(
    small_disk: Path, host: Host, namespace: str
) -> None:
    path = small_disk / "alerts.outbox"
    with Emitter(host.url, host.key, outbox=path, namespace=namespace) as emitter:
        emitter.emit("t", id="stored")
        assert emitter.flush(60)
        fill(small_disk / "somebody-elses")
        # More than the pages that are free inside of the file.
        emitter.emit("t", "x" * 200_000, id="sent at once")
        assert emitter.status().waiting == 0
        with host.client(namespace) as client:
            page = client.get_httpx_client().get("/v1/events").json()
        assert {one["event"]["id"] for one in page["data"]} == {"stored", "sent at once"}


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return


LIMITED = """
import resource, signal, sys
from exosphere_alerts import DiskFull, Emitter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
emitter = Emitter(sys.argv[1], "exo_key", outbox=sys.argv[2])
emitter.emit("t")
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    emitter.emit("t", "x" * 240_000)
except DiskFull as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
emitter.emit("t")
print(emitter.status().waiting)
emitter.close()
"""


def test_a_disk_that_cannot_be_written_is_told_and_works_again_once_it_can(outbox: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", LIMITED, unreachable(), str(outbox)],
        capture_output=True,
        text=True,
        check=True,
    )
    error, waiting = told.stdout.splitlines()
    assert "could not be written" in error
    assert waiting == "2"


def test_the_file_gets_smaller_when_a_long_queue_has_left(outbox: Path) -> None:
    stored = box(outbox, max_bytes=100_000_000)
    put(stored, *[b"x" * 10_000] * 1000)
    stored.remove(1000)
    stored.shrink()
    stored.close()
    assert outbox.stat().st_size < 1_000_000
