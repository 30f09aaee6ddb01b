"""Runs the measurements; see README.md in this directory."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import report, streams
from bench.cases import CASES, Case, Plan
from bench.client import Client
from bench.servers import COMMANDS, LEAN, Mount, Server, cores, pinned
from bench.stage import Stage

KINDS = (*streams.FAN_OUTS, *streams.CROWDS)
NAMES = (*(case.name for case in CASES), *(kind.name for kind in KINDS))
WARM_UP_S = 0.3


def options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="default: 3, at most 50")
    parser.add_argument(
        "--seconds",
        type=float,
        default=1.0,
        help="of load on one mount in one round; default: 1, at most 30",
    )
    parser.add_argument(
        "--streams",
        type=int,
        default=300,
        help="that hear of one change; default: 300, at most 5000",
    )
    parser.add_argument("--only", choices=COMMANDS, help="default: all")
    parser.add_argument(
        "--case", choices=NAMES, action="append", help="may be repeated; default: all"
    )
    chosen = parser.parse_args(arguments)
    if not 1 <= chosen.rounds <= 50 or not 0.1 <= chosen.seconds <= 30:
        parser.error("rounds must be 1 to 50, seconds 0.1 to 30")
    if not 1 <= chosen.streams <= streams.MOST:
        parser.error(f"streams must be 1 to {streams.MOST}")
    return chosen


def sample(
    stage: Stage, case: Case, server: Server, plan: Plan, seconds: float
) -> report.Sample:
    """Measure one server for a while, over connections of its own.

    The servers close connections that are idle while others have their turn.
    """
    with plan.load(case.clients) as load:
        load.run(WARM_UP_S)
        cpu_s, redis_s = server.cpu_s(), stage.redis_cpu_s()
        window = load.run(seconds)
        cpu_s, redis_s = server.cpu_s() - cpu_s, stage.redis_cpu_s() - redis_s
    return report.Sample.of(cpu_s, redis_s, window.seconds, window.latencies_s)


def measure(
    stage: Stage, case: Case, command: str, rounds: int, seconds: float
) -> list[report.Row]:
    """Run all mounts in turn, round by round."""
    samples: dict[Mount, list[report.Sample]] = {}
    with ExitStack() as stack:
        turns: list[tuple[Server, Plan]] = []
        for mount in case.mounts:
            server = stack.enter_context(stage.serving(command, mount, case.tools))
            plan = case.plan(case, Client(server, stage.tokens[0]))
            sample(stage, case, server, plan, WARM_UP_S)
            turns.append((server, plan))
        for _ in range(rounds):
            for server, plan in turns:
                taken = sample(stage, case, server, plan, seconds)
                samples.setdefault(server.mount, []).append(taken)
    bare = samples[case.mounts[0]]
    return [
        report.Row(case.name, command, mount, taken, bare, samples[LEAN])
        for mount, taken in samples.items()
    ]


def run(chosen: argparse.Namespace, stage: Stage) -> None:
    names = chosen.case or NAMES
    commands = [chosen.only] if chosen.only else list(COMMANDS)
    rows: list[report.Row] = []
    for case in CASES:
        for command in commands if case.name in names else ():
            print(f"{case.name} on {command} ...", file=sys.stderr)
            rows += measure(stage, case, command, chosen.rounds, chosen.seconds)
    outcomes: list[streams.Outcome] = []
    for kind in KINDS:
        for command in commands if kind.name in names else ():
            for count in kind.counts or [chosen.streams]:
                if command in kind.commands:
                    print(f"{kind.name} on {command} ...", file=sys.stderr)
                    outcomes += streams.measure(stage, kind, command, count)
    if rows:
        print(report.table(report.HEADINGS, [row.cells() for row in rows]))
        print(f"\n{report.verdict(rows)}\n")
    if outcomes:
        print(report.table(streams.HEADINGS, [o.cells() for o in outcomes]))


def main() -> None:
    chosen = options(sys.argv[1:])
    load = os.getloadavg()[0]
    print(f"load average before the run: {load:.2f}", file=sys.stderr)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Handed down to the servers: each stream is a file on both sides.
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with (
        tempfile.TemporaryDirectory(prefix="mcp-bench-") as directory,
        pinned(cores()[1]),
        Stage.ready(Path(directory), streams.TOKENS) as stage,
    ):
        run(chosen, stage)


if __name__ == "__main__":
    main()
