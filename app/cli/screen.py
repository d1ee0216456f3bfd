"""What the command line shows (终端输出): one JSON document, or text for people."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Annotated, Final

import typer
from rich.console import Console, RenderableType
from rich.table import Table

FAILED: Final = 1
WRONG_INPUT: Final = 2
UNAVAILABLE: Final = 3
REFUSED: Final = 4

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON. 以 JSON 输出")]


def answer(data: Mapping[str, object], *, as_json: bool, people: RenderableType) -> None:
    """Print ``data`` as one JSON document, or what ``people`` read."""
    if as_json:
        sys.stdout.write(json.dumps(data, ensure_ascii=False, default=str) + "\n")
    else:
        Console().print(people, highlight=False, soft_wrap=True)


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    """Lay rows out for people; the first column is what they type, and stays in one piece."""
    made = Table(title=title, title_justify="left")
    for at, column in enumerate(columns):
        made.add_column(column, overflow="fold", no_wrap=at == 0)
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made


def complain(code: str, message: str) -> None:
    """Say on stderr what is wrong, by its code first."""
    sys.stderr.write(f"{code}: {message}\n")
