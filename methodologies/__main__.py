"""The catalogue's own commands: ``python -m methodologies docs DIRECTORY`` and ``… lock FILE``.

``docs`` writes a page a version and the index; ``lock`` adds new versions to the lock file and
refuses when a locked one has changed.
"""

import sys
from pathlib import Path

from .digest import extend_lock
from .library import CATALOG
from .render import render, render_index

_WORDS = 3


def main(arguments: list[str]) -> int:
    """Run one command; 2 for a call that is not understood."""
    if len(arguments) != _WORDS or arguments[1] not in {"docs", "lock"}:
        sys.stderr.write("usage: python -m methodologies docs DIRECTORY | lock FILE\n")
        return 2
    target = Path(arguments[2])
    if arguments[1] == "docs":
        target.mkdir(parents=True, exist_ok=True)
        for (code, version), document in CATALOG.items():
            (target / f"{code}-{version}.md").write_text(render(document), encoding="utf-8")
        index = render_index(CATALOG.values())
        (target / "README.md").write_text(index, encoding="utf-8")
        return 0
    locked = target.read_text(encoding="utf-8") if target.exists() else ""
    digests = {key: document.sha256 for key, document in CATALOG.items()}
    target.write_text(extend_lock(locked, digests), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
