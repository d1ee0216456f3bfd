"""The line on which each key of a TOML text stands.

`tomllib` gives values without their places, so the text is scanned once more, by lines, for
table headers and keys. It runs only over text that `tomllib` has accepted; a key inside an inline
table has no line of its own and is found at the line of the key that holds it.
"""

import re
from typing import Final

Path = tuple[str | int, ...]

_HEADER: Final = re.compile(r"^\s*(\[\[?)([^\[\]]+)(\]\]?)\s*(?:#.*)?$")
_BARE: Final = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_KEY: Final = re.compile(rf"^\s*({_BARE}(?:\s*\.\s*{_BARE})*)\s*=(.*)$")
_PART: Final = re.compile(_BARE)
_DEPTH_MAX: Final = 8
_QUOTES: Final = ('"""', "'''")


def scan(text: str) -> dict[Path, int]:
    r"""Map each key path to its line, from 1.

    >>> scan('a = 1\n[[b]]\nc = 2')
    {('a',): 1, ('b',): 2, ('b', 0): 2, ('b', 0, 'c'): 3}
    """
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    open_quote = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if open_quote:
            open_quote = "" if open_quote in line else open_quote
            continue
        if header := _HEADER.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                index = counts.get(table, 0)
                counts[table] = index + 1
                table = (*table, index)
            for length in range(1, min(len(table), _DEPTH_MAX) + 1):
                lines.setdefault(table[:length], number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_parts(key[1])), number)
            open_quote = next((q for q in _QUOTES if key[2].count(q) % 2), "")
    return lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """Find the line of ``path``, else that of the nearest key that holds it, else 1."""
    for length in range(len(path), 0, -1):
        if found := lines.get(path[:length]):
            return found
    return 1


def dotted(path: Path) -> str:
    """Write a path as people do.

    >>> dotted(("eligibility", 0, "require"))
    'eligibility[0].require'
    """
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")


def _parts(text: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(text))
