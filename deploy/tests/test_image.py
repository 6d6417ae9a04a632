"""The container image. No engine builds it here: the file is linted, what it says is held
against the repository and the program, and the program runs in what the last stage has."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dockerfile_parse import DockerfileParser

import host
import places

DOCKERFILE = places.DEPLOY / "docker" / "Dockerfile"
# What `gcr.io/distroless/cc-debian12` has besides certificates: the C library's parts
# and the compiler's.
LIBRARIES = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "libdl.so.2"}
LIBRARIES |= {"libpthread.so.0", "librt.so.1", "ld-linux-aarch64.so.1"}


def stages() -> list[list[dict]]:
    stages: list[list[dict]] = []
    for line in DockerfileParser(path=str(DOCKERFILE)).structure:
        if line["instruction"] == "FROM":
            stages.append([])
        if stages:
            stages[-1].append(line)
    return stages


def last(instruction: str) -> str:
    return [line["value"] for line in stages()[-1] if line["instruction"] == instruction][-1]


def image_environment() -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", last("ENV")))


def health_command() -> list[str]:
    check = last("HEALTHCHECK")
    return json.loads(check[check.index("CMD") + 3 :])


def test_the_dockerfile_has_no_lint():
    hadolint = Path(sys.executable).with_name("hadolint")
    linted = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


def test_the_last_stage_is_not_root_and_starts_the_program_itself():
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last("USER"))
    assert json.loads(last("ENTRYPOINT")) == ["/usr/local/bin/exosphere-alerts"]
    assert json.loads(last("CMD")) == ["serve"]
    assert health_command() == ["/usr/local/bin/exosphere-alerts", "health"]
    # It has no shell to run anything with.
    assert not [line for line in stages()[-1] if line["instruction"] == "RUN"]


def test_the_image_sets_only_settings_that_the_program_knows():
    named = {name for name in image_environment() if name.startswith("ALERTS_")}
    assert named <= host.settings()


def ignored() -> tuple[list[str], list[str]]:
    """What `.dockerignore` lets in, and what it keeps out below that."""
    lines = (places.ROOT / ".dockerignore").read_text().splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    assert lines[0] == "*"
    return [line[1:] for line in lines if line.startswith("!")], lines


def test_everything_that_the_build_reads_is_sent_to_the_engine_and_no_more():
    let_in, lines = ignored()
    for path in let_in:
        assert (places.ROOT / path).exists(), f"{path} is let in, and is not there"
    copied = [
        source
        for stage in stages()
        for line in stage
        if line["instruction"] == "COPY" and "--from" not in line["value"]
        for source in line["value"].split()[:-1]
    ]
    for source in copied:
        assert source == "." or source.split("/")[0] in let_in, f"{source} is kept out"
    # Each workspace member, since cargo reads them all.
    members = re.search(r"members = \[(.*?)\]", (places.ROOT / "Cargo.toml").read_text())[1]
    for member in re.findall(r'"([^"]+)"', members):
        assert member.split("/")[0] in let_in, f"the workspace's {member} is kept out"
    for pattern in ["**/node_modules", "**/dist", "**/target", "**/*.key"]:
        assert pattern in lines
    # What the sources include at compile time from elsewhere in the repository.
    for source in places.ROOT.glob("host/**/*.rs"):
        for included in re.findall(r'include_(?:str|bytes)!\(\s*"([^"]+)"', source.read_text()):
            path = os.path.relpath((source.parent / included).resolve(), places.ROOT)
            assert path.split("/")[0] in let_in, f"{source} includes {path}, which is kept out"


@pytest.fixture
def image(tmp_path):
    """A root folder with what the last stage has."""
    if os.getuid() != 0:
        pytest.skip("chroot needs root")
    root = tmp_path / "root"
    into = root / "usr/local/bin/exosphere-alerts"
    into.parent.mkdir(parents=True)
    shutil.copy(places.program(), into)
    linked = subprocess.run(["ldd", into], capture_output=True, text=True, check=True).stdout
    for line in linked.splitlines():
        path = re.search(r"(/\S+)", line)
        name = Path(line.split()[0]).name
        if path is None:
            continue  # the kernel's own
        assert name in LIBRARIES, f"the program wants {name}, which the image has not"
        target = root / path[1].lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path[1], target)
    for folder in ["data", "etc/ssl/certs", "dev", "proc"]:
        (root / folder).mkdir(parents=True)
    authorities = Path("/etc/ssl/certs/ca-certificates.crt")
    if authorities.exists():
        shutil.copy(authorities, root / "etc/ssl/certs")
    uid, gid = (int(number) for number in last("USER").split(":"))
    os.chown(root / "data", uid, gid)
    for parent in [tmp_path, *tmp_path.parents]:
        if parent in (Path("/tmp"), Path("/")):
            break
        parent.chmod(parent.stat().st_mode | 0o011)
    return root


def test_the_program_works_in_the_image_without_root_and_writes_to_data_alone(image):
    """As an engine runs it: this user, no capabilities, nothing but /data writable."""
    port = host.free_port()
    environment = {**image_environment(), "ALERTS_LISTEN": f"127.0.0.1:{port}"}
    environment |= {"ALERTS_BOOTSTRAP_KEY": host.KEY, "PATH": os.defpath + ":/usr/sbin:/sbin"}
    inside = ["chroot", f"--userspec={last('USER')}", str(image)]
    writable = subprocess.run(
        ["find", image, "-perm", "/o+w", "-not", "-type", "l"], capture_output=True, check=True
    )
    assert writable.stdout == b""
    # The program looks itself up there, to compile plugins in a process of its own.
    mounted = ["mount", "-t", "proc", "proc", str(image / "proc")]
    run = ["unshare", "--mount", "--", "sh", "-c", f'{" ".join(mounted)} && exec "$@"', "sh"]
    if subprocess.run([*run, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine gives no mount namespaces")
    log = (image.parent / "log").open("wb")
    serve = [*run, *inside, *json.loads(last("ENTRYPOINT")), *json.loads(last("CMD"))]
    process = subprocess.Popen(serve, env=environment, stdout=log, stderr=log)
    try:
        check = [*inside, *health_command()]

        def healthy():
            assert process.poll() is None, Path(log.name).read_text()[-2000:]
            return subprocess.run(check, env=environment, capture_output=True).returncode == 0

        live = subprocess.run([*check, "--live"], env=environment, capture_output=True, text=True)
        assert live.returncode in (0, 1), live.stderr
        host.wait_until("a healthy container", healthy)
        url = f"http://127.0.0.1:{port}"
        assert host.call(url, "POST", "/v1/events", host.event(1))["accepted"] == 1
        lines = Path(log.name).read_text().splitlines()
        assert all(json.loads(line) for line in lines if line.startswith("{"))
        written = {path.name for path in (image / "data").iterdir()}
        assert {"alerts.db", "encryption.key", "plugin-cache"} <= written
    finally:
        process.terminate()
        process.wait(timeout=30)
    stopped = subprocess.run(check, env=environment, capture_output=True, text=True)
    assert stopped.returncode == 1
    assert "is the host running" in stopped.stderr


def test_every_service_of_the_compose_files_is_locked_down():
    for file in sorted((places.DEPLOY / "compose").glob("compose*.yaml")):
        for name, service in yaml.safe_load(file.read_text())["services"].items():
            if name == "postgres":  # its image drops root by itself, which takes capabilities
                continue
            assert service["read_only"] and service["cap_drop"] == ["ALL"], f"{file}: {name}"
            assert service["security_opt"] == ["no-new-privileges:true"], f"{file}: {name}"
            for port in service.get("ports", []):
                assert port.startswith("127.0.0.1:"), f"{file}: {name} is open to the network"
