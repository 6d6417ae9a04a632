"""Hosts as processes, on loopback, and what a test asks of them."""

import contextlib
import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path

import places

KEY = "exo_deploy_4c1d9b7e2f60a853"


@cache
def settings() -> frozenset[str]:
    """The names of all settings, as `serve --help` has them."""
    shown = subprocess.run(
        [places.program(), "serve", "--help"], capture_output=True, text=True, check=True
    )
    names = frozenset(re.findall(r"\[env: (ALERTS_\w+)", shown.stdout))
    assert len(names) > 20, "serve --help names few settings; has its form changed?"
    return names


def free_port() -> int:
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(what: str, condition, timeout_s: float = 240):
    """Asks until the answer is true, and answers with it."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {timeout_s} s")


def ask(url: str, method="GET", body=None, headers=None, timeout_s: float = 30):
    """Status and text of an answer; status 0 where there was none."""
    data = json.dumps(body).encode() if body is not None else None
    headers = {"content-type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def base_environment() -> dict[str, str]:
    """This process's environment without settings of a host."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ALERTS_")}


class Host:
    """A host that was started with some settings, and is stopped with SIGTERM."""

    def __init__(self, environment: dict[str, str], folder: Path, port: int | None = None):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"host-{self.port}.log"
        cache_dir = places.KEPT / "plugin-cache"
        cache_dir.parent.mkdir(parents=True, exist_ok=True)
        # Compiled plugins are shared by all tests: the first host compiles them.
        defaults = {
            "ALERTS_CACHE_DIR": str(cache_dir),
            "ALERTS_BOOTSTRAP_KEY": KEY,
            "ALERTS_ALLOW_TARGETS": "127.0.0.0/8",
            "ALERTS_DATABASE_URL": f"sqlite://{folder}/alerts.db",
        }
        self.environment = {
            **base_environment(),
            **defaults,
            **environment,
            "ALERTS_LISTEN": f"127.0.0.1:{self.port}",
        }
        self.folder = folder
        # A program that starts the host, to look at it.
        self.prefix: list = []
        # Another than the one that was built last.
        self.program: Path | None = None
        self.process: subprocess.Popen | None = None

    def start(self) -> "Host":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.program or places.program(), "serve"],
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        wait_until(f"a host that is ready; its log is {self.log}", self.is_ready)
        return self

    def is_ready(self) -> bool:
        ended = self.process.poll()
        assert ended is None, f"the host ended with {ended}:\n{self.log.read_text()[-2000:]}"
        return ask(f"{self.url}/readyz")[0] == 200

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=30)

    def api(self, method: str, path: str, body=None, namespace="payments"):
        """The answer's JSON, which must be a good one."""
        return call(self.url, method, path, body, namespace)

    def __enter__(self) -> "Host":
        return self.start()

    def __exit__(self, *_):
        self.stop()


def call(url: str, method: str, path: str, body=None, namespace="payments"):
    headers = {"x-api-key": KEY, "x-exosphere-namespace": namespace}
    status, text = ask(url + path, method, body, headers)
    assert 200 <= status < 300, f"{method} {path}: {status} {text}"
    return json.loads(text) if text else None


def event(number: int) -> dict:
    """A run that failed."""
    run = f"5f0c1f5e-1d0b-4a46-a1f5-{number:012x}"
    return {
        "specversion": "1.0",
        "id": f"event-{number}",
        "source": "/v0/namespace/payments",
        "type": "workflow.failed",
        "subject": f"graph/nightly-etl/run/{run}",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "namespace": "payments",
        "data": {"graph_name": "nightly-etl", "run_id": run, "status": "FAILED"},
    }
