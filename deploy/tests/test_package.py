"""The Debian package: installed by dpkg into a folder of its own, so that the machine stays
as it is; started, upgraded, removed and purged."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import host
import places
from receiver import Receiver

SETTINGS = "etc/exosphere-alerts/environment"


class Machine:
    """A folder that dpkg takes for a machine's root."""

    def __init__(self, root: Path):
        self.root = root
        (root / "var/lib/dpkg").mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()

    def dpkg(self, *arguments) -> str:
        # Without its dependencies' packages, and with its scripts run by the real machine's
        # shell on this root: there is nothing else in it.
        force = "--force-not-root,script-chrootless,depends,confold"
        ended = subprocess.run(
            ["dpkg", f"--root={self.root}", force, *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def has(self, path: str) -> bool:
        return os.path.lexists(self.root / path)

    def host(self, folder: Path) -> host.Host:
        """The installed program, with the unit's environment: systemd's folders are
        in this root."""
        unit = (self.root / "usr/lib/systemd/system/exosphere-alerts.service").read_text()
        assert "ExecStart=/usr/bin/exosphere-alerts serve\n" in unit
        environment = {}
        for name, value in re.findall(r"^Environment=(\w+)=(.*)$", unit, re.MULTILINE):
            environment[name] = value.replace("/var/lib/", f"{self.root}/var/lib/")
        environment.pop("ALERTS_CACHE_DIR")
        (self.root / "var/lib/exosphere-alerts").mkdir(exist_ok=True)
        served = host.Host(environment, folder)
        served.program = self.root / "usr/bin/exosphere-alerts"
        return served


@pytest.fixture
def machine(tmp_path) -> Machine:
    if shutil.which("dpkg") is None:
        pytest.skip("dpkg is not on this machine")
    return Machine(tmp_path / "root")


def package(version: str) -> Path:
    made = Path(os.environ.get("ALERTS_PACKAGES_DIR", "")) / f"exosphere-alerts-{version}.deb"
    if not made.is_file():
        pytest.skip("the package could not be made: cargo-deb is not on this machine")
    return made


def test_the_package_is_installed_delivers_is_upgraded_removed_and_purged(machine, tmp_path):
    machine.dpkg("--install", package("0.0.1"))
    assert (machine.root / SETTINGS).stat().st_mode & 0o777 == 0o600
    wants = "etc/systemd/system/multi-user.target.wants/exosphere-alerts.service"
    if shutil.which("deb-systemd-helper"):
        assert machine.has(wants), "it starts with the machine"
    with Receiver() as receiver:
        with machine.host(tmp_path) as served:
            endpoint = served.api("POST", "/v1/webhooks", {"name": "all", "target_url": receiver.url})
            served.api("POST", f"/v1/webhooks/{endpoint['id']}/test")
        assert len(receiver.alerts) == 1

        # What the operator wrote stays through an upgrade, and so does the database.
        with (machine.root / SETTINGS).open("a") as settings:
            settings.write("ALERTS_RETENTION_DAYS=7\n")
        machine.dpkg("--install", package("0.0.2"))
        assert "ALERTS_RETENTION_DAYS=7" in (machine.root / SETTINGS).read_text()
        with machine.host(tmp_path) as served:
            served.api("POST", f"/v1/webhooks/{endpoint['id']}/test")
        assert len(receiver.alerts) == 2

    machine.dpkg("--remove", "exosphere-alerts")
    assert not machine.has("usr/bin/exosphere-alerts")
    assert machine.has(SETTINGS)
    machine.dpkg("--purge", "exosphere-alerts")
    assert not machine.has(SETTINGS)
    assert machine.has("var/lib/exosphere-alerts/alerts.db"), "alerts are not thrown away"


def test_what_the_package_brings_is_where_debian_looks_for_it(machine):
    machine.dpkg("--install", package("0.0.1"))
    listed = subprocess.run(
        ["dpkg-deb", "--contents", package("0.0.1")], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split() for line in listed.splitlines()]
    files = {row[5].removeprefix("./"): row for row in rows if row[0].startswith("-")}
    assert files["usr/bin/exosphere-alerts"][0] == "-rwxr-xr-x"
    assert "usr/share/doc/exosphere-alerts/copyright" in files
    assert {row[1] for row in rows} <= {"root/root", "0/0"}
    places_of_files = {"usr/bin", "usr/lib/systemd/system", "usr/share/doc/exosphere-alerts"}
    assert {str(Path(name).parent) for name in files} <= places_of_files | {"etc/exosphere-alerts"}
