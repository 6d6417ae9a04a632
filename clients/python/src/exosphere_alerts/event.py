"""An event before it is stored: made complete, and checked as the host would check it,
so that what is wrong is told to the caller and not hours later to a log."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from .errors import InvalidEvent

MAX_EVENT_BYTES = 256 * 1024
"""The host's own limit."""
MAX_ATTRIBUTE_BYTES = 512
"""The host's own limit for `id`, `source`, `type` and `subject`."""
MAX_DEPTH = 100
"""Of lists and objects in `data`: below the host's 128, with its own levels around."""

_EXTENSION_NAME = re.compile(r"[a-z0-9]{1,20}")
_OWN_NAMES = frozenset(
    [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "namespace",
        "data",
        "data_base64",
        "datacontenttype",
        "dataschema",
    ]
)


@dataclass(frozen=True)
class Event:
    """A CloudEvent to be. What is left out is filled in when it is emitted: `id` with a
    random one, `time` with the present, `source` and `namespace` with the emitter's."""

    type: str
    data: Any = None
    id: str | None = None
    source: str | None = None
    subject: str | None = None
    time: datetime | None = None
    namespace: str | None = None
    extensions: Mapping[str, str | int | bool] = field(default_factory=dict)


def encode(event: Event, *, source: str, namespace: str | None, now: datetime) -> bytes:
    """The event's JSON, the same bytes in every try to send it.

    Raises:
        InvalidEvent: The host would refuse it.
    """
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": _text("id", event.id if event.id is not None else str(uuid.uuid4())),
        "source": _text("source", event.source if event.source is not None else source),
        "type": _text("type", event.type),
        "time": timestamp(event.time if event.time is not None else now),
    }
    if event.subject is not None:
        attributes["subject"] = _text("subject", event.subject)
    whose = event.namespace if event.namespace is not None else namespace
    if whose is not None:
        attributes["namespace"] = _text("namespace", whose)
    for name, value in event.extensions.items():
        if name in _OWN_NAMES or not _EXTENSION_NAME.fullmatch(name):
            raise InvalidEvent(
                f"{name!r} cannot be an extension attribute: use up to 20 lower-case letters and "
                "digits that are no attribute of CloudEvents, or put the value into `data`"
            )
        if not isinstance(value, (str, int, bool)):
            raise InvalidEvent(f"the attribute {name!r} must be a text, a whole number or a bool")
        attributes[name] = value
    if event.data is not None:
        _check(event.data, "data", 0)
        attributes["data"] = event.data
    try:
        text = json.dumps(attributes, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        body = text.encode()
    except UnicodeEncodeError as error:
        raise InvalidEvent("a text in the event holds half a surrogate pair") from error
    if len(body) > MAX_EVENT_BYTES:
        raise InvalidEvent(
            f"the event is {len(body)} bytes long and may have {MAX_EVENT_BYTES}: leave out of `data` "
            "what no rule looks at"
        )
    return body


def timestamp(time: datetime) -> str:
    """RFC 3339 in UTC.

    Raises:
        InvalidEvent: It has no zone, so nobody could tell when it is.
    """
    if not isinstance(time, datetime):
        raise InvalidEvent(f"a time must be a datetime, not {type(time).__name__}")
    if time.utcoffset() is None:
        raise InvalidEvent(
            f"the time {time.isoformat()} has no zone and is ambiguous: use datetime.now(timezone.utc)"
        )
    try:
        return time.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    except OverflowError as error:
        raise InvalidEvent(f"the time {time.isoformat()} is outside of the calendar") from error


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidEvent(f"`{name}` must be a text that is not empty")
    if len(value.encode("utf-8", "surrogatepass")) > MAX_ATTRIBUTE_BYTES:
        raise InvalidEvent(f"`{name}` may have {MAX_ATTRIBUTE_BYTES} bytes")
    if "\0" in value:
        raise InvalidEvent(f"`{name}` must not hold a NUL character")
    return value


def _check(value: object, place: str, depth: int) -> None:
    """JSON as all readers understand it: Python's writer would make a text of a key that is a
    number, so `{1: …, "1": …}` would hold one name twice."""
    if value is None or isinstance(value, (str, bool, int)):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidEvent(f"{place} is {value}, which JSON cannot say")
        return
    if depth == MAX_DEPTH:
        raise InvalidEvent(f"{place} is more than {MAX_DEPTH} lists and objects deep")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InvalidEvent(f"{place} has the key {key!r}, which is not a text")
            _check(item, f"{place}.{key}", depth + 1)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _check(item, f"{place}[{index}]", depth + 1)
    else:
        raise InvalidEvent(
            f"{place} is a {type(value).__name__}: make a text, number, list or dict of it"
        )
