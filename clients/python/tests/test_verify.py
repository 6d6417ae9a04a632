"""Receivers: what is genuine and what is not, with requests that the real host signed, and with the
published library of Standard Webhooks as a second opinion."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from standardwebhooks import Webhook

from exosphere_alerts import Emitter, VerificationError, verify
from exosphere_alerts.api.api.webhook_endpoints import create_webhook, rotate_webhook_secret
from exosphere_alerts.api.api.webhook_endpoints import test_webhook as send_test
from exosphere_alerts.api.models import NewWebhookEndpoint, RotatedSecret, WebhookEndpoint

from .conftest import Told
from .support.eventually import eventually
from .support.host import Host
from .support.receiver import serving

BODY = b'{"version":"1"}'
AT = 1_700_000_000


def own(mac: str, at: int = AT) -> dict[str, str]:
    return {"X-Exosphere-Signature": f"t={at},v1={mac}"}


def signed_by_the_library(secret: str, at: int = AT) -> dict[str, str]:
    signature = Webhook(secret).sign(
        "dlv_1", datetime.fromtimestamp(at, timezone.utc), BODY.decode()
    )
    return {
        "webhook-id": "dlv_1",
        "webhook-timestamp": str(at),
        "webhook-signature": signature,
    }


SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()


def test_what_the_published_library_signs_is_genuine() -> None:
    assert verify(SECRET, BODY, signed_by_the_library(SECRET), now=AT)["version"] == "1"
    bare = SECRET.removeprefix("whsec_")
    assert verify(bare, BODY, signed_by_the_library(bare), now=AT)["version"] == "1"


def test_what_openssl_signs_is_genuine() -> None:
    # printf '%s' '1700000000.{"version":"1"}' | openssl dgst -sha256 -hmac 'a-secret-of-mine'
    mac = "ec2d363028fb4b0c9036216a93ed54b929dcf84458944da4d47b52108f62774a"
    assert verify("a-secret-of-mine", BODY, own(mac), now=AT)["version"] == "1"
    with pytest.raises(VerificationError, match="no signature fits"):
        verify("a-secret-of-mine", BODY + b" ", own(mac), now=AT)
    with pytest.raises(VerificationError, match="no signature fits"):
        verify("a-secret-of-mine", BODY, own(mac, AT + 1), now=AT)


@pytest.mark.parametrize("seconds", [-301, 301, -(10**9), 10**9])
def test_a_request_of_another_time_is_refused_and_the_reason_is_told(seconds: int) -> None:
    headers = signed_by_the_library(SECRET)
    with pytest.raises(VerificationError, match="old request is being repeated, or a clock"):
        verify(SECRET, BODY, headers, now=AT + seconds)
    assert verify(SECRET, BODY, headers, now=AT + 299)
    assert verify(SECRET, BODY, headers, now=AT + seconds, tolerance_s=2 * 10**9)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "has no signature"),
        ({"webhook-signature": "v1,aaaa"}, "no signature fits"),
        ({"x-exosphere-signature": ""}, "no signature fits"),
        ({"x-exosphere-signature": "v1=00"}, "no signature fits"),
        ({"x-exosphere-signature": "t=,v1="}, "no signature fits"),
        ({"x-exosphere-signature": "t=1_0,v1=00"}, "no signature fits"),
        ({"x-exosphere-signature": "t=١,v1=é"}, "no signature fits"),
        ({"x-exosphere-signature": "t=" + "9" * 5000 + ",v1=00"}, "no signature fits"),
        ({"x-exosphere-signature": f"t={AT}" + ",v1=00" * 10_000}, "no signature fits"),
        (
            {"webhook-id": "", "webhook-timestamp": str(AT), "webhook-signature": "v1, v2, v1"},
            "no signature fits",
        ),
    ],
)
def test_headers_of_any_shape_are_refused_and_break_nothing(
    headers: dict[str, str], said: str
) -> None:
    with pytest.raises(VerificationError, match=said):
        verify(SECRET, BODY, headers, now=AT)


def test_an_unsigned_scheme_beside_a_good_one_takes_nothing_from_it() -> None:
    good = signed_by_the_library(SECRET)
    assert verify(SECRET, BODY, {**good, "x-exosphere-signature": "t=1,v1=00"}, now=AT)


def test_each_of_several_secrets_and_of_several_signatures_is_enough() -> None:
    other = "whsec_" + base64.b64encode(b"another secret of 24 byte").decode()
    headers = signed_by_the_library(SECRET)
    assert verify([other, SECRET], BODY, headers, now=AT)
    both = signed_by_the_library(other)["webhook-signature"] + " " + headers["webhook-signature"]
    assert verify(SECRET, BODY, {**headers, "webhook-signature": both}, now=AT)
    with pytest.raises(VerificationError):
        verify(other, BODY, headers, now=AT)


def test_headers_may_be_pairs_in_any_case() -> None:
    pairs = [(name.upper(), value) for name, value in signed_by_the_library(SECRET).items()]
    assert verify(SECRET, BODY, pairs, now=AT)


def test_a_text_in_place_of_the_bytes_is_a_mistake_and_told_as_one() -> None:
    with pytest.raises(TypeError, match="exact bytes"):
        verify(SECRET, BODY.decode(), {}, now=AT)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="whsec_"):
        verify("", BODY, {}, now=AT)


@pytest.mark.parametrize("body", [b"not JSON", b"[]", b'{"version":"2"}', b"[" * 100_000])
def test_a_good_signature_on_something_else_is_no_alert(body: bytes) -> None:
    at = datetime.fromtimestamp(AT, timezone.utc)
    signature = Webhook(SECRET).sign("dlv_1", at, body.decode())
    headers = {
        "webhook-id": "dlv_1",
        "webhook-timestamp": str(AT),
        "webhook-signature": signature,
    }
    with pytest.raises(VerificationError, match="the signature is good"):
        verify(SECRET, body, headers, now=AT)


Request = tuple[bytes, dict[str, str]]


def sent_by_the_host(
    host: Host, namespace: str, secret: str | None, rotations: int
) -> tuple[list[str], Request]:
    """The secrets in the order in which they were made, and the request of a test alert."""
    requests: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            requests.append((body, dict(self.headers.items())))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Handler) as url, host.client(namespace) as client:
        wanted: dict[str, Any] = {} if secret is None else {"secret": secret}
        endpoint = create_webhook.sync(
            client=client, body=NewWebhookEndpoint(name="E", target_url=url, **wanted)
        )
        assert isinstance(endpoint, WebhookEndpoint), endpoint
        known = [secret or str(endpoint.secret)]
        for _ in range(rotations):
            rotated = rotate_webhook_secret.sync(endpoint.id, client=client)
            assert isinstance(rotated, RotatedSecret), rotated
            known.append(rotated.secret)
        send_test.sync(endpoint.id, client=client)
    return known, requests[0]


@pytest.mark.parametrize("scheme", ["webhook-signature", "x-exosphere-signature"])
@pytest.mark.parametrize("chosen", [None, "bare"])
def test_the_real_hosts_requests_are_genuine_by_either_scheme_alone(
    host: Host, namespace: str, scheme: str, chosen: str | None
) -> None:
    secret = base64.b64encode(secrets.token_bytes(32)).decode() if chosen else None
    known, (body, headers) = sent_by_the_host(host, namespace, secret, rotations=0)
    alone = {name: value for name, value in headers.items() if not name.endswith("signature")}
    alone[scheme] = headers[scheme]
    alert = verify(known[0], body, alone)
    assert alert["type"] == "exosphere.alerts.test"
    assert alert["rule"]["id"] is None
    with pytest.raises(VerificationError):
        verify(known[0], body.replace(b'"1"', b'"2"'), alone)


def test_while_the_secret_is_changed_the_old_one_and_the_new_one_are_good(
    host: Host, namespace: str
) -> None:
    known, (body, headers) = sent_by_the_host(host, namespace, None, rotations=1)
    assert len(known) == 2
    for secret in known:
        assert verify(secret, body, headers)["version"] == "1"
    with pytest.raises(VerificationError):
        verify(SECRET, body, headers)


def test_an_alert_has_the_fields_that_its_type_names(emitter: Emitter, told: Told) -> None:
    receiver = told("workflow.failed")
    with pytest.raises(RuntimeError), emitter.run("nightly-etl", data={"total_count": 3}):
        raise RuntimeError("disk full")
    eventually(lambda: bool(receiver.alerts), "the alert")
    alert = receiver.alerts[0]
    assert alert["workflow"]["graph_name"] == "nightly-etl"
    assert alert["workflow"]["total_count"] == 3
    assert alert["namespace"] == emitter.namespace
    assert json.dumps(alert).count("disk full") == 0, "what user code said stays in the host"
