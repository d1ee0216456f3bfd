"""``tanpu boundary`` (边界清单): what is counted elsewhere, and other names of places."""

from datetime import date, datetime
from typing import Annotated

import typer
from sqlmodel import Session

from app.activities import boundary_list, mark_of, name_place, put_on_list, take_off_list
from app.activities.boundary import Kind, Place
from app.city import City, open_city
from app.cli.screen import AsJson, answer, table
from app.kernel.clock import day_of, now
from app.kernel.settings import Settings
from app.providers import find_provider

commands = typer.Typer(help="边界清单 Boundary list: who and what is already counted elsewhere.")

KindOf = Annotated[Kind, typer.Argument(help="subject, vehicle or station. 类别")]
PlaceOf = Annotated[Place, typer.Argument(help="vehicle or station. 类别")]
Number = Annotated[str, typer.Argument(help="Card, meter, plate or station, as acts name it. 编号")]
Provider = Annotated[str, typer.Option(help="Whose subject; not for places. 数据提供方")]
Reason = Annotated[str, typer.Option(help="Why, as outcomes say it: boundary.<word>. 理由")]
Source = Annotated[str, typer.Option(help="Where it is written: list, letter, date. 依据")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="YYYY-MM-DD; today. 日期")]


@commands.command()
def add(
    kind: KindOf,
    number: Number,
    source: Source,
    reason: Reason = "boundary.ets",
    provider: Provider = "",
    since: Day = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List what an ETS entity or another mechanism counts (列入)."""
    with open_city(Settings()) as city:
        mark = _mark(city, kind, number, provider)
        new = city.db.transact(
            put_on_list, kind, mark, reason=reason, source=source, since=_day(since)
        )
    people = f"{kind}: {'已列入 listed' if new else '已在清单中 was listed already'}"
    answer({"kind": kind, "mark": mark.hex(), "new": new}, as_json=as_json, people=people)


@commands.command()
def end(
    kind: KindOf,
    number: Number,
    provider: Provider = "",
    last: Day = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Let a day be the last that is excluded (移出)."""
    with open_city(Settings()) as city:
        mark = _mark(city, kind, number, provider)
        city.db.transact(take_off_list, kind, mark, last=_day(last))
    data = {"kind": kind, "mark": mark.hex(), "last": _day(last)}
    answer(data, as_json=as_json, people=f"{kind}: 至 until {_day(last)}")


@commands.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """Show the list; numbers are kept as keyed hashes alone (列出)."""
    with open_city(Settings()) as city:
        entries = city.db.read(boundary_list)
    rows = [each._asdict() | {"number": each.number.hex()} for each in entries]
    columns = ("kind", "number", "reason", "source", "valid_from", "valid_to")
    people = table("边界清单 boundary list", columns, (row.values() for row in rows))
    answer({"boundary": rows}, as_json=as_json, people=people)


@commands.command()
def alias(
    kind: PlaceOf,
    other: Annotated[str, typer.Argument(help="The other name. 别名")],
    name: Annotated[str, typer.Argument(help="The name that it stands for. 正名")],
    *,
    as_json: AsJson = False,
) -> None:
    """Let two providers' names of one vehicle or station meet (登记别名)."""
    with open_city(Settings()) as city:
        city.db.transact(name_place, kind, other, name)
    answer(
        {"kind": kind, "alias": other, "name": name}, as_json=as_json, people=f"{other} = {name}"
    )


def _mark(city: City, kind: Kind, number: str, provider: str) -> bytes:
    if (kind == "subject") != bool(provider):
        raise typer.BadParameter("a subject has one, a place has none", param_hint="--provider")

    def query(session: Session) -> bytes:
        code = find_provider(session, provider).code if provider else ""
        return mark_of(session, city.keys, kind, number, code)

    return city.db.read(query)


def _day(given: datetime | None) -> date:
    return day_of(now()) if given is None else given.date()
