"""What several files of tests share."""

import re

import pytest

import places


@pytest.fixture(scope="session")
def metrics() -> dict[str, str]:
    """Every metric that a host may show, by name, with its kind: as the sources register
    them, since many appear only when something has happened."""
    kinds = {"counter": "counter", "gauge": "gauge", "histogram": "histogram"}
    constant = re.compile(r'const (\w+): &str = "(alerts_\w+)"')
    registered = re.compile(r'metrics::(counter|gauge|histogram)!\(\s*(?:"(\w+)"|(\w+))')
    found: dict[str, str] = {}
    for source in places.ROOT.glob("host/*/src/**/*.rs"):
        text = source.read_text()
        constants = dict(constant.findall(text))
        for kind, name, by_constant in registered.findall(text):
            found[name or constants[by_constant]] = kinds[kind]
    assert len(found) > 20, "the sources register few metrics; has their form changed?"
    return found
