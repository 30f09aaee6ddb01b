"""The containers, as far as can be seen without running them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.cluster import APPLICATION, OPTIONS
from deploy.docker.healthy import check
from deploy.servers import DEPLOY, ROOT
from tests.deploy.serving import options_of
from tests.serving import Served, daphne

DOCKER = DEPLOY / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
SERVICES = {"nginx", "web", "setup", "db", "redis"}
MIRROR = "tests.deploy.mirror:application"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return found


def test_what_is_used_is_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == SERVICES
    for service in services.values():
        assert set(service.get("depends_on", {})) <= SERVICES
        assert set(service["networks"]) <= set(compose["networks"])
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if not source.startswith("."):
                assert source in compose["volumes"]
            elif "secrets" not in source:
                assert (DOCKER / source).is_file(), source
    build = services["web"]["build"]
    context = (DOCKER / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).read_text() == DOCKERFILE


def test_only_nginx_is_reached_from_outside(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert ("ports" in service) == (name == "nginx")
        assert ("outside" in service["networks"]) == (name == "nginx")


def test_each_waits_for_what_it_needs_and_comes_back(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name in SERVICES - {"setup"}:
        assert services[name]["restart"] == "unless-stopped"
        checked = "healthcheck" in services[name] or "HEALTHCHECK" in DOCKERFILE
        assert checked, name
    waits = services["web"]["depends_on"]
    assert {name: wait["condition"] for name, wait in waits.items()} == {
        "setup": "service_completed_successfully",
        "db": "service_healthy",
        "redis": "service_healthy",
    }
    assert services["web"]["deploy"]["replicas"] > 1


def test_no_secret_is_in_the_environment(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|STORE", name):
                assert name.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_secrets_are_made_once_and_belong_together(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    docker = tmp_path / "deploy" / "docker"
    shutil.rmtree(docker / "secrets", ignore_errors=True)
    command = [docker / "make-secrets"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    made = {
        path.name: path.read_text()
        for path in (docker / "secrets").iterdir()
        if path.is_file()
    }
    assert (docker / "secrets").stat().st_mode & 0o777 == 0o700
    named = {Path(secret["file"]).name for secret in compose["secrets"].values()}
    assert set(made) == named
    (password,) = re.findall(r"^redis://mcp:(\w{64})@redis:6379/0$", made["store"])
    assert f"user mcp on >{password} " in made["redis_users"]
    again = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert again.returncode == 1
    assert b"is there already" in again.stderr
    assert (docker / "secrets" / "store").read_text() == made["store"]


def test_the_image_serves_as_the_units_do(compose: dict[str, Any]) -> None:
    (found,) = re.findall(r"^CMD (\[.*?\])$", DOCKERFILE, re.MULTILINE | re.DOTALL)
    python, *command = json.loads(found.replace("\\\n", ""))
    assert python == ".venv/bin/python"
    given = options_of(command)
    assert given.application == APPLICATION
    assert (given.host, given.port) == ("0.0.0.0", 8000)
    assert set(OPTIONS) <= set(command)
    patience = compose["services"]["web"]["stop_grace_period"]
    assert int(patience.removesuffix("s")) > given.grace_s + 2
    assert "\nUSER mcp\n" in DOCKERFILE


def test_the_image_has_what_the_site_consists_of() -> None:
    lines = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    assert lines[1] == "*"  # whatever is not named stays out
    for line in lines:
        if line.startswith("!"):
            assert (ROOT / line[1:]).exists(), line
    named = {line[1:] for line in lines if line.startswith("!")}
    needed = {"manage.py", "mcp_transport", "mcpsite", "tools_app", "templates", "docs"}
    assert needed <= named
    assert lines.index("deploy/docker/secrets") > lines.index("!deploy/docker")


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    log = tmp_path_factory.mktemp("mirror") / "daphne.log"
    with daphne(MIRROR, log, environ={}) as served:
        yield served


def test_a_container_is_healthy_when_it_answers_by_its_name(
    mirror: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_ALLOWED_HOSTS", "mcp.example.com,other")
    check(f"{mirror.origin}/health")
    mirror.kill()
    with pytest.raises(OSError, match="refused"):
        check(f"{mirror.origin}/health")
