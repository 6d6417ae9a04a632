"""The examples in three frameworks, as they stand, served to the real host by real servers; and an
app that emits from inside."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.testclient import TestClient

from exosphere_alerts import Alert, Emitter
from exosphere_alerts.api.api.webhook_endpoints import create_webhook
from exosphere_alerts.api.api.webhook_endpoints import test_webhook as send_test
from exosphere_alerts.api.models import Delivery, NewWebhookEndpoint, WebhookEndpoint
from exosphere_alerts.integrations.fastapi import MAX_BODY_BYTES, alerts_lifespan, verified

from .conftest import Told
from .support.eventually import eventually
from .support.host import Host, free_port

EXAMPLES = Path(__file__).parent.parent / "examples"
COMMANDS = {
    "fastapi": ["-m", "uvicorn", "fastapi_receiver:app", "--port", "{port}"],
    "flask": ["-m", "flask", "--app", "flask_receiver", "run", "--port", "{port}"],
    "django": ["django_receiver.py", "runserver", "--noreload", "{port}"],
}


@contextmanager
def served(name: str, port: int, secret: str) -> Iterator[subprocess.Popen[str]]:
    command = [part.format(port=port) for part in COMMANDS[name]]
    environment = {**os.environ, "ALERTS_SECRET": secret, "PYTHONUNBUFFERED": "1"}
    environment["PYTHONPATH"] = ":".join(sys.path)
    server = subprocess.Popen(
        [sys.executable, *command],
        cwd=EXAMPLES,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        eventually(lambda: status(port) is not None, f"{name} serves")
        yield server
    finally:
        server.kill()
        server.communicate()


def status(port: int, body: bytes = b"{}") -> int | None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/hook", body)
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return None


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_takes_what_is_genuine_and_nothing_else(
    name: str, host: Host, namespace: str
) -> None:
    port = free_port()
    with host.client(namespace) as client:
        endpoint = create_webhook.sync(
            client=client,
            body=NewWebhookEndpoint(name="E", target_url=f"http://127.0.0.1:{port}/hook"),
        )
        assert isinstance(endpoint, WebhookEndpoint), endpoint
        assert isinstance(endpoint.secret, str)
        with served(name, port, endpoint.secret) as server:
            assert status(port) == 401
            sent = send_test.sync(endpoint.id, client=client)
            assert isinstance(sent, Delivery), sent
            assert isinstance(sent.attempts, list)
            assert sent.attempts[0].status_code == 204
            assert server.stdout is not None
            lines = iter(server.stdout.readline, "")
            assert any("exosphere.alerts.test" in line for line in lines)


def test_an_app_emits_as_long_as_it_lives(
    host: Host, namespace: str, outbox: Path, told: Told
) -> None:
    receiver = told("order.*")
    lifespan = alerts_lifespan(
        lambda: Emitter(host.url, host.key, outbox=outbox, namespace=namespace)
    )
    app = FastAPI(lifespan=lifespan)

    @app.post("/orders/{order}")
    async def order(order: str, request: Request) -> None:
        await request.state.alerts.aemit("order.placed", {"order": order}, id=order)

    with TestClient(app) as client:
        for number in range(3):
            assert client.post(f"/orders/{number}").status_code == 200
    # The app has ended, and its events have left.
    eventually(lambda: sorted(receiver.event_ids()) == ["0", "1", "2"], "the alerts")


guarded = FastAPI()


@guarded.post("/hook")
async def hook(alert: Annotated[Alert, Depends(verified("whsec_AAAA"))]) -> None:
    raise AssertionError


def test_a_body_that_is_no_alert_for_its_size_is_cut_off() -> None:
    answer = TestClient(guarded).post("/hook", content=b"x" * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413
