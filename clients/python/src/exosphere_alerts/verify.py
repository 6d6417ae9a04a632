"""For receivers: whether a request is a genuine alert of the host.

The host signs each request twice over, and one good signature is enough: the headers of Standard
Webhooks, or `X-Exosphere-Signature`. While a secret is being changed there are signatures by the
old one and by the new one.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypedDict, cast

from .errors import VerificationError

TOLERANCE_S = 300
"""How far the signature's time may be from ours: beyond, somebody may be replaying it."""
MAX_SIGNATURES = 16
"""Looked at in one header; the host sends four at most."""
_PREFIX = "whsec_"


class AlertRule(TypedDict):
    """The rule that fired; `id` is null for a test alert."""

    id: str | None
    name: str


class AlertEvent(TypedDict, total=False):
    """The event that led to the alert."""

    id: str
    source: str
    subject: str


class AlertWorkflow(TypedDict, total=False):
    """The run, as far as the event told."""

    graph_name: Any
    run_id: Any
    status: Any
    created_at: Any
    finished_at: Any
    duration_ms: Any
    success_count: Any
    pending_count: Any
    errored_count: Any
    retried_count: Any
    total_count: Any
    failed_state_id: Any
    node_name: Any
    identifier: Any


class _AlertAlways(TypedDict):
    version: str
    id: str
    type: str
    occurred_at: str
    namespace: str
    rule: AlertRule
    trigger: dict[str, Any]
    workflow: AlertWorkflow
    event: AlertEvent


class Alert(_AlertAlways, total=False):
    """The body of a request, version 1. The `id` is the same in every attempt: keep the ids of a
    day, and drop repeats. There may be fields that are not named here."""

    run_url: str
    data: Any


Headers = Mapping[str, str] | Iterable[tuple[str, str]]


def verify(
    secret: str | Sequence[str],
    body: bytes,
    headers: Headers,
    *,
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> Alert:
    """The alert in the request, once it is certain that the host sent it, and sent it now.

    Args:
        secret: The endpoint's, as it was shown: `whsec_…`. Or several, while it is being changed.
        body: The request's exact bytes, before anything parsed them.
        headers: The request's. Their case does not matter.
        tolerance_s: How far its time may be from ours.
        now: Unix seconds, in place of the clock's.

    Raises:
        VerificationError: It is not genuine, too old, or no alert. Answer with 401.
    """
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError("verify needs the body's exact bytes, not a text or what was parsed of it")
    body = bytes(body)
    secrets = [secret] if isinstance(secret, str) else list(secret)
    if not secrets or not all(secrets):
        raise ValueError("verify needs the endpoint's secret: whsec_…")
    found = _lower(headers)
    now = time.time() if now is None else now
    is_signed = "webhook-signature" in found or "x-exosphere-signature" in found
    if not is_signed:
        raise VerificationError("the request has no signature")
    is_late = False
    for scheme in (_standard(secrets, body, found), _own(secrets, body, found)):
        if scheme is None:
            continue
        seconds, is_good = scheme
        if is_good and abs(now - seconds) <= tolerance_s:
            return _alert(body)
        is_late = is_late or is_good
    if is_late:
        raise VerificationError(
            f"the signature is good, and its time is more than {tolerance_s:g} s from this clock: an "
            "old request is being repeated, or a clock is wrong"
        )
    raise VerificationError("no signature fits: another secret, or the body is not what was sent")


def _standard(
    secrets: list[str], body: bytes, headers: Mapping[str, str]
) -> tuple[int, bool] | None:
    """Standard Webhooks: over id, time and body, in Base64, with the bytes that the secret is
    Base64 of."""
    message_id, seconds = headers.get("webhook-id"), _seconds(headers.get("webhook-timestamp"))
    if message_id is None or seconds is None:
        return None
    signed = b".".join([message_id.encode(), headers["webhook-timestamp"].encode(), body])
    given = _given(headers.get("webhook-signature", "").split(" "), "v1,")
    keys = [key for secret in secrets for key in _keys(secret)]
    expected = [base64.b64encode(_hmac(key, signed)).decode() for key in keys]
    return seconds, _any_equal(expected, given)


def _own(secrets: list[str], body: bytes, headers: Mapping[str, str]) -> tuple[int, bool] | None:
    """`t=<time>,v1=<hex>`: over time and body, in hex, with the secret's own characters."""
    parts = headers.get("x-exosphere-signature", "").split(",")
    text = next((part[2:] for part in parts if part.startswith("t=")), None)
    seconds = _seconds(text)
    if text is None or seconds is None:
        return None
    signed = b".".join([text.encode(), body])
    expected = [_hmac(secret.encode(), signed).hex() for secret in secrets]
    return seconds, _any_equal(expected, _given(parts, "v1="))


def _given(parts: list[str], prefix: str) -> list[str]:
    found = [part[len(prefix) :] for part in parts if part.startswith(prefix)]
    return found[:MAX_SIGNATURES]


def _any_equal(expected: list[str], given: list[str]) -> bool:
    """In constant time, and all of them, so that how long it takes says nothing."""
    is_equal = False
    for one in expected:
        for other in given:
            is_equal |= hmac.compare_digest(one.encode(), other.encode())
    return is_equal


def _keys(secret: str) -> Iterator[bytes]:
    """The bytes that it is Base64 of; without its prefix also its own characters, with which older
    endpoints sign."""
    has_prefix = secret.startswith(_PREFIX)
    decoded = b""
    with contextlib.suppress(binascii.Error, ValueError):
        decoded = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    if decoded:
        yield decoded
    if not decoded or not has_prefix:
        yield secret.encode()


def _hmac(key: bytes, signed: bytes) -> bytes:
    return hmac.new(key, signed, hashlib.sha256).digest()


def _seconds(text: str | None) -> int | None:
    """Digits alone: `int` would take `1_0`, signs and other alphabets' digits too."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 12:
        return None
    return int(text)


def _lower(headers: Headers) -> dict[str, str]:
    """By lower-case names. Of a header that is there twice the first one counts."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name.lower(), value)
    return found


def _alert(body: bytes) -> Alert:
    try:
        alert = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise VerificationError("the signature is good and the body is not JSON") from error
    if not isinstance(alert, dict) or alert.get("version") != "1":
        raise VerificationError(
            "the signature is good and the body is no alert of version 1: the endpoint's target "
            "plugin makes another one, or this package is too old"
        )
    return cast(Alert, alert)
