"""What the proofreader finds, and what it lets pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcpsite.documents import PROJECT, Library
from mcpsite.proofreading import Finding, check_code, check_links, proofread

LONG = (
    "The keeper shall write down the hour at which the lamp was lit, the hour at "
    "which it was put out, the state of the sea and every ship that passed, and "
    "shall sign the page before the next night falls."
)


def pages(root: Path, **texts: str) -> Library:
    (root / "docs").mkdir()
    for name, text in texts.items():
        (root / "docs" / f"{name}.md").write_text(text, encoding="utf-8")
    return Library.read(root)


def faults(library: Library, name: str) -> list[tuple[int, str, str]]:
    found = proofread(library, library.pages[name])
    assert {finding.page for finding in found} <= {name}
    return [(finding.line, finding.fault, finding.message) for finding in found]


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("[x](gone.md)", "gone.md: there is no such file"),
        ("[x](b.md#gone)", "b.md#gone: b has no such heading"),
        ("[x](#gone)", "#gone: a has no such heading"),
        ("![x](gone.png)", "gone.png: there is no such file"),
        ('[x](<gone.md> "title")', "gone.md: there is no such file"),
    ],
)
def test_a_dead_link_is_found(tmp_path: Path, link: str, message: str) -> None:
    library = pages(tmp_path, a=f"# A\n\nSee {link}.\n", b="# B\n")
    assert faults(library, "a") == [(3, "link", message)]


@pytest.mark.parametrize(
    "link",
    [
        "[x](b.md)",
        "[x](b.md#part-one)",
        "[x](#a)",
        "[x](..)",
        "[x](https://example.com/gone)",
        "[x](mailto:somebody@example.com)",
        "`[x](gone.md)`",
        "\n```\n[x](gone.md)\n```",
    ],
)
def test_what_is_no_dead_link_passes(tmp_path: Path, link: str) -> None:
    library = pages(tmp_path, a=f"# A\n\nSee {link}\n", b="# B\n\n## Part one\n")
    assert faults(library, "a") == []


def test_code_that_does_not_parse_is_found(tmp_path: Path) -> None:
    text = '# A\n\n```python\ndef f(:\n```\n\n```json\n{"a": }\n```\n'
    (python, json) = faults(pages(tmp_path, a=text), "a")
    assert python[:2] == (3, "code")
    assert python[2].startswith("python: ")
    assert json[:2] == (7, "code")
    assert json[2].startswith("json: Expecting value")


def test_code_that_parses_passes_and_is_not_run(tmp_path: Path) -> None:
    text = (
        "# A\n\n```python\nraise SystemExit(await f())\n```\n"
        "```json\n{}\n```\n```sh\nif [ (\n```\n"
    )
    assert faults(pages(tmp_path, a=text), "a") == []


def test_a_passage_is_found_where_it_is_said_again(tmp_path: Path) -> None:
    again = LONG.replace("keeper", "guard")
    library = pages(tmp_path, a=f"# A\n\n{LONG}\n", b=f"# B\n\nShort.\n\n{again}\n")
    assert faults(library, "a") == []
    assert faults(library, "b") == [
        (5, "repetition", "says again what a says in line 3")
    ]


def test_a_passage_is_found_again_on_its_own_page(tmp_path: Path) -> None:
    library = pages(tmp_path, a=f"# A\n\n{LONG}\n\n## B\n\n{LONG}\n")
    assert faults(library, "a") == [
        (7, "repetition", "says again what a says in line 3")
    ]


def test_the_projects_own_documentation_is_sound() -> None:
    library = Library.read(PROJECT)
    assert "readme" in library.pages
    findings: list[Finding] = []
    for page in library.pages.values():
        findings += [*check_links(library, page), *check_code(page)]
    assert findings == []
