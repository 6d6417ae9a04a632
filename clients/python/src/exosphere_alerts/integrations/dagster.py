"""Dagster: run status sensors that tell of the runs of all jobs.

`Definitions(…, sensors=alert_sensors())`.
"""

from __future__ import annotations

from typing import Any

from dagster import DagsterRunStatus, DefaultSensorStatus, SensorDefinition, run_status_sensor

from .mapping import DAGSTER_PHASES, run_status_event
from .telling import tell

INTERVAL_S = 5
"""Between two looks at Dagster's event log; alerts are that much later."""


def alert_sensors() -> list[SensorDefinition]:
    """One sensor for each status. They are on from the start, and look at all code locations."""
    return [_sensor(status) for status in DAGSTER_PHASES]


def _sensor(status: str) -> SensorDefinition:
    @run_status_sensor(
        name=f"exosphere_alerts_{status.lower()}",
        run_status=DagsterRunStatus(status),
        minimum_interval_seconds=INTERVAL_S,
        default_status=DefaultSensorStatus.RUNNING,
        monitor_all_code_locations=True,
    )
    def alerts(context: Any) -> None:
        run = context.dagster_run
        record = context.instance.get_run_record_by_id(run.run_id)
        tell(run_status_event(status, run, record, context.dagster_event))

    return alerts
