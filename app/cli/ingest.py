"""``tanpu ingest`` (接收): take a file of activities in, one outcome a line."""

import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app.activities import ItemOutcome, UploadResult, decided, enrol, read_items
from app.activities import ingest as take_in
from app.activities.choice import Choice
from app.activities.importers import Import, Options, Replay, open_import, read_segments
from app.activities.reading import ItemFile
from app.city import City, open_city
from app.cli.screen import WRONG_INPUT, AsJson, answer, complain, table
from app.kernel.clock import now
from app.kernel.settings import Settings

File = Annotated[Path, typer.Argument(help="CSV, NDJSON or Parquet; the first two also .gz. 文件")]
Provider = Annotated[str, typer.Option(help="The provider's code. 数据提供方")]
Methodology = Annotated[str, typer.Option(help="The methodology's code. 方法学")]
Version = Annotated[
    int | None, typer.Option(help="Pin one version; else the one of each act's day.")
]
Format = Annotated[
    str | None, typer.Option("--format", help="Importer of a real file, by name. 导入器")
]
ShiftDays = Annotated[int, typer.Option(help="Replay: move the whole file by days. 重放")]
Day = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Day of a file that does not tell, YYYY-MM-DD."),
]
Declared = Annotated[
    list[str] | None,
    typer.Option("--declare", help="name=value for every line, such as capacity=6. 声明"),
]
SegmentsFile = Annotated[Path | None, typer.Option(help="Track between stations. 区间里程")]
Advance = Callable[[Sequence[ItemOutcome]], None]


@dataclass(slots=True)
class Told:
    """How many lines have a reason, and the first of them."""

    first: int
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file."""

    result: UploadResult
    enrolled: int
    seconds: float
    reasons: Mapping[tuple[str, str], "Told"]
    """Outcome and reason → the lines that ended so."""

    def summary(self) -> dict[str, object]:
        """Give the fixed form of the answer."""
        return {
            **{str(outcome): count for outcome, count in self.result.counts.items()},
            "enrolled": self.enrolled,
            "reduction_mg": self.result.reduction_mg,
            "seconds": round(self.seconds, 3),
        }

    def page(self) -> dict[str, object]:
        """Give what people read: the fixed form, and what lies beside it."""
        return {
            **self.summary(),
            "corrected_mg": self.result.corrected_mg,
            "upload": self.result.upload,
        }

    def why(self) -> list[tuple[object, ...]]:
        """Give the reasons, the most frequent first."""
        told = sorted(self.reasons.items(), key=lambda each: (-each[1].lines, each[0]))
        return [(*key, each.lines, each.first) for key, each in told]


def ingest(
    file: File,
    provider: Provider,
    methodology: Methodology,
    version: Version = None,
    importer: Format = None,
    shift_days: ShiftDays = 0,
    day: Day = None,
    segments: SegmentsFile = None,
    declare: Declared = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Take a file of activities in; every line ends with one outcome (接收行为数据)."""
    if not file.is_file():
        complain("file", f"{file}: no such file 没有这个文件")
        raise typer.Exit(WRONG_INPUT)
    declared = dict(_declaration(pair) for pair in declare or ())
    if importer is None and (shift_days or day or segments or declared):
        told = (
            "--shift-days, --day, --segments and --declare are an importer's: name it by --format"
        )
        complain("input", f"{told} 这些选项须与 --format 同用")
        raise typer.Exit(WRONG_INPUT)
    settings = Settings()
    with open_city(settings) as city:
        choice = city.db.read(decided, methodology, version)
        source: ItemFile | Import
        if importer is None:
            source = read_items(file, choice)
        else:
            options = Options(
                replay=Replay(shift_days),
                day=None if day is None else day.date(),
                segments=None if segments is None else read_segments(segments),
                declared=declared,
            )
            source = open_import(importer, file, choice, options)
        taken = take(city, provider, choice, source, showing=not as_json)
    people: list[RenderableType] = [table(str(file), ("", ""), taken.page().items())]
    if why := taken.why():
        columns = ("outcome", "原因 reason", "lines", "首行 first at line")
        people.append(table("原因 Why", columns, why))
    answer(taken.summary(), as_json=as_json, people=Group(*people))


def take(
    city: City, provider: str, choice: Choice, source: ItemFile | Import, *, showing: bool
) -> Taken:
    """Enrol unknown subjects outside production, then take the items in."""
    begun = time.monotonic()
    settings = city.settings
    enrolled = 0
    if not settings.is_production:
        enrolled = enrol(
            city.db, city.keys, provider, choice, source, at=now(), is_production=False
        )
    reasons: dict[tuple[str, str], Told] = {}
    with _bar(showing=showing) as advance:

        def seen(outcomes: Sequence[ItemOutcome]) -> None:
            advance(outcomes)
            for each in outcomes:
                if each.reason:
                    key = (each.outcome.value, each.reason)
                    reasons.setdefault(key, Told(each.line)).lines += 1

        result = take_in(
            city.db,
            city.keys,
            settings,
            provider,
            choice,
            source,
            at=now(),
            sha256=source.sha256,
            progress=seen,
        )
    return Taken(result, enrolled, time.monotonic() - begun, reasons)


def _declaration(pair: str) -> tuple[str, str]:
    name, separator, value = pair.partition("=")
    if not separator:
        raise typer.BadParameter(f"{pair!r} is not name=value", param_hint="--declare")
    return name.strip(), value.strip()


@contextmanager
def _bar(*, showing: bool) -> Generator[Advance]:
    """Show progress on a terminal, and nothing elsewhere."""
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.completed:,} 行 lines"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not (showing and sys.stderr.isatty()),
    )
    with progress:
        task = progress.add_task("ingest", total=None)
        yield lambda lines: progress.update(task, advance=len(lines))
