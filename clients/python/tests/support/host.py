"""The real host, as a process of its own."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from exosphere_alerts.api import AuthenticatedClient
from exosphere_alerts.api.api.alert_rules import create_alert_rule
from exosphere_alerts.api.api.webhook_endpoints import create_webhook
from exosphere_alerts.api.models import AlertRule, NewAlertRule, NewWebhookEndpoint, WebhookEndpoint
from exosphere_alerts.client import connect

READY_S = 180.0
"""A first start on a busy machine compiles the built-in plugins."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def binary() -> str:
    path = os.environ.get("ALERTS_BINARY")
    if not path:
        raise RuntimeError("set ALERTS_BINARY to a built exosphere-alerts; `cargo xtask test` does")
    return path


class Host:
    """One host with a database of its own, at one address for as long as it lives."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self._folder = folder
        self._cache = cache
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"
        self.key = secrets.token_hex(24)

    def start(self) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ALERTS_")},
            "ALERTS_LISTEN": f"127.0.0.1:{self._port}",
            "ALERTS_DATABASE_URL": f"sqlite://{self._folder}/alerts.db",
            "ALERTS_CACHE_DIR": str(self._cache),
            "ALERTS_BOOTSTRAP_KEY": self.key,
            "ALERTS_ALLOW_TARGETS": "127.0.0.0/8",
            "ALERTS_LOG": "warn",
        }
        log = (self._folder / "host.log").open("ab")
        self._process = subprocess.Popen(
            [binary(), "serve"], env=environment, stdout=log, stderr=log, cwd=self._folder
        )
        log.close()
        ends_at = time.monotonic() + READY_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > ends_at:
                raise RuntimeError((self._folder / "host.log").read_text()[-2000:])
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> None:
        """As a power cut ends it, but for the disk."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self, namespace: str) -> AuthenticatedClient:
        return connect(self.url, self.key, namespace=namespace)

    def alert_on(self, namespace: str, event_type: str, target_url: str) -> WebhookEndpoint:
        """An endpoint there and a rule for it; answers with the endpoint, which has the secret."""
        with self.client(namespace) as client:
            endpoint = create_webhook.sync(
                client=client, body=NewWebhookEndpoint(name="Receiver", target_url=target_url)
            )
            assert isinstance(endpoint, WebhookEndpoint), endpoint
            wanted = NewAlertRule("Rule", event_type, endpoint.id)
            rule = create_alert_rule.sync(client=client, body=wanted)
            assert isinstance(rule, AlertRule), rule
        return endpoint
