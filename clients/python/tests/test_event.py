"""What could never be accepted is refused where it is emitted, by name."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from exosphere_alerts import Emitter, Event, InvalidEvent
from exosphere_alerts.event import MAX_DEPTH, MAX_EVENT_BYTES, encode

from .support.manual_clock import START


def encoded(event: Event) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(encode(event, source="/s", namespace="payments", now=START))
    return read


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def test_what_is_left_out_is_filled_in() -> None:
    event = encoded(Event("workflow.failed", {"n": 1}))
    assert event["source"] == "/s"
    assert event["namespace"] == "payments"
    assert event["time"] == "2026-01-31T02:00:00Z"
    assert len(event["id"]) == 36
    assert "subject" not in event


def test_a_time_is_told_in_utc() -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    time = datetime(2026, 1, 31, 12, 0, 0, 250_000, there)
    assert encoded(Event("t", time=time))["time"] == "2026-01-31T06:30:00.250000Z"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"a": [1, {"b": math.nan}]}, r"data\.a\[1\]\.b is nan"),
        ({"a": -math.inf}, r"data\.a is -inf"),
        ({1: "a", "1": "b"}, "has the key 1, which is not a text"),
        ({"a": datetime(2026, 1, 1)}, r"data\.a is a datetime"),
        ({"a": {1, 2}}, r"data\.a is a set"),
        ({"a": b"bytes"}, r"data\.a is a bytes"),
        ({"a": "\ud800"}, "half a surrogate pair"),
        (nested(MAX_DEPTH + 1), "deep"),
        ("x" * MAX_EVENT_BYTES, f"may have {MAX_EVENT_BYTES}"),
    ],
)
def test_data_that_is_no_json_to_everybody_is_pointed_to(data: object, said: str) -> None:
    with pytest.raises(InvalidEvent, match=said):
        encoded(Event("t", data))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"type": ""}, "`type` must be a text"),
        ({"type": 7}, "`type` must be a text"),
        ({"id": "x" * 513}, "`id` may have 512 bytes"),
        ({"id": "é" * 257}, "`id` may have 512 bytes"),
        ({"subject": "a\0b"}, "NUL"),
        ({"namespace": ""}, "`namespace` must be"),
        ({"time": datetime(2026, 1, 1)}, "has no zone"),
        ({"time": "2026-01-01T00:00:00Z"}, "must be a datetime, not str"),
        ({"time": datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))}, "calendar"),
        ({"extensions": {"Graph_Name": "x"}}, "'Graph_Name' cannot be an extension"),
        ({"extensions": {"data": "x"}}, "'data' cannot be an extension"),
        ({"extensions": {"trace": {"a": 1}}}, "'trace' must be a text"),
    ],
)
def test_attributes_are_checked_by_the_hosts_rules(wrong: Mapping[str, Any], said: str) -> None:
    with pytest.raises(InvalidEvent, match=said):
        encoded(Event(**{"type": "t", **wrong}))


def test_the_host_takes_what_passes_here_to_the_last_byte(emitter: Emitter) -> None:
    emitter.emit("t", {"deep": nested(MAX_DEPTH - 1), "text": "€ \x7f \u2028 \U0001f600"})
    emitter.emit("t", {"number": 10**40, "small": 5e-324, "large": 1.7e308, "zero": -0.0})
    emitter.emit("t" * 512, id="é" * 256, source="s" * 512, subject="x" * 512)
    emitter.emit("t", extensions={"traceparent": "00-abc", "sampled": True, "shard": 3})
    overhead = len(
        encode(
            Event("t", "", id="1" * 36),
            source=emitter.source,
            namespace=emitter.namespace,
            now=datetime.now(timezone.utc),
        )
    )
    emitter.emit("t", "x" * (MAX_EVENT_BYTES - overhead - 10))
    assert emitter.flush(60)
    assert emitter.refused() == []


def test_of_several_events_one_that_is_wrong_keeps_all_from_being_stored(emitter: Emitter) -> None:
    with pytest.raises(InvalidEvent):
        emitter.emit_events([Event("t"), Event("")])
    assert emitter.status().waiting == 0
