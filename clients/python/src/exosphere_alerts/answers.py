"""What an answer of the host means for the events that were posted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

_PLACE = re.compile(r"/(\d{1,6})(/.*)?")
_EVENT_KINDS = frozenset({"invalid-request", "malformed-json", "too-large"})
"""Problems that are the events' own; all others are the host's, the network's or the key's."""
_NAMESPACE_KINDS = frozenset({"forbidden", "namespace-required"})
"""These are an event's own where it names its namespace itself."""
MAX_DETAIL = 500
"""Of an answer, in a log line or in the table of refused events."""


@dataclass(frozen=True)
class Answer:
    """What came back, or did not."""

    status: int
    headers: Mapping[str, str]
    """With lower-case names."""
    body: bytes


@dataclass(frozen=True)
class Accepted:
    """All are on the host's disk."""


@dataclass(frozen=True)
class EventsRefused:
    """Some can never be accepted, and so none was. `places` says which, with the reason for each;
    it is empty where the host named none."""

    places: Mapping[int, str]
    detail: str
    status: int
    is_about_namespace: bool = False


@dataclass(frozen=True)
class NotNow:
    """Nothing is wrong with the events: keep them, and try again."""

    reason: str
    retry_after_s: float | None = None


Verdict = Accepted | EventsRefused | NotNow


def judge(answer: Answer, sent: int, now: datetime) -> Verdict:
    """What to do after posting so many events."""
    if answer.status == 202:
        if _is_receipt(answer.body, sent):
            return Accepted()
        return NotNow("something else than Exosphere Alerts answers at this address")
    if answer.status in (429, 503):
        return NotNow(_told(answer), _retry_after_s(answer.headers.get("retry-after"), now))
    problem = _problem(answer)
    kind = str(problem.get("type", "")).rpartition("/")[2]
    if kind in _EVENT_KINDS or kind in _NAMESPACE_KINDS:
        places = _places(problem, sent)
        about_namespace = kind in _NAMESPACE_KINDS
        # A key that may post no events at all is told with no place.
        if places or not about_namespace:
            return EventsRefused(places, _told(answer), answer.status, about_namespace)
    return NotNow(f"{_told(answer)}{_advice(answer.status, kind)}")


def _is_receipt(body: bytes, sent: int) -> bool:
    """Another service may answer 202 as well; events are forgotten for a real receipt only."""
    receipt = _json(body)
    events = receipt.get("events")
    return isinstance(events, list) and len(events) == sent and "accepted" in receipt


def _advice(status: int, kind: str) -> str:
    if status == 401:
        return "; set a key that is valid (ALERTS_KEY)"
    if kind == "namespace-required":
        return "; with a platform key, set the namespace (ALERTS_NAMESPACE)"
    if status == 403:
        return "; use a platform key, or an editor's of this namespace"
    if kind == "" and (300 <= status < 500):
        return "; is this the address of Exosphere Alerts (ALERTS_URL)?"
    return ""


def _places(problem: Mapping[str, Any], sent: int) -> dict[int, str]:
    places: dict[int, str] = {}
    errors = problem.get("errors")
    for error in errors if isinstance(errors, list) else []:
        pointer = error.get("pointer") if isinstance(error, dict) else None
        match = _PLACE.fullmatch(pointer) if isinstance(pointer, str) else None
        if match and int(match[1]) < sent:
            where = match[2] or "/"
            places.setdefault(int(match[1]), f"{where}: {error.get('detail', '')}"[:MAX_DETAIL])
    return places


def _told(answer: Answer) -> str:
    detail = _problem(answer).get("detail")
    said = f": {detail}" if isinstance(detail, str) else ""
    return f"the host answered {answer.status}{said}"[:MAX_DETAIL]


def _problem(answer: Answer) -> dict[str, Any]:
    media = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return _json(answer.body) if media == "application/problem+json" else {}


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds, or an HTTP date. Anything else says nothing."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=timezone.utc)
    return (at - now).total_seconds()
