"""A monitoring report as a page (监测报告网页): what its bytes say, for people."""

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from app.kernel.quantities import mass
from app.registry.reporting import Report


def page_of_report(report: Report) -> str:
    """Write a report as HTML."""
    told = report.told()
    shown = {
        **{name: told[name] for name in ("lot", "frozen_at", "root", "acts", "sample_rows")},
        **told["class"],
        "co2e": mass(told["co2e_mg"]).co2e,
        "sha256": report.sha256.hex(),
    }
    page = Template(files("app").joinpath("static", "lot_report.html").read_text(encoding="utf-8"))
    return page.substitute(
        {name: escape(str(value)) for name, value in shown.items()},
        providers=_table(map(_provider, told["providers"])),
        excluded=_table(
            (each["reason"], each["acts"], f"{each['co2e_kg']} kg") for each in told["excluded"]
        ),
        systems=_table(
            (name, f"{sums['out_kg']} kg", f"{sums['in_kg']} kg")
            for name, sums in told["class_totals"]["systems"].items()
        ),
    )


def _provider(told: dict[str, Any]) -> tuple[object, ...]:
    card = told["scorecard"]
    lines: dict[str, int] = card["lines"] if card else {}
    counted = ", ".join(f"{outcome} {count}" for outcome, count in lines.items() if count)
    return told["provider"] or "-", told["acts"], f"{told['co2e_kg']} kg", counted


def _table(rows: Iterable[Iterable[object]]) -> str:
    return "\n".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
