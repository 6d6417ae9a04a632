"""The compose files, started as processes with what they say: no engine runs here."""

import contextlib
import threading
import uuid

import pytest

import compose
import host
from postgres import postgres
from receiver import Receiver

GIVEN = {
    "ALERTS_BOOTSTRAP_KEY": host.KEY,
    "ALERTS_ENCRYPTION_KEYS": "k1:l0kQnPhD3m0pNq1xLwC9b7v2u8s5f4e3d2c1b0a9Z8Y=",
    "POSTGRES_PASSWORD": "unused",
    "ALERTS_ALLOW_TARGETS": "127.0.0.0/8",
}
# Events that are posted while hosts restart. Each is a commit of its own.
POSTERS = 4


def of_the_image(service: dict) -> bool:
    return service["image"].startswith("exosphere-alerts")


@pytest.mark.parametrize("file", ["compose.yaml", "compose.postgres.yaml"])
def test_a_compose_file_sets_only_settings_that_the_program_knows(file):
    services = compose.load(file, GIVEN)["services"]
    hosts = [name for name, service in services.items() if of_the_image(service)]
    assert hosts
    for name in hosts:
        assert set(compose.environment(services, name)) <= host.settings()


def test_what_must_be_given_is_asked_for_by_name():
    for name in ["POSTGRES_PASSWORD", "ALERTS_ENCRYPTION_KEYS", "ALERTS_BOOTSTRAP_KEY"]:
        given = {**GIVEN, name: ""}
        with pytest.raises(compose.Missing, match=f"{name}: set it in .env"):
            compose.load("compose.postgres.yaml", given)
        assert f"\n{name}=\n" in (compose.FOLDER / ".env.example").read_text()


def test_one_host_on_sqlite_delivers_and_keeps_its_state_over_a_restart(tmp_path):
    services = compose.load("compose.yaml", GIVEN)["services"]
    environment = compose.environment(services, "alerts")
    environment["ALERTS_DATABASE_URL"] = f"sqlite://{tmp_path}/data/alerts.db"
    served = host.Host(environment, tmp_path)
    with Receiver() as receiver:
        with served:
            watch(served.url, receiver.url)
            served.api("POST", "/v1/events", host.event(1))
            host.wait_until("an alert", lambda: len(receiver.alerts) == 1)
        with served:
            served.api("POST", "/v1/events", host.event(2))
            host.wait_until("another alert", lambda: len(receiver.event_ids()) == 2)


def watch(url: str, target: str):
    """An endpoint, and a rule for all that fails."""
    endpoint = host.call(url, "POST", "/v1/webhooks", {"name": "all", "target_url": target})
    rule = {"name": "failed", "event_type": "workflow.failed"}
    host.call(url, "POST", "/v1/alert-rules", {**rule, "webhook_endpoint_id": endpoint["id"]})


def fires(one: host.Host) -> bool:
    """Whether this host knows the rule, which perhaps the other one has made."""
    probe = {**host.event(0), "id": f"probe-{uuid.uuid4()}"}
    (stored,) = one.api("POST", "/v1/events", probe)["events"]
    rules = one.api("GET", f"/v1/events/{stored['id']}")["rules"]
    return any(rule["fired"] for rule in rules)


class Load:
    """Posts events, each until it is accepted, and counts what the proxy answered badly."""

    def __init__(self, url: str):
        self.url, self.accepted, self.refused = url, set(), []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.post, args=(n,)) for n in range(POSTERS)]
        for thread in self.threads:
            thread.start()

    def post(self, poster: int):
        headers = {"x-api-key": host.KEY, "content-type": "application/cloudevents+json"}
        for number in range(poster, 1_000_000, POSTERS):
            if self.over.is_set():
                return
            event = host.event(number)
            while (answer := host.ask(f"{self.url}/v1/events", "POST", event, headers))[0] != 202:
                self.refused.append(answer)
                if self.over.wait(0.1):
                    return
            self.accepted.add(event["id"])

    def wait_for(self, more: int):
        until = len(self.accepted) + more
        host.wait_until(f"{until} accepted events", lambda: len(self.accepted) >= until)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def test_two_hosts_behind_the_proxy_lose_nothing_in_a_rolling_restart_under_load(tmp_path):
    with postgres(tmp_path) as url, Receiver() as receiver, contextlib.ExitStack() as running:
        services = compose.load("compose.postgres.yaml", GIVEN)["services"]
        names = [name for name, service in services.items() if of_the_image(service)]
        assert len(names) == 2
        hosts = {}
        for name in names:
            own = {**compose.environment(services, name), "ALERTS_DATABASE_URL": url}
            hosts[name] = running.enter_context(host.Host(own, tmp_path))
        addresses = {name: f"127.0.0.1:{one.port}" for name, one in hosts.items()}
        proxy = compose.Proxy(
            compose.environment(services, "proxy"), addresses, host.free_port(), tmp_path
        )
        checked = proxy.check()
        assert checked.returncode == 0, checked.stdout + checked.stderr
        with proxy:
            is_up = lambda: host.ask(f"{proxy.url}/readyz")[0] == 200  # noqa: E731
            host.wait_until("a proxy", is_up)
            assert host.ask(f"{proxy.url}/metrics")[0] == 404
            watch(proxy.url, receiver.url)
            for name, one in hosts.items():
                host.wait_until(f"{name} to know the rule", lambda: fires(one))
            load = Load(proxy.url)
            try:
                load.wait_for(50)
                for one in hosts.values():
                    assert one.stop() == 0
                    load.wait_for(50)
                    one.start()
                    load.wait_for(50)
            finally:
                load.end()
            delivered = lambda: load.accepted <= receiver.event_ids()  # noqa: E731
            host.wait_until("every accepted event as an alert", delivered)
        assert load.refused == []
