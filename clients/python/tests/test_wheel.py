"""The wheel in an environment that has nothing else: what a platform that installs it gets."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from .conftest import Told
from .support.eventually import eventually
from .support.host import Host

PROGRAM = """
import sys
import exosphere_alerts
from exosphere_alerts import Emitter, VerificationError, verify
url, key, outbox, namespace = sys.argv[1:]
with Emitter(url, key, outbox=outbox, namespace=namespace) as alerts:
    with alerts.run("fresh", run_id="r1"):
        pass
    assert alerts.flush(60)
try:
    verify("whsec_AAAA", b"{}", {})
except VerificationError as error:
    print(error)
try:
    import exosphere_alerts.client
except ImportError as error:
    print(error)
print(exosphere_alerts.__file__)
"""


def test_it_works_with_nothing_but_python(
    host: Host, namespace: str, outbox: Path, told: Told, tmp_path: Path
) -> None:
    wheel = os.environ.get("ALERTS_WHEEL")
    if wheel is None:
        pytest.skip("set ALERTS_WHEEL to the built wheel; `cargo xtask python` does")
    receiver = told("workflow.succeeded")
    fresh = tmp_path / "fresh"
    venv.create(fresh, with_pip=False)
    python = fresh / "bin/python"
    install = ["install", "--quiet", "--no-index", "--disable-pip-version-check", wheel]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True)
    done = subprocess.run(
        [python, "-I", "-c", PROGRAM, host.url, host.key, str(outbox), namespace],
        check=True,
        capture_output=True,
        text=True,
    )
    unsigned, lacking, place = done.stdout.splitlines()
    assert "no signature" in unsigned
    assert "exosphere-alerts[client]" in lacking
    assert place.startswith(str(fresh))
    eventually(
        lambda: [one["workflow"]["run_id"] for one in receiver.alerts] == ["r1"], "the alert"
    )
