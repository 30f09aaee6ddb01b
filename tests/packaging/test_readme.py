"""A reader who follows README.md gets a server that the official client can call."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import peers
from tests.packaging import readme
from tests.packaging.readme import Step
from tests.serving import ROOT, daphne

README = ROOT / "README.md"
PROJECT = "mysite"
APP = "shop"
CLIENT = ROOT / "tests" / "clients" / "programs" / "call.py"
# What readers have before they begin: a stock project, an app of theirs, a user.
BEFORE = f"""\
pip install --quiet django
django-admin startproject {PROJECT} .
python manage.py startapp {APP}
python manage.py migrate --verbosity 0
python manage.py createsuperuser --noinput --username admin --email a@example.com
"""


class Reader:
    """Follows steps in a directory, inside of a virtual environment."""

    def __init__(self, directory: Path, environment: Path, wheel: Path) -> None:
        self.directory = directory
        self.environment = environment
        self.served: list[str] = []
        self.said = ""
        constraints = directory.with_name("constraints.txt")
        constraints.write_text(
            f"{(ROOT / 'requirements.txt').read_text('utf-8')}\n"
            f"django-mcp-transport=={wheel.name.split('-')[1]}\n"
        )
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")},
            "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
            "VIRTUAL_ENV": str(environment),
            "PIP_CONSTRAINT": str(constraints),
            "PIP_FIND_LINKS": f"{wheel.parent} {os.environ.get('PIP_FIND_LINKS', '')}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "DJANGO_SUPERUSER_PASSWORD": "only for the tests",
        }

    def follow(self, step: Step) -> None:
        if step.verb == "shell":
            lines = step.text.splitlines()
            self.served += [line for line in lines if line.startswith("daphne ")]
            commands = [line for line in lines if not line.startswith("daphne ")]
            self.shell("\n".join(commands))
            return
        path = self.directory / (
            step.path if "/" in step.path else f"{PROJECT}/{step.path}"
        )
        match step.verb:
            case "append":
                with path.open("a", encoding="utf-8") as file:
                    file.write(f"\n{step.text}")
            case "replace":
                assert path.exists()
                path.write_text(step.text, encoding="utf-8")
            case "create":
                assert not path.exists()
                path.write_text(step.text, encoding="utf-8")
            case verb:
                pytest.fail(f"README.md has a step that nobody can follow: {verb}")

    def shell(self, commands: str) -> str:
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.directory,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ran.returncode == 0, f"{commands}\n{ran.stdout}{ran.stderr}"
        self.said += ran.stdout
        return ran.stdout


@pytest.fixture
def reader(tmp_path: Path, environment: Path, wheel: Path) -> Iterator[Reader]:
    directory = tmp_path / "project"
    directory.mkdir()
    reader = Reader(directory, environment, wheel)
    reader.shell(BEFORE)
    yield reader


def test_the_steps_are_few() -> None:
    assert 1 < len(readme.steps(README)) <= 5


def test_the_steps_lead_to_a_call(reader: Reader, tmp_path: Path) -> None:
    for step in readme.steps(README):
        reader.follow(step)
    reader.shell("python manage.py check --fail-level WARNING")
    # Which switches DEBUG off, with the SECRET_KEY of a stock project.
    reader.shell(f"python manage.py test {APP}")
    (command,) = reader.served
    (token,) = re.findall(r"^mcp_\S+$", reader.said, re.MULTILINE)
    application = command.split()[1]
    python = reader.environment / "bin" / "python"
    call = readme.final_call(README)

    with daphne(
        application,
        tmp_path / "daphne.log",
        python=python,
        cwd=reader.directory,
        environ={"VIRTUAL_ENV": str(reader.environment)},
    ) as served:
        called = peers.run(
            [peers.python("python-sdk-2.3"), CLIENT, served.url, call.tool],
            environ={"TOKEN": token, "ARGUMENTS": json.dumps(call.arguments)},
            timeout_s=60,
        )
        assert called.returncode == 0, called.stderr + served.said()
        command, promised = readme.curl(README)
        assert "http://127.0.0.1:8000/mcp" in command
        reader.environ["TOKEN"] = token
        answered = reader.shell(
            command.replace("127.0.0.1:8000", f"127.0.0.1:{served.port}")
        )
    assert called.stdout.strip() == call.result
    assert json.loads(answered) == promised
