"""The promise: an event that was emitted arrives once, whatever ends in between. Real host, real
receiver, real processes that are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from exosphere_alerts import Emitter

from .conftest import Told
from .support.eventually import eventually
from .support.host import Host
from .support.manual_clock import ManualClock
from .support.receiver import Receiver


def told_by(host: Host, namespace: str, receiver: Receiver) -> None:
    endpoint = host.alert_on(namespace, "night.*", receiver.url)
    assert isinstance(endpoint.secret, str)
    receiver.secret = endpoint.secret


def each_once(receiver: Receiver, ids: set[str]) -> None:
    eventually(lambda: len(receiver.event_ids()) >= len(ids), f"{len(ids)} alerts")
    counts = Counter(receiver.event_ids())
    assert set(counts) == ids, "none is lost, and none is another's"
    assert not [one for one, count in counts.items() if count > 1], "none is doubled"
    assert receiver.refused == []


def test_what_is_emitted_while_the_host_is_not_there_arrives_once_when_it_comes(
    own_host: Host, namespace: str, outbox: Path, receiver: Receiver
) -> None:
    own_host.start()
    told_by(own_host, namespace, receiver)
    own_host.kill()
    ids = {f"night/{number}" for number in range(200)}
    with Emitter(own_host.url, own_host.key, outbox=outbox, namespace=namespace) as emitter:
        for one in sorted(ids):
            emitter.emit("night.fell", {"n": one}, id=one)
        eventually(lambda: emitter.status().trouble is not None, "the outage is noticed")
        assert emitter.status().waiting == len(ids)
        own_host.start()
        assert emitter.flush(60)
        assert emitter.status().waiting == 0
        each_once(receiver, ids)


def test_an_hour_without_the_host_costs_few_tries_and_no_event(
    own_host: Host, namespace: str, outbox: Path, receiver: Receiver
) -> None:
    own_host.start()
    told_by(own_host, namespace, receiver)
    own_host.kill()
    clock = ManualClock()
    ids = set()
    emitter = Emitter(
        own_host.url,
        own_host.key,
        outbox=outbox,
        namespace=namespace,
        clock=clock,
        random=Random(7),
    )
    with emitter:
        tries = 0
        while clock.monotonic_s() < 3600:
            one = f"night/{tries}"
            emitter.emit("night.fell", id=one)
            ids.add(one)
            clock.move_to_next_wait()
            tries += 1
        assert 60 <= tries <= 130, "every 30 to 60 seconds, after the first ones"
        assert emitter.status().waiting == len(ids)
        own_host.start()
        # The pause that is going on, and no more.
        clock.move_to_next_wait()
        eventually(lambda: emitter.status().waiting == 0, "all of it left")
        each_once(receiver, ids)


CHILD = """
import sys
from exosphere_alerts import Emitter
url, key, outbox, namespace, name = sys.argv[1:]
with Emitter(url, key, outbox=outbox, namespace=namespace) as emitter:
    for number in range(10_000):
        id = f"{name}/{number}"
        emitter.emit("night.fell", {"n": number}, id=id)
        # Said after it was stored, so whoever reads it may rely on it.
        print(id, flush=True)
"""


def test_processes_that_are_killed_while_they_send_lose_and_double_nothing(
    host: Host, namespace: str, outbox: Path, told: Told
) -> None:
    receiver = told("night.*")
    chance = random.Random(11)
    said: set[str] = set()
    for round_number in range(6):
        arguments = [host.url, host.key, str(outbox), namespace, f"round-{round_number}"]
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        dies_after = chance.randint(20, 120)
        for _ in range(dies_after):
            said.add(child.stdout.readline().strip())
        os.kill(child.pid, signal.SIGKILL)
        said.update(line.strip() for line in child.stdout if line.endswith("\n"))
        child.stdout.close()
        child.wait()
    with Emitter(host.url, host.key, outbox=outbox, namespace=namespace) as emitter:
        assert emitter.flush(60)
    # The one at which a process died may be stored, and was not said.
    eventually(lambda: said <= set(receiver.event_ids()), "all that was said")
    counts = Counter(receiver.event_ids())
    assert all(count == 1 for count in counts.values())
    assert len(set(counts) - said) <= 6


def test_a_sender_that_dies_after_the_host_took_a_batch_sends_it_again_and_nobody_notices(
    host: Host, namespace: str, outbox: Path, told: Told
) -> None:
    receiver = told("night.*")
    ids = {f"night/{number}" for number in range(50)}
    # The same file twice, as it was before and after: a process that sent all and forgot it.
    with Emitter(host.url, host.key, outbox=outbox, namespace=namespace) as emitter:
        for one in sorted(ids):
            emitter.emit("night.fell", id=one)
        assert emitter.flush(60)
    with Emitter(host.url, host.key, outbox=outbox, namespace=namespace) as emitter:
        for one in sorted(ids):
            emitter.emit("night.fell", id=one)
        assert emitter.flush(60)
    each_once(receiver, ids)


def test_a_host_that_is_killed_while_batches_arrive_gets_each_event_once(
    own_host: Host, namespace: str, outbox: Path, receiver: Receiver
) -> None:
    own_host.start()
    told_by(own_host, namespace, receiver)
    ids = {f"night/{number}" for number in range(300)}
    with Emitter(own_host.url, own_host.key, outbox=outbox, namespace=namespace) as emitter:
        for number, one in enumerate(sorted(ids)):
            emitter.emit("night.fell", id=one)
            if number in (100, 200):
                own_host.kill()
                own_host.start()
        assert emitter.flush(60)
    eventually(lambda: set(receiver.event_ids()) >= ids, "all of them")
    # A host that is killed sends again what it does not know to be delivered; the alert has the
    # same id, by which a receiver knows it.
    alerts = {alert["id"]: alert["event"]["id"] for alert in receiver.alerts}
    assert len(alerts) == len(ids)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
def test_another_process_sends_as_soon_as_the_one_that_sent_is_gone(
    host: Host, namespace: str, outbox: Path, told: Told
) -> None:
    receiver = told("night.*")
    idle = "import sys,time; from exosphere_alerts import Emitter; "
    idle += "e = Emitter(*sys.argv[1:3], outbox=sys.argv[3], namespace=sys.argv[4]); "
    idle += (
        "e.emit('night.fell', id='first'); e.flush(); print('sent', flush=True); time.sleep(600)"
    )
    arguments = [host.url, host.key, str(outbox), namespace]
    child = subprocess.Popen(
        [sys.executable, "-c", idle, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "sent\n"
    # Stopped, it holds the right to send and does nothing with it.
    os.kill(child.pid, signal.SIGSTOP)
    with Emitter(host.url, host.key, outbox=outbox, namespace=namespace) as emitter:
        emitter.emit("night.fell", id="second")
        assert not emitter.status().is_sending
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert emitter.flush(60)
        assert emitter.status().is_sending
    each_once(receiver, {"first", "second"})
