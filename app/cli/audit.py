"""``tanpu audit`` (审计): replay everything against the chain, and name what differs."""

import typer
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from app.audit import ChainReader, RegisterReader, Report
from app.audit import audit as replay
from app.city import City, open_city
from app.cli.screen import FAILED, UNAVAILABLE, AsJson, answer, complain, table
from app.kernel.settings import Settings


def audit(*, as_json: AsJson = False) -> None:
    """Replay everything against the chain; exit 1 and name the place if anything differs (审计)."""
    try:
        with open_city(Settings(), migrating=False) as city:
            report = audit_of(city)
    except DBAPIError as error:
        complain("database", str(error.orig).partition("\n")[0])
        raise typer.Exit(UNAVAILABLE) from error
    answer(report.as_json(), as_json=as_json, people=page(report))
    if not report.ok:
        raise typer.Exit(FAILED)


def audit_of(city: City) -> Report:
    """Audit an open city, its headers against the chain's own answers (R26)."""
    url, register = city.addresses.chain_rpc_url, register_of(city)
    chain = ChainReader(url, contract_of(city))
    registry = None if register is None else RegisterReader(url, register)
    return replay(city.audit_db, city.keys, city.settings.origin, chain, registry)


def contract_of(city: City) -> str:
    """Give the address of CarbonAnchor: configured, or the one that follows from the anchor key.

    Never the one that the database remembers, and nothing is deployed where none is.
    """
    if given := city.settings.chain_contract:
        return given
    from app.anchoring.evm.contracts import anchor_address  # noqa: PLC0415 -- web3 takes a second

    return anchor_address(city.keys.anchor)


def register_of(city: City) -> str | None:
    """Give the address of RetirementRegistry, likewise; ``None`` if production has named none."""
    if (given := city.settings.chain_retirement_registry) or city.settings.is_production:
        return given
    from app.anchoring.evm.contracts import register_address  # noqa: PLC0415 -- likewise

    return register_address(city.keys.anchor)


def page(report: Report) -> Table:
    """Lay a report out for people."""
    verdict = "账实相符 nothing differs" if report.ok else f"{len(report.findings)} 处不符 findings"
    rows = [
        (mark, *found)
        for mark, listed in (("不符", report.findings), ("提示", report.notices))
        for found in listed
    ]
    made = table(f"审计 audit: {verdict}", ("", "kind", "位置 where", "detail"), rows)
    made.caption = ", ".join(f"{name} {count:,}" for name, count in report.checked.items())
    return made
