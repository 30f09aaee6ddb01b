"""The rules of the house that a machine can see."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("mcp_transport", "tools_app", "mcpsite", "deploy", "tests", "bench")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
EMPTY_NAMES = {"utils", "helpers", "common", "manager", "misc"}


def modules(*packages: str) -> list[Path]:
    return [
        path
        for package in packages or PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def shown(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def is_test(path: Path) -> bool:
    return path.relative_to(ROOT).parts[0] in {"tests", "bench"}


def bare_strings(tree: ast.Module) -> set[ast.Constant]:
    """Return the strings that stand as statements of their own: docstrings."""
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def dates_in(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield each literal that names a date; prose in a docstring may name one."""
    prose = bare_strings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            value = node.value
            text = value if isinstance(value, str) else value.decode("latin-1")
            if DATE.fullmatch(text) if node in prose else DATE.search(text):
                yield node.lineno, text


def functions_in(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported_by(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_the_rules_see_the_code() -> None:
    assert len(modules("mcp_transport", "tools_app", "mcpsite")) > 40
    assert Path(__file__) in modules("tests")


def test_the_protocol_never_waits() -> None:
    assert [
        shown(path, node.lineno)
        for path in modules("mcp_transport/protocol")
        for node in ast.walk(tree_of(path))
        if isinstance(
            node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith
        )
    ] == []


def test_the_protocol_knows_no_clock_and_no_loop() -> None:
    forbidden = {"asyncio", "datetime", "threading", "time"}
    assert [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules("mcp_transport/protocol")
        for name in imported_by(tree_of(path))
        if name.partition(".")[0] in forbidden
    ] == []


def test_revisions_are_named_only_in_their_own_files() -> None:
    revisions = ROOT / "mcp_transport" / "protocol" / "revisions"
    assert [
        f"{shown(path, line)}: {text!r}"
        for path in modules("mcp_transport", "tools_app", "mcpsite")
        if revisions not in path.parents
        for line, text in dates_in(tree_of(path))
    ] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('VERSION = "2025-06-18"', [(1, "2025-06-18")]),
        ('VERSION = b"2025-06-18"', [(1, "2025-06-18")]),
        ('f"{x} since 2025-06-18"', [(1, " since 2025-06-18")]),
        ('raise ValueError("no 2025-06-18 here")', [(1, "no 2025-06-18 here")]),
        ('"""Spec: 2025-06-18 server/tools."""', []),
        ('"2025-06-18"', [(1, "2025-06-18")]),
        ('"12025-06-18"\nx = "v2025_06_18"', []),
    ],
)
def test_a_date_is_found_where_it_is_one(
    source: str, found: list[tuple[int, str]]
) -> None:
    assert list(dates_in(ast.parse(source))) == found


def test_importing_the_package_does_not_import_django() -> None:
    code = (
        "import sys, mcp_transport\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}\n"
        "  & {'asgiref', 'channels', 'daphne', 'django', 'redis'}))"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout.split(), ran.stderr) == (0, [], "")


def test_files_stay_short() -> None:
    assert [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in modules()
        if (lines := len(path.read_text(encoding="utf-8").splitlines()))
        > (600 if is_test(path) else 400)
    ] == []


def test_functions_stay_short() -> None:
    assert [
        f"{shown(path, node.lineno)}: {node.name} has {lines} lines"
        for path in modules()
        for node in functions_in(tree_of(path))
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1)
        > (80 if is_test(path) else 40)
    ] == []


def test_names_of_modules_say_something() -> None:
    assert [
        str(path.relative_to(ROOT))
        for path in modules()
        if path.stem in EMPTY_NAMES or EMPTY_NAMES & set(path.relative_to(ROOT).parts)
    ] == []


def test_no_exception_is_swallowed_whole() -> None:
    silent = (ast.Pass, ast.Continue)
    assert [
        shown(path, node.lineno)
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler)
        and all(isinstance(statement, silent) for statement in node.body)
        and (
            node.type is None
            or ast.unparse(node.type) in {"Exception", "BaseException"}
        )
    ] == []


def test_imports_go_downward() -> None:
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Contracts: 3 kept, 0 broken." in ran.stdout
