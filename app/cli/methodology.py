"""``tanpu methodology`` (方法学): list, show, lint, evaluate, render."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli.screen import REFUSED, WRONG_INPUT, AsJson, answer, complain, table
from app.kernel.clock import day_of, now
from methodologies import (
    CATALOG,
    BadQuantity,
    Document,
    DocumentFaults,
    Evidence,
    Ineligible,
    assess,
    explain,
    find,
    get,
    lint,
    load,
    quantify,
    read_inputs,
    render,
)

commands = typer.Typer(
    help="方法学 Methodologies: documents that people read and the machine runs."
)

DocumentPath = Annotated[Path, typer.Argument(help="A methodology document (TOML). 方法学文件")]
Code = Annotated[str, typer.Argument(help="Its code, as `list` shows it. 方法学代码")]
Version = Annotated[int | None, typer.Option(help="Version; the one in force today if left out.")]


@commands.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the catalogue with the grade each can reach (列出方法学)."""
    rows = [_summary(document) for document in CATALOG.values()]
    people = table(
        "方法学 Methodologies",
        ("code", "version", "标题 title", "field", "grade"),
        (
            (row["code"], row["version"], row["title_zh"], row["field"], row["grade"] or "-")
            for row in rows
        ),
    )
    answer({"methodologies": rows}, as_json=as_json, people=people)


@commands.command()
def show(code: Code, version: Version = None, *, as_json: AsJson = False) -> None:
    """Show one version as its page (显示方法学)."""
    document = catalogued(code, version)
    answer(_summary(document), as_json=as_json, people=render(document))


@commands.command("render")
def render_(
    code: Code,
    version: Version = None,
    out: Annotated[Path | None, typer.Option(help="Write the page here.")] = None,
) -> None:
    """Render one version as a Markdown page (生成页面)."""
    page = render(catalogued(code, version))
    if out is None:
        typer.echo(page)
    else:
        out.write_text(page, encoding="utf-8")


@commands.command("lint")
def lint_(document: DocumentPath, *, as_json: AsJson = False) -> None:
    """Report every fault of a document with its place; exit 2 if it does not load (检查文件)."""
    found = lint(_bytes_of(document), name=document.name)
    if any(not fault.is_warning for fault in found):
        for fault in found:
            complain(fault.place, f"{fault.code}: {fault.message}")
        raise typer.Exit(WRONG_INPUT)
    lines = "\n".join(f"{fault.place}: {fault.code}: {fault.message}" for fault in found)
    rows = [{"place": f.place, "code": f.code, "message": f.message} for f in found]
    answer({"faults": rows}, as_json=as_json, people=lines or "没有问题 nothing to report")


@commands.command("eval")
def eval_(
    document: DocumentPath,
    inputs: Annotated[
        list[str] | None, typer.Option("--input", help='name="10.3 km"; repeat for each input.')
    ] = None,
    evidence: Annotated[Evidence, typer.Option(help="证据等级")] = Evidence.PROVIDER_MEASURED,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day of the act, YYYY-MM-DD; today."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Evaluate a document on inputs, with its working (计算)."""
    loaded = read_document(document)
    try:
        day = day_of(now()) if on is None else on.date()
        given = read_inputs(loaded, dict(_pair(text) for text in inputs or ()))
    except (BadQuantity, ValueError) as error:
        complain("input", str(error))
        raise typer.Exit(WRONG_INPUT) from error
    result = quantify(loaded, given, evidence=evidence, occurred_on=day)
    working = explain(loaded, given, evidence=evidence, occurred_on=day)
    if isinstance(result, Ineligible) or isinstance(working, Ineligible):
        assert isinstance(result, Ineligible), "explain and quantify agree"
        reason = f"{result.reason} {result.about}".strip()
        data: dict[str, object] = {"eligible": False, "reason": result.reason}
        if result.about:
            data["about"] = result.about
        asked = f" ({_asked(loaded)})" if result.reason.startswith("input.") else ""
        answer(data, as_json=as_json, people=f"不合格 ineligible: {reason}{asked}")
        return
    steps = [
        {"name": w.name, "expression": w.expression, "value": w.value, "unit": w.unit}
        for w in working
    ]
    people = table(
        f"{result.mg} mg CO2e",
        ("step", "expression", "value", "unit"),
        (step.values() for step in steps),
    )
    answer(
        {"eligible": True, "reduction_mg": result.mg, "working": steps},
        as_json=as_json,
        people=people,
    )


@commands.command()
def publish(*, as_json: AsJson = False) -> None:
    """Tell the registry of all versions, and of those superseded or withdrawn (方法学上链).

    For development; in production the registry's admin does it, from the list that this prints.
    """
    from app.catalogue import digests, leavings_on  # noqa: PLC0415 -- the others need no city
    from app.chains import tell_registry  # noqa: PLC0415 -- likewise
    from app.city import open_city  # noqa: PLC0415 -- likewise
    from app.kernel.settings import Settings  # noqa: PLC0415 -- likewise

    settings, at = Settings(), now()
    with open_city(settings) as city:
        known = city.db.read(digests)
        left = city.db.read(leavings_on, day_of(at))
        told = None if settings.is_production else tell_registry(city, at)
    listed = {f"{code} {version}": digest.hex() for (code, version), digest in known.items()}
    leaving = [
        {
            "version": f"{each.code} {each.version}",
            "standing": each.standing,
            "by": each.statement_hash.hex() if each.successor is None else str(each.successor),
        }
        for each in left
    ]
    data = {"told": told, "digests": listed, "leaving": leaving}
    if told is None:
        complain("methodology.publish", "由登记合约管理员发布 the registry's admin publishes these")
        answer(data, as_json=as_json, people=_pairs(listed, leaving))
        raise typer.Exit(REFUSED)
    people = f"{told} 项新上链 newly told; {len(listed)} versions, {len(leaving)} of them left"
    answer(data, as_json=as_json, people=people)


def _pairs(listed: dict[str, str], leaving: list[dict[str, str]]) -> str:
    published = [f"{name}: {digest}" for name, digest in listed.items()]
    left = [f"{each['version']}: {each['standing']} {each['by']}" for each in leaving]
    return "\n".join(published + left)


def catalogued(code: str, version: int | None) -> Document:
    """Find a catalogued version, or end with exit code 2."""
    try:
        return find(code, on=day_of(now())) if version is None else get(code, version)
    except KeyError as error:
        known = "`tanpu methodology list` shows those there are 没有这个方法学版本"
        complain("methodology.unknown", f"{code} {version or ''}".strip() + f": {known}")
        raise typer.Exit(WRONG_INPUT) from error


def read_document(path: Path) -> Document:
    """Load a document, or print one line a fault and end with exit code 2."""
    try:
        return load(_bytes_of(path), name=path.name)
    except DocumentFaults as faults:
        for fault in faults.faults:
            complain(fault.place, f"{fault.code}: {fault.message}")
        raise typer.Exit(WRONG_INPUT) from faults


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        complain("file", f"{path}: {error.strerror}")
        raise typer.Exit(WRONG_INPUT) from error


def _asked(document: Document) -> str:
    """Say what the document asks for, for people who named something else."""
    return "; ".join(
        f"{each.name}: {', '.join(each.options)}"
        if each.is_choice
        else f"{each.name}: {each.minimum} to {each.maximum} {each.unit}"
        for each in document.inputs
    )


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise BadQuantity(f"{text!r} is not name=value")
    return name.strip(), value.strip()


def _summary(document: Document) -> dict[str, object]:
    reached = assess(document, on=day_of(now()))
    return {
        "code": document.code,
        "version": document.version,
        "title_zh": document.title.zh,
        "title_en": document.title.en,
        "field": document.field,
        "grade": reached.grade,
        "why": reached.why,
        "sha256": document.sha256,
    }
