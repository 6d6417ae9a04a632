"""The real Celery, with a worker that forks, a broker of files, and the real host."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Told
from .support.eventually import eventually
from .support.host import Host

APP = """
import os, signal
from celery import Celery
from exosphere_alerts.integrations.celery import watch

folder = os.environ["BROKER_FOLDER"]
app = Celery("shop", broker="filesystem://")
app.conf.broker_transport_options = {"data_folder_in": folder, "data_folder_out": folder}
app.conf.worker_hijack_root_logger = False
watch()

@app.task(name="shop.good")
def good():
    return 1

@app.task(name="shop.bad")
def bad():
    raise ValueError("no money")

@app.task(name="shop.again", bind=True, max_retries=2)
def again(self):
    if self.request.retries < 2:
        raise self.retry(countdown=0)

@app.task(name="shop.dies")
def dies():
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def shop(host: Host, namespace: str, outbox: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    (tmp_path / "shop.py").write_text(APP)
    (tmp_path / "broker").mkdir()
    environment = {
        **os.environ,
        "ALERTS_URL": host.url,
        "ALERTS_KEY": host.key,
        "ALERTS_OUTBOX": str(outbox),
        "ALERTS_NAMESPACE": namespace,
        "BROKER_FOLDER": str(tmp_path / "broker"),
        "PYTHONPATH": ":".join([str(tmp_path), *sys.path]),
    }
    command = [sys.executable, "-m", "celery", "-A", "shop", "worker", "-c", "2", "-l", "warning"]
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True
        )
    yield environment
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def test_tasks_are_told_from_the_processes_that_run_them(shop: dict[str, str], told: Told) -> None:
    receiver = told("workflow.*")
    tasks = "import shop; [task.delay() for task in (shop.good, shop.bad, shop.again, shop.dies)]"
    subprocess.run([sys.executable, "-c", tasks], env=shop, check=True)
    eventually(lambda: len(receiver.alerts) >= 8, "a start and an end of each of four tasks")
    seen = sorted((one["workflow"]["graph_name"], one["type"]) for one in receiver.alerts)
    assert seen == [
        ("shop.again", "workflow.started"),
        ("shop.again", "workflow.succeeded"),
        ("shop.bad", "workflow.failed"),
        ("shop.bad", "workflow.started"),
        ("shop.dies", "workflow.failed"),
        ("shop.dies", "workflow.started"),
        ("shop.good", "workflow.started"),
        ("shop.good", "workflow.succeeded"),
    ]
    ends = {
        one["workflow"]["graph_name"]: one
        for one in receiver.alerts
        if "finished_at" in one["workflow"]
    }
    assert ends["shop.again"]["workflow"]["retried_count"] == 2
