"""What the sender makes of each answer, over real sockets; answers that the real host gives at will
are asked of the real host."""

from __future__ import annotations

import json
import logging
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from exosphere_alerts import Emitter, Refused, SettingError, Trouble
from exosphere_alerts.answers import Answer, EventsRefused, NotNow, judge
from exosphere_alerts.backoff import LONGEST_S, MAX_RETRY_AFTER_S, Backoff
from exosphere_alerts.outbox import Outbox
from exosphere_alerts.sender import MAX_BATCH_BYTES, MAX_BATCH_EVENTS

from .support.eventually import eventually
from .support.host import Host, free_port
from .support.manual_clock import START, ManualClock
from .support.stranger import Reply, answering, problem, receipt

Events = list[dict[str, Any]]


def emitter_to(url: str, outbox: Path, clock: ManualClock | None = None, **more: Any) -> Emitter:
    random = Random(5)
    return Emitter(url, "exo_key", outbox=outbox, namespace="n", clock=clock, random=random, **more)


def stored(outbox: Path, ids: list[str], data: str = "") -> None:
    """What an earlier process left behind."""
    box = Outbox(outbox, max_events=10_000, max_bytes=100_000_000)
    events = [
        {
            "specversion": "1.0",
            "id": one,
            "source": "/s",
            "type": "t",
            "namespace": "n",
            "data": data,
        }
        for one in ids
    ]
    box.settle(box.enqueue([json.dumps(event).encode() for event in events]))
    box.close()


def ids(events: Events) -> list[str]:
    return [event["id"] for event in events]


def test_each_batch_is_posted_once_and_is_as_large_as_the_host_takes(outbox: Path) -> None:
    wanted = [str(number) for number in range(2 * MAX_BATCH_EVENTS + 1)]
    stored(outbox, wanted)
    with answering(receipt) as stranger, emitter_to(stranger.url, outbox) as emitter:
        assert emitter.flush(60)
        assert [len(batch) for batch in stranger.batches] == [1000, 1000, 1]
        assert ids(stranger.taken) == wanted


def test_a_batch_stays_below_the_bytes_that_the_host_takes(outbox: Path) -> None:
    stored(outbox, [str(number) for number in range(90)], "x" * 200_000)
    with answering(receipt) as stranger, emitter_to(stranger.url, outbox) as emitter:
        assert emitter.flush(60)
        assert len(stranger.batches) == 3
        assert max(map(len, stranger.bodies)) <= MAX_BATCH_BYTES


def test_events_that_the_host_points_to_are_set_aside_and_the_others_go_on(
    outbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(events: Events) -> Reply:
        bad = [f"/{n}/data/x" for n, one in enumerate(events) if "bad" in one["id"]]
        return problem(400, "invalid-request", "two are wrong", bad) if bad else receipt(events)

    told: list[Refused] = []
    stored(outbox, ["1", "bad-2", "3", "bad-4", "5"])
    with (
        answering(answer) as stranger,
        emitter_to(stranger.url, outbox, on_refused=told.append) as emitter,
    ):
        assert emitter.flush(60)
        assert ids(stranger.taken) == ["1", "3", "5"]
        assert len(stranger.batches) == 2
        assert [json.loads(one.body)["id"] for one in emitter.refused()] == ["bad-4", "bad-2"]
        assert emitter.refused()[0].detail == "/data/x: is wrong"
        assert [one.status for one in told] == [400, 400]
    assert "refused event bad-2" in caplog.text


def test_an_event_that_the_host_does_not_point_to_is_found_by_halves(outbox: Path) -> None:
    def answer(events: Events) -> Reply:
        is_bad = "bad" in ids(events)
        return (
            problem(413, "too-large", "more deliveries than may be") if is_bad else receipt(events)
        )

    wanted = [str(number) for number in range(700)]
    stored(outbox, [*wanted[:500], "bad", *wanted[500:]])
    with answering(answer) as stranger, emitter_to(stranger.url, outbox) as emitter:
        assert emitter.flush(60)
        assert ids(stranger.taken) == wanted
        assert [json.loads(one.body)["id"] for one in emitter.refused()] == ["bad"]
        assert len(stranger.batches) < 40


def test_the_real_host_refuses_one_and_gets_the_others(
    host: Host, namespace: str, outbox: Path
) -> None:
    box = Outbox(outbox, max_events=100, max_bytes=1_000_000)
    good = '{"specversion":"1.0","id":"%s","source":"/s","type":"t","namespace":"%s"}'
    bodies = [
        (good % ("1", namespace)).encode(),
        b'{"specversion":"0.3","id":"wrong-version","source":"/s","type":"t"}',
        b'{"specversion":"1.0","id":"twice","source":"/s","type":"t","data":{"a":1,"a":2}}',
        (good % ("2", namespace)).encode(),
    ]
    box.settle(box.enqueue(bodies))
    box.close()
    with Emitter(host.url, host.key, outbox=outbox, namespace=namespace) as emitter:
        assert emitter.flush(60)
        assert [json.loads(one.body)["id"] for one in emitter.refused()] == [
            "twice",
            "wrong-version",
        ]
        assert "/data/a" in emitter.refused()[0].detail
        # Mended on the host's side or not: it can be tried again, and is refused again.
        assert emitter.retry_refused() == 2
        assert emitter.flush(60)
        assert emitter.status().refused == 2
        assert emitter.drop_refused() == 2
        assert emitter.status().refused == 0


def test_an_event_for_another_namespace_is_set_aside_by_the_real_host(
    host: Host, namespace: str, outbox: Path
) -> None:
    from exosphere_alerts.api.api.api_keys import create_api_key
    from exosphere_alerts.api.models import CreatedApiKey, NewApiKey

    with host.client(namespace) as client:
        made = create_api_key.sync(client=client, body=NewApiKey(name="Emitter", role="editor"))
    assert isinstance(made, CreatedApiKey), made
    with Emitter(host.url, made.key, outbox=outbox, namespace=namespace) as emitter:
        emitter.emit("t", id="foreign", namespace="another")
        emitter.emit("t", id="own")
        assert emitter.flush(60)
        assert [json.loads(one.body)["id"] for one in emitter.refused()] == ["foreign"]


def test_a_key_of_another_namespace_keeps_every_event_until_the_setting_is_mended(
    host: Host, namespace: str, outbox: Path
) -> None:
    from exosphere_alerts.api.api.api_keys import create_api_key
    from exosphere_alerts.api.models import CreatedApiKey, NewApiKey

    with host.client(f"{namespace}-other") as client:
        made = create_api_key.sync(client=client, body=NewApiKey(name="Emitter", role="editor"))
    assert isinstance(made, CreatedApiKey), made
    told: list[Trouble] = []
    with Emitter(
        host.url, made.key, outbox=outbox, namespace=namespace, on_trouble=told.append
    ) as emitter:
        emitter.emit("t")
        eventually(lambda: bool(told), "the trouble is told")
        assert "ALERTS_NAMESPACE" in told[0].reason
    with Emitter(host.url, host.key, outbox=outbox, namespace=namespace) as emitter:
        assert emitter.flush(60)
        assert emitter.status().refused == 0


@pytest.mark.parametrize(
    ("key", "namespace", "said"),
    [("exo_wrong", "n", "set a key that is valid"), (None, None, "set the namespace")],
)
def test_the_real_hosts_no_to_a_setting_is_told_and_keeps_the_event(
    host: Host,
    outbox: Path,
    key: str | None,
    namespace: str | None,
    said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[Trouble] = []
    with Emitter(
        host.url, key or host.key, outbox=outbox, namespace=namespace, on_trouble=told.append
    ) as emitter:
        emitter.emit("t")
        eventually(lambda: bool(told), "the trouble is told")
        assert said in told[0].reason
        assert emitter.status().waiting == 1
        assert emitter.status().trouble == told[0]
    assert host.key not in caplog.text


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>Welcome</html>", {"content-type": "text/html"}),
        Reply(202, b"accepted"),
        Reply(202, b'{"accepted": 1, "events": []}'),
        Reply(204),
        Reply(301, headers={"location": "http://127.0.0.1:1/elsewhere"}),
        Reply(400, b"<html>Bad Request</html>", {"content-type": "text/html"}),
        Reply(404, b"no such page"),
        Reply(413, b"nginx"),
        Reply(500, b"[" * 100_000, {"content-type": "application/problem+json"}),
        Reply(
            400,
            b'{"type": 7, "errors": [{"pointer": "/99999/x"}, 8, {}]}',
            {"content-type": "application/problem+json"},
        ),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body[:12]!r}",
)
def test_another_service_at_the_address_gets_no_event_forgotten(outbox: Path, reply: Reply) -> None:
    told: list[Trouble] = []
    with (
        answering(lambda _: reply) as stranger,
        emitter_to(stranger.url, outbox, ManualClock(), on_trouble=told.append) as emitter,
    ):
        emitter.emit("t")
        eventually(lambda: bool(told), "the trouble is told")
        assert emitter.status().waiting == 1
        assert emitter.status().refused == 0
        assert len(stranger.batches) >= 1


def first_pause_s(answer: Callable[[Events], Reply], outbox: Path) -> float:
    clock = ManualClock()
    with answering(answer) as stranger, emitter_to(stranger.url, outbox, clock) as emitter:
        eventually(lambda: emitter.status().trouble is not None, "the pause begins")
        pause_s = clock.move_to_next_wait()
        eventually(lambda: len(stranger.batches) == 2, "it is tried again")
        return pause_s


@pytest.mark.parametrize(
    ("retry_after", "least_s", "most_s"),
    [
        ("120", 120, 132),
        ("Sat, 31 Jan 2026 02:05:00 GMT", 300, 330),
        ("99999999999999999999", MAX_RETRY_AFTER_S, MAX_RETRY_AFTER_S * 1.1),
        ("soon", 0.25, 0.5),
        ("-5", 0.25, 0.5),
        ("Sat, 31 Jan 1970 02:05:00 GMT", 0.25, 0.5),
    ],
)
def test_retry_after_is_honoured_up_to_a_bound(
    outbox: Path, retry_after: str, least_s: float, most_s: float
) -> None:
    reply = problem(429, "too-many-attempts", "slowly")
    reply = Reply(reply.status, reply.body, {**reply.headers, "retry-after": retry_after})
    stored(outbox, ["1"])
    assert least_s <= first_pause_s(lambda _: reply, outbox) <= most_s


def test_pauses_grow_to_a_minute_and_no_two_senders_keep_step() -> None:
    one, other = Backoff(Random(1)), Backoff(Random(2))
    pauses = [(one.failed(None), other.failed(None)) for _ in range(2000)]
    assert all(a != b for a, b in pauses[:20])
    assert max(max(pair) for pair in pauses) <= LONGEST_S
    assert min(min(pair) for pair in pauses[10:]) >= LONGEST_S / 2
    one.succeeded()
    assert one.failed(None) <= 0.5


def test_new_events_do_not_make_it_ask_a_host_in_trouble_sooner(outbox: Path) -> None:
    clock = ManualClock()
    with (
        answering(lambda _: Reply(503)) as stranger,
        emitter_to(stranger.url, outbox, clock) as emitter,
    ):
        emitter.emit("t")
        eventually(lambda: emitter.status().trouble is not None, "the pause begins")
        for _ in range(20):
            emitter.emit("t")
        clock.move_to_next_wait()
        eventually(lambda: len(stranger.batches) == 2, "it is tried again")
        clock.move_to_next_wait()
        eventually(lambda: len(stranger.batches) == 3, "and again")
        assert len(stranger.batches[1]) > 1


def test_a_host_that_never_answers_does_not_keep_a_program_from_ending(outbox: Path) -> None:
    is_asked, may_answer = threading.Event(), threading.Event()

    def silent(events: Events) -> Reply:
        is_asked.set()
        may_answer.wait(60)
        return receipt(events)

    with answering(silent) as stranger:
        emitter = emitter_to(stranger.url, outbox, timeout_s=3600.0)
        emitter.emit("t")
        assert is_asked.wait(60)
        closing = threading.Thread(target=emitter.close, args=[0.01])
        closing.start()
        eventually(lambda: not closing.is_alive(), "it is closed while the request is on its way")
        assert not may_answer.is_set()
        may_answer.set()
    # What was not answered is still there.
    box = Outbox(outbox, max_events=10, max_bytes=10_000)
    assert box.totals()[0] == 1
    box.close()


def test_a_certificate_is_checked_and_a_private_authority_can_be_given(
    outbox: Path, tmp_path: Path
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    make += ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", str(key)]
    make += ["-addext", "subjectAltName=DNS:localhost", "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    with answering(receipt, tls=served) as stranger:
        url = stranger.url.replace("http://127.0.0.1", "https://localhost")
        with emitter_to(url, outbox) as emitter:
            emitter.emit("t", id="1")
            eventually(lambda: emitter.status().trouble is not None, "it is not trusted")
            assert "CERTIFICATE_VERIFY_FAILED" in str(emitter.status().trouble)
        trusted = ssl.create_default_context(cafile=str(certificate))
        with emitter_to(url, outbox, ssl_context=trusted) as emitter:
            assert emitter.flush(60)
        assert ids(stranger.taken) == ["1"]


def test_an_answer_without_an_end_is_cut(outbox: Path) -> None:
    huge = Reply(202, b"x" * (5 * 1024 * 1024))
    stored(outbox, ["1"])
    assert first_pause_s(lambda _: huge, outbox) <= 0.5


def test_trouble_is_logged_when_it_begins_and_every_ten_minutes(
    outbox: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "exosphere_alerts")
    clock = ManualClock()
    address = f"http://127.0.0.1:{free_port()}"
    with emitter_to(address, outbox, clock) as emitter:
        emitter.emit("t")
        while clock.monotonic_s() < 1750:
            clock.move_to_next_wait()
        told = [record for record in caplog.records if "events wait" in record.getMessage()]
        assert len(told) == 3
        assert "since 2026-01-31T02:00:00" in told[-1].getMessage()


def test_a_callback_that_fails_stops_nothing(outbox: Path) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("broken callback")

    answers = iter([Reply(500), problem(400, "invalid-request", "no", ["/0/id"])])

    def answer(events: Events) -> Reply:
        return next(answers, None) or receipt(events)

    stored(outbox, ["1", "2"])
    with (
        answering(answer) as stranger,
        emitter_to(stranger.url, outbox, on_refused=broken, on_trouble=broken) as emitter,
    ):
        assert emitter.flush(60)
        assert ids(stranger.taken) == ["2"]


def test_what_the_key_may_not_do_at_all_is_no_fault_of_an_event() -> None:
    reply = problem(403, "forbidden", "the key does not allow this")
    verdict = judge(Answer(reply.status, reply.headers, reply.body), 3, START)
    assert isinstance(verdict, NotNow)
    pointed = problem(403, "forbidden", "another namespace", ["/2/namespace"])
    verdict = judge(Answer(pointed.status, pointed.headers, pointed.body), 3, START)
    assert isinstance(verdict, EventsRefused)
    assert list(verdict.places) == [2]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "alerts.example.com",
        "ftp://a",
        "http://",
        "http://a:99999",
        "http://u:p@a",
        "http://a?x=1",
    ],
)
def test_an_address_that_cannot_be_right_is_refused_at_once(outbox: Path, url: str) -> None:
    with pytest.raises(SettingError, match="ALERTS_URL"):
        Emitter(url, "exo_key", outbox=outbox)


@pytest.mark.parametrize("key", ["", "exo key", "exo\r\nx-other: 1", "clé"])
def test_a_key_that_is_none_is_refused_at_once(outbox: Path, key: str) -> None:
    with pytest.raises(SettingError, match="ALERTS_KEY"):
        Emitter("http://127.0.0.1:1", key, outbox=outbox)


def test_the_key_is_not_shown(outbox: Path) -> None:
    with Emitter("http://127.0.0.1:1", "exo_secret", outbox=outbox) as emitter:
        assert "exo_secret" not in repr(emitter)
