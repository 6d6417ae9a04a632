"""The systemd unit: judged by systemd's own tools, and its command started as it stands."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import host
import places
from receiver import Receiver

UNIT = places.DEPLOY / "systemd" / "exosphere-alerts.service"
EXAMPLE = UNIT.with_name("environment.example")
# systemd's own words: up to 2.0 is "OK", and a service without any of it has 9.6.
MOST_EXPOSURE = 1.5


def values(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(), re.MULTILINE)


@pytest.fixture
def unit(tmp_path):
    """The unit, with a program at the path that it names."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    stub = tmp_path / "exosphere-alerts"
    stub.symlink_to(places.program())
    copy = tmp_path / UNIT.name
    text = UNIT.read_text()
    copy.write_text(text.replace("/usr/bin/exosphere-alerts", str(stub)))
    return copy


def test_systemd_finds_nothing_wrong_with_the_unit(unit):
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True
    )
    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_service_is_exposed_to_little(unit):
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
        capture_output=True,
        text=True,
        check=True,
    )
    exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", judged.stdout)[1])
    assert exposure <= MOST_EXPOSURE, judged.stdout


def test_the_unit_and_its_example_set_only_settings_that_the_program_knows():
    named = {value.split("=")[0] for value in values("Environment")}
    named |= set(re.findall(r"^#?(ALERTS_\w+)=", EXAMPLE.read_text(), re.MULTILINE))
    assert {name for name in named if name.startswith("ALERTS_")} <= host.settings()


def test_the_command_of_the_unit_serves_with_the_settings_of_the_unit(tmp_path):
    (command,) = values("ExecStart")
    assert command.split() == ["/usr/bin/exosphere-alerts", "serve"]
    folders = {"/var/lib/exosphere-alerts": "state", "/var/cache/exosphere-alerts": "cache"}
    environment = {}
    for assignment in values("Environment"):
        name, value = assignment.split("=", 1)
        for folder, own in folders.items():
            value = value.replace(folder, str(tmp_path / own))
        environment[name] = value
    # One cache for all tests spares the compiling; the unit's is made at the start as well.
    environment.pop("ALERTS_CACHE_DIR")
    (tmp_path / "state").mkdir()
    served = host.Host(environment, tmp_path)
    with served:
        served.api("POST", "/v1/events", host.event(1))
    assert served.process.returncode == 0
    assert (tmp_path / "state/alerts.db").exists()


def allowed_calls() -> set[str]:
    """The system calls that the unit's filters leave, with systemd's groups written out."""
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True
    )
    groups: dict[str, list[str]] = {}
    for line in listed.stdout.splitlines():
        word = line.strip()
        if line.startswith("@"):
            groups[word] = members = []
        elif word and not word.startswith("#"):
            members.append(word)

    def written_out(name: str) -> set[str]:
        if not name.startswith("@"):
            return {name}
        return set().union(*(written_out(member) for member in groups[name]))

    allowed: set[str] = set()
    for line in values("SystemCallFilter"):
        names = set().union(*(written_out(name) for name in line.lstrip("~").split()))
        allowed = allowed - names if line.startswith("~") else allowed | names
    assert len(allowed) > 100
    return allowed


def test_the_host_makes_only_system_calls_that_the_unit_allows(unit, tmp_path):
    """Also while it compiles a plugin, in a process of its own, and while it delivers."""
    strace, counted = places.tool("strace"), tmp_path / "calls"
    traced = [strace, "-f", "-qq", "-c", "-o", counted]
    tried = subprocess.run([*traced, "true"], env=places.tool_environment(), capture_output=True)
    if tried.returncode != 0:
        pytest.skip(f"strace may not trace here: {tried.stderr.decode().strip()}")
    # A cache of its own, so that the built-in plugins are compiled.
    served = host.Host({"ALERTS_CACHE_DIR": str(tmp_path / "cache")}, tmp_path)
    served.environment |= {
        name: value for name, value in places.tool_environment().items() if name.startswith("LD_")
    }
    served.prefix = traced
    with Receiver() as receiver, served:
        target = {"name": "all", "target_url": receiver.url}
        endpoint = served.api("POST", "/v1/webhooks", target)
        served.api("POST", f"/v1/webhooks/{endpoint['id']}/test")
        assert len(receiver.alerts) == 1
        # strace keeps signals to itself: the host below it is told to end.
        pid = served.process.pid
        (host_pid,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(int(host_pid), signal.SIGTERM)
        served.process.wait(timeout=60)
    rows = [line.split() for line in counted.read_text().splitlines()]
    made = {row[-1] for row in rows if len(row) >= 5 and row[0][0].isdigit()} - {"total"}
    assert {"openat", "accept4", "fdatasync"} & made
    # SQLite keeps files with the database's owner when it is root, as a test may be.
    as_root = {"fchown"} if os.getuid() == 0 else set()
    assert made - allowed_calls() - as_root == set()


def test_a_wrong_setting_ends_the_service_for_good(tmp_path):
    """With the exit status after which the unit is not started again."""
    (status,) = values("RestartPreventExitStatus")
    wrong = {"ALERTS_ROLLOUT": "maybe", "ALERTS_DATABASE_URL": f"sqlite://{tmp_path}/a.db"}
    ended = subprocess.run(
        [places.program(), "serve"],
        env={**host.base_environment(), **wrong},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == int(status)
    assert "ALERTS_ROLLOUT" in ended.stderr
