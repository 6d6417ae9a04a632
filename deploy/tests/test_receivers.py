"""The example receivers, each as a process: what they take, what they refuse, and that they
take what a host sends. The same tests for every language."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import standardwebhooks

import host
import places

RECEIVERS = places.ROOT / "examples/receivers"
SECRET = "whsec_" + base64.b64encode(b"a secret of the tests, 32 bytes.").decode()
LANGUAGES = ["python", "node", "go", "rust", "php"]
BODY_LIMIT = 2 * 1024 * 1024


def build(*command, folder: Path, **environment):
    built = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr


def command(language: str, port: int) -> list:
    folder = RECEIVERS / language
    match language:
        case "python":
            return [sys.executable, folder / "receiver.py"]
        case "node":
            return [places.tool("node"), folder / "receiver.mjs"]
        case "go":
            beside = Path(sys.executable).with_name("go")
            go = beside if beside.exists() else places.tool("go")
            made = places.KEPT / "receiver-go"
            cache = {"GOCACHE": str(places.KEPT / "go-cache")}
            # Nothing is downloaded: neither modules nor another toolchain.
            alone = {"GOTOOLCHAIN": "local", "GOPROXY": "off"}
            build(go, "build", "-o", made, ".", folder=folder, **cache, **alone)
            return [made]
        case "rust":
            cargo, target = places.tool("cargo"), places.KEPT / "receiver-rust"
            own = {"CARGO_TARGET_DIR": str(target)}
            build(cargo, "build", "--quiet", "--locked", folder=folder, **own)
            return [target / "debug/receiver"]
        case "php":
            return [places.tool("php"), "-S", f"127.0.0.1:{port}", folder / "receiver.php"]
    raise AssertionError(language)


class Running:
    def __init__(self, language: str, folder: Path, secret: str = SECRET):
        self.port = host.free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.out = folder / "out"
        environment = {"ALERTS_SECRET": secret, "PORT": str(self.port)}
        environment["ALERTS_SEEN_DIR"] = str(folder / "seen")
        self.process = subprocess.Popen(
            command(language, self.port),
            env={**host.base_environment(), **environment},
            stdout=self.out.open("wb"),
            stderr=(folder / "err").open("wb"),
        )
        host.wait_until(f"the receiver in {language}", self.listens)

    def listens(self) -> bool:
        assert self.process.poll() is None, self.out.with_name("err").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        request = urllib.request.Request(self.url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def handled(self) -> list[str]:
        """The lines of alerts that it has handled."""
        lines = self.out.read_text().splitlines()
        return [line for line in lines if line.startswith("alert ")]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=10)


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def receiver(language, tmp_path_factory):
    running = Running(language, tmp_path_factory.mktemp(language))
    yield running
    running.stop()


def alert(message_id: str) -> bytes:
    return json.dumps({"version": "1", "id": message_id, "type": "workflow.failed"}).encode()


def signed(message_id: str, body: bytes, at: float | None = None, secret: str = SECRET):
    """The headers, made as the specifications say."""
    seconds = str(int(time.time() if at is None else at))

    def mac(key: bytes, text: bytes) -> bytes:
        return hmac.new(key, text, hashlib.sha256).digest()

    own = mac(secret.encode(), f"{seconds}.".encode() + body).hex()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    standard = base64.b64encode(mac(key, f"{message_id}.{seconds}.".encode() + body)).decode()
    return {
        "content-type": "application/json",
        "x-exosphere-signature": f"t={seconds},v1={own}",
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{standard}",
    }


def test_these_headers_are_what_the_published_library_verifies():
    body = alert("dlv_library")
    standardwebhooks.Webhook(SECRET).verify(body.decode(), signed("dlv_library", body))


def test_a_signed_alert_is_handled_once_however_often_it_comes(receiver):
    body = alert("dlv_once")
    for _ in range(3):
        assert receiver.post(body, signed("dlv_once", body)) == 204
    assert receiver.handled().count("alert dlv_once workflow.failed") == 1


@pytest.mark.parametrize("minutes", [-10, 10])
def test_an_alert_of_another_time_is_refused(receiver, minutes):
    body = alert(f"dlv_time{minutes}")
    headers = signed(f"dlv_time{minutes}", body, time.time() + minutes * 60)
    assert receiver.post(body, headers) == 401
    # Either time alone.
    for header in ["x-exosphere-signature", "webhook-signature"]:
        mixed = signed(f"dlv_time{minutes}", body)
        mixed[header] = headers[header]
        if header == "webhook-signature":
            mixed["webhook-timestamp"] = headers["webhook-timestamp"]
        assert receiver.post(body, mixed) == 401, header
    assert f"dlv_time{minutes}" not in "".join(receiver.handled())


@pytest.mark.parametrize("header", ["x-exosphere-signature", "webhook-signature"])
def test_either_signature_alone_is_not_enough(receiver, header):
    body, message_id = alert("dlv_half"), "dlv_half"
    other = "whsec_" + base64.b64encode(b"another secret of the same size.").decode()
    wrong = signed(message_id, body) | {header: signed(message_id, body, secret=other)[header]}
    assert receiver.post(body, wrong) == 401
    missing = {name: value for name, value in signed(message_id, body).items() if name != header}
    assert receiver.post(body, missing) == 401
    empty = {**signed(message_id, body), header: ""}
    assert receiver.post(body, empty) == 401
    assert "dlv_half" not in "".join(receiver.handled())


def test_a_changed_body_or_id_is_refused(receiver):
    body = alert("dlv_changed")
    headers = signed("dlv_changed", body)
    assert receiver.post(body + b" ", headers) == 401
    assert receiver.post(body, {**headers, "webhook-id": "dlv_another"}) == 401
    assert receiver.post(body, {}) == 401
    garbage = {**headers, "x-exosphere-signature": "t=x,v1=,v1", "webhook-timestamp": "soon"}
    assert receiver.post(body, garbage) == 401


def test_while_a_secret_is_changed_either_one_will_do(receiver):
    body = alert("dlv_rotated")
    other = "whsec_" + base64.b64encode(b"another secret of the same size.").decode()
    now = time.time()
    old, new = signed("dlv_rotated", body, now, other), signed("dlv_rotated", body, now)
    seconds, first = old["x-exosphere-signature"].split(",")
    second = new["x-exosphere-signature"].split(",")[1]
    both = {
        **new,
        "x-exosphere-signature": f"{seconds},{first},{second}",
        "webhook-signature": f"{old['webhook-signature']} {new['webhook-signature']}",
    }
    assert receiver.post(body, both) == 204


def test_an_alert_that_could_not_be_handled_is_taken_when_it_comes_again(receiver):
    broken = b"no JSON"
    assert receiver.post(broken, signed("dlv_again", broken)) == 500
    body = alert("dlv_again")
    assert receiver.post(body, signed("dlv_again", body)) == 204
    assert "alert dlv_again workflow.failed" in receiver.handled()


def test_a_body_beyond_the_limit_is_refused(receiver):
    body = b" " * (BODY_LIMIT + 1)
    try:
        assert receiver.post(body, signed("dlv_large", body)) == 413
    except (OSError, urllib.error.URLError):
        pass  # it hung up before all of the body was sent
    assert receiver.post(b"", {}) in (401, 411), "it goes on"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with host.Host({}, tmp_path_factory.mktemp("host")) as served:
        yield served


def test_it_takes_what_a_host_sends_also_after_its_secret_was_changed(language, served, tmp_path):
    made = served.api(
        "POST", "/v1/webhooks", {"name": language, "target_url": "http://127.0.0.1:9"}
    )
    running = Running(language, tmp_path, made["secret"])
    path = f"/v1/webhooks/{made['id']}"
    try:
        served.api("PATCH", path, {"target_url": running.url})
        for _ in range(2):
            attempt = served.api("POST", f"{path}/test")
            assert "delivered" in json.dumps(attempt), attempt
            # The receiver has the old secret still, which signs for a day.
            served.api("POST", f"{path}/rotate-secret")
        assert len(running.handled()) == 2
    finally:
        running.stop()


def test_each_language_has_an_example_and_each_example_is_tested():
    folders = {path.name for path in RECEIVERS.iterdir() if path.is_dir()}
    assert folders == set(LANGUAGES)


def test_node_and_php_files_parse():
    checks = [("node", "--check", "node/receiver.mjs"), ("php", "-l", "php/receiver.php")]
    for name, check, file in checks:
        if shutil.which(name):
            build(name, check, RECEIVERS / file, folder=RECEIVERS)
