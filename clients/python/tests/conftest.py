"""What tests share: one real host, and namespaces that no other test uses."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exosphere_alerts import Emitter

from .support.host import Host
from .support.receiver import Receiver, receiving

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled plugins, so that only the first host compiles them; kept between runs where
    `ALERTS_CACHE_DIR` says where."""
    if kept := os.environ.get("ALERTS_CACHE_DIR"):
        return Path(kept)
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Host]:
    """A host that stays up."""
    host = Host(tmp_path_factory.mktemp("host"), cache)
    host.start()
    yield host
    host.kill()


@pytest.fixture
def own_host(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Host]:
    """A host that the test starts and ends itself."""
    host = Host(tmp_path_factory.mktemp("own-host"), cache)
    yield host
    host.kill()


@pytest.fixture
def namespace() -> str:
    return f"python-{next(_numbers)}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "alerts.outbox"


@pytest.fixture
def emitter(host: Host, namespace: str, outbox: Path) -> Iterator[Emitter]:
    """To the shared host."""
    with Emitter(host.url, host.key, outbox=outbox, namespace=namespace) as emitter:
        yield emitter


Told = Callable[[str], Receiver]


@pytest.fixture
def told(host: Host, namespace: str, receiver: Receiver) -> Told:
    """A rule for a type of event in the test's namespace, and who is told."""

    def told(event_type: str) -> Receiver:
        endpoint = host.alert_on(namespace, event_type, receiver.url)
        assert isinstance(endpoint.secret, str)
        receiver.secret = endpoint.secret
        return receiver

    return told
