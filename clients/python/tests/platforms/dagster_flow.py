"""The real Dagster with its daemon: a job that ends well, one that fails, and what is told of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from ..conftest import Told
from ..support.eventually import eventually
from ..support.host import Host

DEFINITIONS = """
from dagster import Definitions, job, op
from exosphere_alerts.integrations.dagster import alert_sensors

@op
def one():
    return 1

@op
def load():
    raise ValueError("disk full")

@job
def good():
    one()

@job
def bad():
    load()

defs = Definitions(jobs=[good, bad], sensors=alert_sensors())
"""

# A sensor looks at what happens after it was first asked.
READY = """
import json
from dagster import DagsterInstance
states = DagsterInstance.get().all_instigator_state()
print(json.dumps([bool(state.instigator_data and state.instigator_data.cursor) for state in states]))
"""


def test_runs_are_told_once_each(
    host: Host, namespace: str, outbox: Path, told: Told, tmp_path: Path
) -> None:
    receiver = told("workflow.*")
    (tmp_path / "definitions.py").write_text(DEFINITIONS)
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster/dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(tmp_path / "dagster"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ALERTS_URL": host.url,
        "ALERTS_KEY": host.key,
        "ALERTS_OUTBOX": str(outbox),
        "ALERTS_NAMESPACE": namespace,
    }

    def execute(job: str) -> None:
        command = ["-m", "dagster", "job", "execute", "-f", "definitions.py", "-j", job]
        subprocess.run(
            [sys.executable, *command],
            cwd=tmp_path,
            env=environment,
            check=False,
            capture_output=True,
        )

    def is_ready() -> bool:
        done = subprocess.run(
            [sys.executable, "-c", READY], env=environment, capture_output=True, check=True
        )
        cursors = json.loads(done.stdout)
        return len(cursors) == 4 and all(cursors)

    # Makes its database: two processes that make it at the same moment fail.
    assert not is_ready()
    daemon = ["-m", "dagster._daemon", "run", "-f", "definitions.py"]
    with (tmp_path / "daemon.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *daemon],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        eventually(is_ready, "the sensors are asked", given_up_s=300)
        execute("good")
        execute("bad")
        eventually(lambda: len(receiver.alerts) >= 4, "what became of both jobs", given_up_s=300)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    seen = sorted((one["workflow"]["graph_name"], one["type"]) for one in receiver.alerts)
    assert seen == [
        ("bad", "workflow.failed"),
        ("bad", "workflow.started"),
        ("good", "workflow.started"),
        ("good", "workflow.succeeded"),
    ]
    (failed,) = (one for one in receiver.alerts if one["type"] == "workflow.failed")
    assert failed["workflow"]["status"] == "FAILURE"
    assert failed["workflow"]["duration_ms"] >= 0
