"""What stands around the emitter: the environment, the command line, the API client."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from exosphere_alerts import SettingError, from_env
from exosphere_alerts.api.api.alert_rules import create_alert_rule, list_alert_rules
from exosphere_alerts.api.api.events import get_event, list_events
from exosphere_alerts.api.models import (
    AlertRule,
    ConditionInLanguage,
    ListedAlertRule,
    ListedStoredEvent,
    NewAlertRule,
    Problem,
    StoredEvent,
)
from exosphere_alerts.client import connect
from exosphere_alerts.outbox import Outbox

from .conftest import Told
from .support.eventually import eventually
from .support.host import Host, free_port


def test_what_the_environment_lacks_is_named() -> None:
    with pytest.raises(SettingError, match="set ALERTS_KEY, ALERTS_OUTBOX"):
        from_env({"ALERTS_URL": "http://127.0.0.1:1"})


class Shell:
    """`python -m exosphere_alerts` with settings."""

    def __init__(self, url: str, key: str, outbox: Path, namespace: str) -> None:
        self._environment = {
            "ALERTS_URL": url,
            "ALERTS_KEY": key,
            "ALERTS_OUTBOX": str(outbox),
            "ALERTS_NAMESPACE": namespace,
            "PYTHONPATH": ":".join(sys.path),
        }

    def __call__(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "exosphere_alerts", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


def test_an_event_from_a_shell_becomes_an_alert(
    host: Host, namespace: str, outbox: Path, told: Told
) -> None:
    receiver = told("backup.*")
    shell = Shell(host.url, host.key, outbox, namespace)
    code, said = shell("emit", "backup.failed", "--data", '{"volume": "a"}', "--id", "b1")
    assert (code, said) == (0, "0 events wait (0 bytes), 0 are refused\n")
    eventually(lambda: receiver.event_ids() == ["b1"], "the alert")
    assert shell("emit", "backup.failed", "--data", "{")[0] == 1


def test_a_person_sees_why_events_wait_and_what_was_refused(
    host: Host, namespace: str, outbox: Path
) -> None:
    away = Shell(f"http://127.0.0.1:{free_port()}", host.key, outbox, namespace)
    code, said = away("emit", "backup.failed")
    assert code == 1
    assert "1 events wait" in said
    assert "Connection refused" in said
    box = Outbox(outbox, max_events=10, max_bytes=1000)
    box.settle(box.enqueue([b'{"specversion":"0.3","id":"old","source":"/s","type":"t"}']))
    box.close()
    here = Shell(host.url, host.key, outbox, namespace)
    code, said = here("send")
    assert code == 0
    assert "0 events wait (0 bytes), 1 are refused" in said
    code, said = here("refused")
    assert '"id":"old"' in said
    assert 'must be "1.0"' in said
    assert "1 events wait again" in here("retry")[1]
    assert "1 events are forgotten" in here("drop")[1]
    assert here("status") == (0, "0 events wait (0 bytes), 0 are refused\n")


def test_the_client_speaks_with_the_host_in_types(host: Host, namespace: str, told: Told) -> None:
    told("workflow.*")
    with host.client(namespace) as client:
        listed = list_alert_rules.sync(client=client)
        assert isinstance(listed, ListedAlertRule)
        endpoint = listed.data[0].webhook_endpoint_id
        condition = ConditionInLanguage("jsonlogic", {"==": [{"var": "event.type"}, "workflow.x"]})
        wanted = NewAlertRule("By JSONLogic", "workflow.*", endpoint, condition=condition)
        rule = create_alert_rule.sync(client=client, body=wanted)
        assert isinstance(rule, AlertRule), rule
        assert isinstance(rule.condition, ConditionInLanguage)
        assert rule.created_at.tzinfo is not None
        wrong = create_alert_rule.sync(
            client=client, body=NewAlertRule("Wrong", "t", endpoint, condition="event.")
        )
        assert isinstance(wrong, Problem)
        assert wrong.status == 400
        assert wrong.errors is not None
        missing = get_event.sync("evt_00000000000000000000000000", client=client)
        assert isinstance(missing, Problem)
        events = list_events.sync(client=client)
        assert isinstance(events, ListedStoredEvent)
        assert all(isinstance(one, StoredEvent) for one in events.data)


def test_an_address_without_a_scheme_is_told() -> None:
    with pytest.raises(SettingError, match="https://"):
        connect("alerts.example.com", "exo_key")
