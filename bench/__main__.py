"""Runs the measurements; see README.md in this directory."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import report, streams
from bench.cases import CASES, Case, Client, script
from bench.load import Load, Script
from bench.servers import (
    BARE,
    COMMANDS,
    LEAN,
    ROOT,
    URLS,
    VIEW,
    Server,
    cores,
    pinned,
    started,
)

MOUNTS = (BARE, LEAN, URLS, VIEW)
NAMES = (*(case.name for case in CASES), *(kind.name for kind in streams.KINDS))
WARM_UP_S = 0.3
TOKENS = -(-streams.STREAMS // streams.STREAMS_PER_TOKEN)


def options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="default: 5, at most 50")
    parser.add_argument(
        "--seconds",
        type=float,
        default=2.0,
        help="of load on one mount in one round; default: 2, at most 30",
    )
    parser.add_argument("--only", choices=COMMANDS, help="default: all")
    parser.add_argument(
        "--case", choices=NAMES, action="append", help="may be repeated; default: all"
    )
    chosen = parser.parse_args(arguments)
    if not 1 <= chosen.rounds <= 50 or not 0.1 <= chosen.seconds <= 30:
        parser.error("rounds must be 1 to 50, seconds 0.1 to 30")
    return chosen


def environment(directory: Path, tools: int) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "bench.project.settings",
        "BENCH_DATABASE": str(directory / "db.sqlite3"),
        "BENCH_TOOLS": str(tools),
        "PYTHONPATH": str(ROOT),
    }


def issue_tokens(directory: Path) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-m", "bench.project.tokens", str(TOKENS)],
        cwd=ROOT,
        env={**os.environ, **environment(directory, 3)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    return ran.stdout.split()


def sample(server: Server, plan: Script, seconds: float) -> report.Sample:
    """Measure one server for a while, over connections of its own.

    The servers close connections that are idle while others have their turn.
    """
    with Load(server.port, plan) as load:
        load.run(WARM_UP_S)
        cpu_s = server.cpu_s()
        window = load.run(seconds)
        cpu_s = server.cpu_s() - cpu_s
    return report.Sample.of(cpu_s, window.seconds, window.latencies_s)


def measure(
    case: Case, command: str, chosen: argparse.Namespace, directory: Path, token: str
) -> list[report.Row]:
    """Run all mounts in turn, round by round."""
    with ExitStack() as stack:
        environs = environment(directory, case.tools)
        plans: dict[Server, Script] = {}
        for mount in MOUNTS:
            server = stack.enter_context(started(command, mount, environs, directory))
            plans[server] = script(case, Client(server, token))
            sample(server, plans[server], WARM_UP_S)
        samples: Mapping[Server, list[report.Sample]] = {s: [] for s in plans}
        for _ in range(chosen.rounds):
            for server, plan in plans.items():
                samples[server].append(sample(server, plan, chosen.seconds))
    bare = next(iter(samples.values()))
    return [
        report.Row(case.name, command, server.mount.name, taken, bare)
        for server, taken in samples.items()
    ]


def run(chosen: argparse.Namespace, directory: Path) -> None:
    tokens = issue_tokens(directory)
    names = chosen.case or NAMES
    commands = [chosen.only] if chosen.only else list(COMMANDS)
    rows: list[report.Row] = []
    for case in CASES:
        for command in commands if case.name in names else ():
            print(f"{case.name} on {command} ...", file=sys.stderr)
            rows += measure(case, command, chosen, directory, tokens[0])
    outcomes: list[streams.Outcome] = []
    for kind in streams.KINDS:
        for command in commands if kind.name in names else ():
            print(f"{kind.name} on {command} ...", file=sys.stderr)
            for mount in (LEAN, URLS):
                environs = environment(directory, 10)
                with started(command, mount, environs, directory) as server:
                    outcomes.append(streams.measure(kind, command, server, tokens))
    if rows:
        print(report.table(report.HEADINGS, [row.cells() for row in rows]))
        print(f"\n{report.verdict(rows)}")
    if outcomes:
        print(f"\n{streams.STREAMS} open streams\n")
        print(report.table(streams.HEADINGS, [o.cells() for o in outcomes]))


def main() -> None:
    chosen = options(sys.argv[1:])
    load = os.getloadavg()[0]
    print(f"load average before the run: {load:.2f}", file=sys.stderr)
    with (
        tempfile.TemporaryDirectory(prefix="mcp-bench-") as directory,
        pinned(cores()[1]),
    ):
        run(chosen, Path(directory))


if __name__ == "__main__":
    main()
