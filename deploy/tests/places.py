"""Where things are: the repository, and the tools that `cargo xtask deploy` brings."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "exosphere-alerts"

# A folder that outlives a run: compiled plugins, and Debian packages unpacked.
KEPT = Path(os.environ.get("ALERTS_DEPLOY_DIR", ROOT / "target" / "deploy"))
DEBIAN = KEPT / "debian"


def program() -> Path:
    """The host's program, as `cargo xtask deploy` has built it."""
    named = os.environ.get("ALERTS_PROGRAM")
    if not named or not Path(named).exists():
        pytest.fail("ALERTS_PROGRAM names no program: run `cargo xtask deploy`")
    return Path(named)


def tool(name: str) -> Path:
    """A program of the machine, or of a Debian package that was unpacked. The test is
    passed over, and says so, where there is neither."""
    found = shutil.which(name) or next(
        (str(path) for path in DEBIAN.glob(f"usr/*bin/{name}")), None
    )
    if found is None:
        pytest.skip(f"{name} is not on this machine")
    return Path(found)


def tool_environment() -> dict[str, str]:
    """The environment in which unpacked programs find their libraries."""
    libraries = ":".join(str(path) for path in DEBIAN.glob("usr/lib/*-linux-gnu"))
    return {**os.environ, "LD_LIBRARY_PATH": libraries} if libraries else dict(os.environ)
