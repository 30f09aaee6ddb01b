"""A client over stdio has its calls in the ledger when its process has ended."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from mcp_transport.protocol.peer import CAPABILITIES_KEY, VERSION_KEY
from mcp_transport.protocol.revisions import LATEST
from tests.serving import ROOT

BOUND_S = 120


def call(number: int) -> bytes:
    params = {
        "name": "echo",
        "arguments": {"text": f"call {number}"},
        "_meta": {VERSION_KEY: LATEST.name, CAPABILITIES_KEY: {}},
    }
    message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
    return json.dumps(message).encode() + b"\n"


def test_its_calls_are_written_before_the_process_ends(tmp_path: Path) -> None:
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.faults.served.ledger_settings",
        "FAULTS_DATABASE": str(tmp_path / "ledger.sqlite3"),
        "FAULTS_JOURNAL": str(tmp_path / "journal.jsonl"),
    }

    def run(*arguments: str, said: bytes = b"") -> bytes:
        ran = subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            input=said,
            env=environ,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
            timeout=BOUND_S,
        )
        return ran.stdout

    run("migrate", "--verbosity=0")
    users = "from django.contrib.auth.models import User; User.objects.create"
    run("shell", "-c", f"{users}(username='ada')")
    answers = run("mcp", "stdio", "--user", "ada", said=b"".join(map(call, range(5))))
    assert len(answers.splitlines()) == 5
    with closing(sqlite3.connect(environ["FAULTS_DATABASE"])) as connection:
        rows = connection.execute(
            "SELECT json_extract(arguments, '$.text'), door, username "
            "FROM tools_app_call JOIN auth_user ON auth_user.id = user_id ORDER BY 1"
        ).fetchall()
    assert rows == [(f"call {number}", "stdio", "ada") for number in range(5)]
