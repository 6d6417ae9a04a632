"""Apache Airflow 3: a plugin whose listener tells of DAG runs.

Airflow finds it by the package's entry point. It does something where `ALERTS_URL` is set. The
scheduler calls it, so the scheduler's environment needs the settings.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin
from sqlalchemy.orm import object_session

from .mapping import dag_run_event
from .telling import tell


def _tasks(dag_run: Any) -> Sequence[Any]:
    """Read in the session that the run came with: one of our own would be the scheduler's, in the
    middle of its transaction, and be committed at the end."""
    session = object_session(dag_run)
    if session is None:
        return ()
    found: Sequence[Any] = dag_run.get_task_instances(session=session)
    return found


class DagRunListener:
    """What Airflow calls."""

    @hookimpl
    def on_dag_run_running(self, dag_run: Any, msg: str) -> None:
        tell(dag_run_event("started", dag_run))

    @hookimpl
    def on_dag_run_success(self, dag_run: Any, msg: str) -> None:
        tell(dag_run_event("succeeded", dag_run, msg, _tasks(dag_run)))

    @hookimpl
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        tell(dag_run_event("failed", dag_run, msg, _tasks(dag_run)))


class AlertsPlugin(AirflowPlugin):  # type: ignore[misc,unused-ignore]
    """The entry point."""

    name = "exosphere_alerts"
    listeners = [DagRunListener()] if os.environ.get("ALERTS_URL") else []
