"""Prefect 3: hooks that tell of flow runs.

`@flow(**alert_hooks())`, and the flow's own hooks go in as lists beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .mapping import flow_run_event
from .telling import Phase, tell

Hook = Callable[[Any, Any, Any], None]

_PHASES: Mapping[str, Phase] = {
    "on_running": "started",
    "on_completion": "succeeded",
    "on_failure": "failed",
    "on_crashed": "failed",
    "on_cancellation": "failed",
}


def alert_hooks() -> dict[str, list[Hook]]:
    """For `@flow(**alert_hooks())`."""
    return {name: [_hook(phase)] for name, phase in _PHASES.items()}


def _hook(phase: Phase) -> Hook:
    def alerts(flow: Any, flow_run: Any, state: Any) -> None:
        tell(flow_run_event(phase, flow, flow_run, state))

    return alerts
