"""The documents say what is: their links lead somewhere, their commands and files exist."""

import importlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.ticks import JOBS
from benchmarks.__main__ import GROWTH, NOTES, PARTS
from docs import generate
from tests.architecture import documents, tidy
from tests.architecture.documents import Commands

ROOT = Path(__file__).parents[2]
GENERATED = ("docs/methodologies/", "CHANGELOG.md")
"""Pages that quote documents, or speak of what was: their files need not be here now."""


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return documents.markdown(tidy.repository(ROOT))


def test_the_generated_pages_are_what_the_code_says() -> None:
    assert not generate.stale(ROOT), "run: python docs/generate.py"


def test_every_link_leads_somewhere(pages: dict[str, str]) -> None:
    assert not [
        dead for path, text in pages.items() for dead in documents.dead_links(ROOT, path, text)
    ]


def test_every_file_that_is_named_exists(pages: dict[str, str]) -> None:
    missing = [
        found
        for path, text in pages.items()
        if not path.startswith(GENERATED)
        for found in documents.missing_files(ROOT, path, text)
    ]
    assert not missing


def command_tree(command: Any) -> Commands:  # noqa: ANN401 -- click gives its groups untyped
    """Give the commands below a typer or click command, by name."""
    below: dict[str, Any] = getattr(command, "commands", {})
    return Commands({name: command_tree(child) for name, child in below.items()})


def test_every_command_that_is_named_exists(pages: dict[str, str]) -> None:
    commands = importlib.import_module("app.cli.commands")
    tree = command_tree(importlib.import_module("typer.main").get_command(commands.tree()))
    assert tree, "introspection found no command"
    unknown = [
        f"{path}: tanpu {' '.join(words)}: {word}"
        for path, text in pages.items()
        for words in documents.commands(text, "tanpu")
        if (word := documents.unknown_command(words, tree))
    ]
    assert not unknown


def make_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][\w-]*):", text, re.MULTILINE))


def test_every_make_target_that_is_named_exists(pages: dict[str, str]) -> None:
    if not (ROOT / "Makefile").exists():
        pytest.skip("the Makefile is not written yet")
    tree = Commands({target: Commands() for target in make_targets()})
    unknown = [
        f"{path}: make {words[0]}"
        for path, text in pages.items()
        for words in documents.commands(text, "make")
        if words and (documents.unknown_command(words[:1], tree))
    ]
    assert not unknown


DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_the_sections_of_the_template(path: Path) -> None:
    template = documents.sections((ROOT / "docs/decisions/template.md").read_text(encoding="utf-8"))
    assert documents.sections(path.read_text(encoding="utf-8")) == template


def test_the_decisions_are_numbered_without_a_gap_and_listed() -> None:
    names = [path.name for path in DECISIONS]
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    assert [name for name in names if f"({name})" not in index] == []


def test_every_setting_says_what_it_means() -> None:
    text = generate.settings_page((ROOT / "app/kernel/settings.py").read_text(encoding="utf-8"))
    assert not re.findall(r"^\| `(\w+)` .*\|  \|$", text, re.MULTILINE)


def test_the_map_names_whatever_stands_in_app() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    table = text.split("| in `app/` | what it is |")[1].split("\n\n")[0]
    firsts = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", " ".join(firsts)))
    standing = {
        path.stem
        for path in (ROOT / "app").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert named == standing - {"__init__"}


UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def test_the_page_on_operations_lists_each_job_with_its_interval() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    table = text.split("| job | a slot every |")[1].split("\n\n")[0]
    listed = re.findall(r"^\| `([\w-]+)` \| (\d+) (\w+) \|", table, re.MULTILINE)
    said = [(name, timedelta(seconds=int(count) * UNITS[unit])) for name, count, unit in listed]
    assert said == [(name, every) for name, every, _ in JOBS]


def test_the_page_on_performance_has_every_part_and_what_is_said_of_it() -> None:
    text = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    assert [
        part.title for part in PARTS if f"## {part.title}\n\nBudget: {part.budget}\n" not in text
    ] == []
    said = [NOTES / f"{part.module}.txt" for part in PARTS]
    assert set(NOTES.iterdir()) <= {*said, GROWTH}
    assert [
        path for path in (*said, GROWTH) if path.exists() and path.read_text() not in text
    ] == []


WORDS = [
    *["accepted", "duplicate", "merged", "refused", "ineligible", "conflict", "malformed"],
    *["reduction", "points", "unit", "money", "fen"],
    *["pool", "absorbed", "cancelled", "given", "retired", "invalidated", "expired", "redeemed"],
    *["issuance", "issued", "correction", "bank", "clearing"],
    *["citizen", "held", "organisation", "gathering", "merchant", "budget", "buffer"],
    *["entry", "account leaf", "cell", "epoch", "header", "receipt", "proof", "anchor", "aux"],
]


def test_every_word_of_the_spine_is_in_the_glossary() -> None:
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    assert not [word for word in WORDS if f"**{word}**" not in text]


BROKEN = {
    "a link": (documents.dead_links, "see [it](gone.md)", "a.md: gone.md"),
    "a heading": (documents.dead_links, "# One\n[it](#two)", "a.md: #two has no such heading"),
    "a file": (documents.missing_files, "in `app/gone.py`", "a.md: app/gone.py"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_document_that_names_what_is_gone_is_found(kind: str, tmp_path: Path) -> None:
    check, text, finding = BROKEN[kind]
    (tmp_path / "a.md").write_text(text)
    assert list(check(tmp_path, "a.md", text)) == [finding]


def test_a_command_that_does_not_exist_is_found() -> None:
    text = "run `tanpu epoch open`\n\n```\n$ tanpu audit --json  # all of it\ntanpu fly\n```\n"
    tree = Commands(epoch=Commands(close=Commands()), audit=Commands())
    said = list(documents.commands(text, "tanpu"))
    assert [documents.unknown_command(words, tree) for words in said] == [None, "fly", "open"]
