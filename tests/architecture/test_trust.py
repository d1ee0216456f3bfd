"""What each store is trusted for (逐库信任): a row of docs/architecture.md, and its test."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
MAY_ASK_REDIS = {
    "app/growth/board_cache.py",
    "app/kernel/limits.py",
    "app/kernel/redis.py",
}
"""Whoever is added here brings a test that empties it, and one that takes it away."""


def rows(heading: str) -> list[list[str]]:
    """The cells of the table that begins with ``heading``."""
    lines = TEXT[TEXT.index(heading) :].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_store_names_a_test_that_exists() -> None:
    stores = [row[0] for row in rows("| store | trusted for |")]
    held = rows("| store | the test that")
    assert [store for store, _ in held if store] == stores
    for _, named in held:
        found = re.fullmatch(r"`([\w/]+\.py)::(test_\w+)`", named)
        assert found, named
        text = (ROOT / found[1]).read_text(encoding="utf-8")
        assert f"def {found[2]}(" in text, named


def imported(path: Path) -> set[str]:
    """The top-level names of everything that a module imports, however late."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_nobody_else_asks_redis() -> None:
    """Redis may be emptied at any moment: what it holds is counted or built again from rows."""
    asking = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "app").rglob("*.py")
        if "redis" in imported(path)
    }
    assert asking == MAY_ASK_REDIS
