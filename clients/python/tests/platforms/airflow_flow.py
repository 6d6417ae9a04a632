"""The real Airflow, all of its services: a DAG that fails makes one alert, one that is stuck makes
one while it is stuck, and the plugin was found by its entry point."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from ..conftest import Told
from ..support.eventually import eventually
from ..support.host import Host, free_port
from ..support.receiver import receiving

DAGS = """
import os
import time
from datetime import datetime, timezone
from airflow.sdk import dag, task

START = datetime(2026, 1, 1, tzinfo=timezone.utc)

@dag(dag_id="bad", schedule="@once", start_date=START)
def bad():
    @task
    def extract():
        return 1

    @task
    def load(rows):
        raise ValueError("disk full")

    load(extract())

@dag(dag_id="good", schedule="@once", start_date=START)
def good():
    @task
    def extract():
        return 1

    extract()

@dag(dag_id="stuck", schedule="@once", start_date=START)
def stuck():
    @task
    def wait():
        # Airflow's processes are in groups of their own, so this one has to end by itself.
        while not os.path.exists(os.environ["STOP_FILE"]):
            time.sleep(0.2)

    wait()

bad()
good()
stuck()
"""

UP_S = 600.0
"""Airflow's services start in half a minute, and in minutes on a machine that is busy."""


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_dag_runs_are_told_by_the_listener(
    host: Host, namespace: str, outbox: Path, told: Told, tmp_path: Path
) -> None:
    receiver = told("workflow.*")
    (tmp_path / "dags").mkdir()
    port = free_port()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "True",
        # On a busy machine its own services need longer to answer each other than it gives them.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "300",
        "AIRFLOW__CORE__PARALLELISM": "3",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "3",
        "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "3",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "STOP_FILE": str(tmp_path / "stop"),
        "ALERTS_URL": host.url,
        "ALERTS_KEY": host.key,
        "ALERTS_OUTBOX": str(outbox),
        "ALERTS_NAMESPACE": namespace,
    }
    with receiving() as on_call, host.client(namespace) as client:
        http = client.get_httpx_client()
        endpoint = http.post("/v1/webhooks", json={"name": "E", "target_url": on_call.url}).json()
        on_call.secret = endpoint["secret"]
        rule = {
            "name": "Stuck",
            "event_type": "workflow.duration_exceeded",
            "condition": "event.data.graph_name == 'stuck'",
            "trigger": {"type": "duration", "threshold_ms": 3000},
            "webhook_endpoint_id": endpoint["id"],
        }
        assert http.post("/v1/alert-rules", json=rule).status_code == 201
        with (tmp_path / "airflow.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "airflow", "standalone"],
                cwd=tmp_path,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            # Tasks that begin before its API serves fail.
            eventually(lambda: is_open(port), "Airflow serves its API", given_up_s=UP_S)
            (tmp_path / "dags/dags.py").write_text(DAGS)
            wanted = {
                ("bad", "workflow.started"),
                ("bad", "workflow.failed"),
                ("good", "workflow.started"),
                ("good", "workflow.succeeded"),
                ("stuck", "workflow.started"),
            }

            def seen() -> list[tuple[object, str]]:
                return [
                    (one["workflow"]["graph_name"], one["type"])
                    for one in receiver.alerts
                    if one["type"] != "workflow.duration_exceeded"
                ]

            eventually(lambda: set(seen()) >= wanted, "what became of three DAGs", given_up_s=UP_S)
            eventually(lambda: bool(on_call.alerts), "the stuck one", given_up_s=UP_S)
        finally:
            (tmp_path / "stop").touch()
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert sorted(map(str, seen())) == sorted(map(str, wanted)), "each once"
        assert on_call.alerts[0]["workflow"]["graph_name"] == "stuck"
        assert on_call.alerts[0]["type"] == "workflow.duration_exceeded"
    (failed,) = (one for one in receiver.alerts if one["type"] == "workflow.failed")
    assert failed["workflow"]["node_name"] == "load"
    assert failed["workflow"]["total_count"] == 2
    assert failed["workflow"]["success_count"] == 1
