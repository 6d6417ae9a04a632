"""Compose files as processes: what an engine would start from them, on loopback."""

import re
import subprocess
from pathlib import Path

import yaml

import places

FOLDER = places.DEPLOY / "compose"
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


class Missing(Exception):
    """A variable that the file insists on."""


def load(file: str, variables: dict[str, str]) -> dict:
    """The file as an engine reads it, with its variables put in."""

    def value(match: re.Match) -> str:
        name, kind, text = match.groups()
        if given := variables.get(name):
            return given
        if kind == "?":
            raise Missing(f"{name}: {text}")
        return text or ""

    def fill(node):
        match node:
            case str():
                return VARIABLE.sub(value, node)
            case list():
                return [fill(one) for one in node]
            case dict():
                return {key: fill(one) for key, one in node.items()}
        return node

    return fill(yaml.safe_load((FOLDER / file).read_text()))


def environment(services: dict, name: str) -> dict[str, str]:
    return {key: str(value) for key, value in services[name].get("environment", {}).items()}


class Proxy:
    """HAProxy with the configuration that the compose file mounts."""

    def __init__(self, given: dict[str, str], hosts: dict[str, str], port: int, folder: Path):
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "proxy.log"
        # Variables that hold a service's name and port, with where that service is here.
        services = {name: address.split(":")[0] for name, address in given.items()}
        addresses = {name: hosts[one] for name, one in services.items() if one in hosts}
        self.environment = {
            **places.tool_environment(),
            **given,
            **addresses,
            "PROXY_BIND": f"127.0.0.1:{port}",
        }
        self.command = [places.tool("haproxy"), "-db", "-f", FOLDER / "haproxy.cfg"]

    def check(self) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*self.command, "-c"], env=self.environment, capture_output=True, text=True
        )

    def __enter__(self):
        log = self.log.open("wb")
        self.process = subprocess.Popen(self.command, env=self.environment, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)
