"""The real Prefect: a flow that ends well, one that fails after a retry, and what is told of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ..conftest import Told
from ..support.eventually import eventually
from ..support.host import Host

FLOWS = """
from prefect import flow, task
from exosphere_alerts.integrations.prefect import alert_hooks

@task
def load():
    raise ValueError("disk full")

@flow(name="good", **alert_hooks())
def good():
    return 1

@flow(name="bad", retries=1, **alert_hooks())
def bad():
    load()

good()
try:
    bad()
except ValueError:
    print("failed as it should")
"""


def test_flow_runs_are_told_once_each(
    host: Host, namespace: str, outbox: Path, told: Told, tmp_path: Path
) -> None:
    receiver = told("workflow.*")
    environment = {
        **os.environ,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
        "ALERTS_URL": host.url,
        "ALERTS_KEY": host.key,
        "ALERTS_OUTBOX": str(outbox),
        "ALERTS_NAMESPACE": namespace,
    }
    done = subprocess.run(
        [sys.executable, "-c", FLOWS], env=environment, text=True, capture_output=True, check=True
    )
    assert "failed as it should" in done.stdout
    eventually(lambda: len(receiver.alerts) >= 5, "what became of both flows")
    seen = sorted((one["workflow"]["graph_name"], one["type"]) for one in receiver.alerts)
    assert seen == [
        ("bad", "workflow.failed"),
        ("bad", "workflow.started"),
        # The retry goes on with the same run, whose clock begins anew.
        ("bad", "workflow.started"),
        ("good", "workflow.started"),
        ("good", "workflow.succeeded"),
    ]
    (failed,) = (one for one in receiver.alerts if one["type"] == "workflow.failed")
    assert failed["workflow"]["status"] == "FAILED"
    assert failed["workflow"]["retried_count"] == 1
    assert failed["workflow"]["duration_ms"] >= 0
