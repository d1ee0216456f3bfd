"""What a document claims (文档所言), read out of its text: links, files, commands, sections."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

TOP: Final = "app ledger methodologies contracts tests web docs rules benchmarks".split()  # noqa: SIM905 -- reads better
FENCE: Final = re.compile(r"^(```|~~~)(\w*)\n(.*?)^\1", re.MULTILINE | re.DOTALL)
INLINE: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FILE: Final = re.compile(rf"(?:{'|'.join(TOP)})/[\w./-]*|[\w.-]+\.(?:md|toml|ini)|\.ci/run")


def links(text: str) -> Iterator[str]:
    """Give the target of every link that stays inside the repository."""
    for target in LINK.findall(FENCE.sub("", text)):
        if "://" not in target and not target.startswith("mailto:"):
            yield target


def anchors(text: str) -> set[str]:
    """Give the anchors of a document's headings, as the forges make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.replace("`", "")).strip().lower().replace(" ", "-")
        for heading in headings
    }


def dead_links(root: Path, path: str, text: str) -> Iterator[str]:
    """Find links to files or headings that are not there."""
    for target in links(text):
        name, _, anchor = target.partition("#")
        file = (root / path).parent / name if name else root / path
        if not file.exists():
            yield f"{path}: {target}"
        elif anchor and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"{path}: {target} has no such heading"


def missing_files(root: Path, path: str, text: str) -> Iterator[str]:
    """Find files named in backticks that are not there; ``*`` and ``<…>`` name kinds, not files."""
    for named in INLINE.findall(FENCE.sub("", text)):
        if FILE.fullmatch(named) and not any(
            (home / named).exists() for home in (root, (root / path).parent, root / "docs")
        ):
            yield f"{path}: {named}"


def commands(text: str, program: str) -> Iterator[list[str]]:
    """Give every command line of ``program`` in fences and in backticks, as words."""
    spoken = [
        line.strip().removeprefix("$ ")
        for *_, body in FENCE.findall(text)
        for line in body.splitlines()
    ]
    for line in [*spoken, *INLINE.findall(FENCE.sub("", text))]:
        words = line.partition(" #")[0].split()
        if words[:1] == [program]:
            yield words[1:]


class Commands(dict[str, "Commands"]):
    """A tree of commands by name; a leaf is empty."""


def unknown_command(words: list[str], tree: Commands) -> str | None:
    """Follow ``words`` down the tree of commands; the word that leads nowhere, if one does."""
    here = tree
    for word in words:
        if not here or not re.fullmatch(r"[a-z][a-z0-9|-]*", word):
            return None
        if unknown := [choice for choice in word.split("|") if choice not in here]:
            return unknown[0]
        here = here[word.partition("|")[0]]
    return None


def sections(text: str) -> list[str]:
    """Give the second-level headings in order."""
    return re.findall(r"^## (.+)$", FENCE.sub("", text), re.MULTILINE)


def markdown(tree: Mapping[str, str]) -> dict[str, str]:
    """Keep the documents of a tree."""
    return {path: text for path, text in tree.items() if PurePosixPath(path).suffix == ".md"}
