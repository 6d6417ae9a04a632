"""A throwaway Postgres from the programs that the machine has."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from host import free_port, wait_until


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    if (named := shutil.which("initdb")) is not None:
        return Path(named).resolve().parent
    pytest.skip("Postgres (initdb) is not on this machine")


@contextlib.contextmanager
def postgres(folder: Path):
    """The URL of a database of its own."""
    programs, data, port = _programs(), folder / "postgres", free_port()
    # Postgres does not run as root; its packages bring a user.
    run_as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    run_as = run_as if os.getuid() == 0 else []
    data.mkdir(mode=0o700)
    if run_as:
        shutil.chown(data, "postgres", "postgres")
        # The folders above belong to this user alone.
        for parent in [folder, *folder.parents]:
            if parent == Path("/tmp") or parent == Path("/"):
                break
            parent.chmod(parent.stat().st_mode | 0o011)
    subprocess.run(
        [*run_as, programs / "initdb", "--username=alerts", "--auth=trust", "-D", data],
        check=True,
        capture_output=True,
    )
    server = subprocess.Popen(
        [*run_as, programs / "postgres", "-D", data, "-p", str(port), "-k", data]
        + ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60"],
        stdout=subprocess.DEVNULL,
        stderr=(folder / "postgres.log").open("wb"),
    )
    try:
        ready = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"]
        wait_until("a Postgres", lambda: subprocess.run(ready, check=False).returncode == 0)
        yield f"postgres://alerts@127.0.0.1:{port}/postgres"
    finally:
        # Fast: without waiting for hosts that hold connections.
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
