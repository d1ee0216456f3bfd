"""The catalogue's own commands: ``python -m methodologies docs DIRECTORY`` and ``… lock FILE``.

``docs`` writes a page a version and the index; ``lock`` adds new versions to the lock file and
refuses when a locked one has changed.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from .digest import extend_lock
from .library import CATALOG
from .render import render, render_index


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a call that is not understood ends with status 2 and the usage."""
    parser = argparse.ArgumentParser(prog="python -m methodologies", description=__doc__)
    parser.add_argument("command", choices=("docs", "lock"))
    parser.add_argument("target", type=Path)
    given = parser.parse_args(arguments)
    if given.command == "docs":
        write_pages(given.target)
    else:
        write_lock(given.target)


def write_pages(folder: Path) -> None:
    """Write a page for each version, and the index."""
    folder.mkdir(parents=True, exist_ok=True)
    for (code, version), document in CATALOG.items():
        (folder / f"{code}-{version}.md").write_text(render(document), encoding="utf-8")
    (folder / "README.md").write_text(render_index(CATALOG.values()), encoding="utf-8")


def write_lock(file: Path) -> None:
    """Add the versions that are new.

    Raises:
        Republished: A locked version has changed or is gone; the file is left as it was.
    """
    locked = file.read_text(encoding="utf-8") if file.exists() else ""
    digests = {key: document.sha256 for key, document in CATALOG.items()}
    file.write_text(extend_lock(locked, digests), encoding="utf-8")


if __name__ == "__main__":
    main()
