"""``tanpu demo`` (演示): load the demo city, anchor it, verify it, tamper with it, undo it."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import typer
from rich.console import Console
from sqlmodel import Session

from app.anchoring import export_receipt, header_lines
from app.audit import Report
from app.chains import notary_of
from app.city import City, open_city
from app.cli.audit import audit_of
from app.cli.screen import FAILED
from app.demo import (
    first_day,
    hold_run,
    issue_rides,
    kilograms,
    load,
    loaded,
    note_whole,
    restore,
    table_of,
    tamper,
    told_whole,
    totals,
)
from app.kernel import telemetry
from app.kernel.clock import now
from app.kernel.db import driver
from app.kernel.settings import Settings
from app.neutrality.statements import find_statement
from app.ticks import anchor, carry_out_cancellations, declare_methodologies, retire_units
from ledger.verify_receipt import Rejected, check, mirrored

OWNERS = "select owner from account_anchor where owner is not null order by owner"
ANCHOR_TRIES = 50
ANCHOR_PAUSE_S = 0.1
screen = Console()


@dataclass(frozen=True, slots=True)
class Proofs:
    """What was verified with no trust in the database."""

    epochs: int
    receipts: int


class DemoFailed(Exception):  # noqa: N818 -- a state of the demo
    """The demo found that something of it is not true (演示未通过)."""


def demo() -> None:
    """Load the demo city, anchor and verify it, show a tampering; then stop (演示)."""
    settings = Settings()
    telemetry.configure(settings.log_level)
    with open_city(settings) as city:
        show(city)


def show(city: City) -> None:
    """Load and prove the demo city, or say briefly that it stands."""
    try:
        if not loaded(city):
            _load_and_prove(city)
        if not told_whole(city):
            _close_the_loop(city)
            note_whole(city)
        _say_what_stands(city)
    except DemoFailed as failed:
        sys.stderr.write(f"demo: {failed}\n")
        raise typer.Exit(FAILED) from failed


def _load_and_prove(city: City) -> None:
    screen.print("[bold]1/5[/] 装载真实读数 loading real readings, replayed and labelled so …")
    done = list(load(city, at=now()))
    screen.print(table_of(done))
    screen.print("[bold]2/5[/] 关期并上链 closing an epoch and anchoring it …")
    declare_methodologies(city, now())
    _anchor(city)
    proofs = _verify(city)
    screen.print(
        f"      {proofs.epochs} 期已终局 epochs final; "
        f"{proofs.receipts} 份账户回执逐份查证为真 account receipts, each verified true"
    )
    screen.print("[bold]3/5[/] 审计全部账目 auditing every row against the chain …")
    _expect_clean(audit_of(city))
    screen.print("[bold]4/5[/] 篡改一条转账 changing one transfer behind the system's back …")
    _tamper(city)


def _close_the_loop(city: City) -> None:
    """Go from rides to a neutral run: exchanged, verified, issued, sold, retired, stated."""
    screen.print("[bold]5/5[/] 从一次地铁到一场碳中和跑 from a metro ride to a neutral run …")
    batch = issue_rides(city, first_day(city), lambda: _close(city))
    gathering = hold_run(city, batch)
    _close(city)
    retire_units(city, now())
    retire_units(city, now())  # the second look finds them final
    carry_out_cancellations(city, now())
    _expect_clean(audit_of(city))
    found = city.db.read(find_statement, gathering.id).statement
    screen.print(
        f"      {batch.public}: 签发 {batch.quantity_kg} kg issued; "
        f"活动排放 {kilograms(found.footprint_mg)} kg emitted, 注销 {found.retired_kg} kg retired\n"
        f"      碳中和声明 its statement: /v1/public/gatherings/{gathering.public}"
    )


def _close(city: City) -> None:
    """Close an epoch and anchor it."""
    notary_of(city).close(at=now())
    _anchor(city)


def _anchor(city: City) -> None:
    """Anchor until nothing waits: a node may answer a transaction before it mines it."""
    for _ in range(ANCHOR_TRIES):
        anchor(city, now())
        found = notary_of(city).status()
        if found.final == found.epoch and not found.pending:
            return
        time.sleep(ANCHOR_PAUSE_S)


def _tamper(city: City) -> None:
    victim = tamper(city.owner_url)
    try:
        report = audit_of(city)
    finally:
        restore(city.owner_url, victim)
    located = [one for one in report.findings if str(victim.id) in one.where]
    if not located:
        raise DemoFailed("the audit did not name the changed transfer")
    for one in located[:1]:
        screen.print(f"      审计定位 the audit names it: {one.kind}: {one.where}: {one.detail}")
    _expect_clean(audit_of(city))
    screen.print("      已还原,审计通过 undone; the audit is clean again")


def _verify(city: City) -> Proofs:
    """Verify every owner's receipt with the stranger's verifier, over the public header list."""
    status = notary_of(city).status()
    if status.final != status.epoch or status.pending:
        raise DemoFailed(f"epoch {status.epoch} closed, {status.final} final")
    lines = (city.settings.public_path / "headers.jsonl").read_text(encoding="utf-8").splitlines()
    trust, verified = mirrored(lines), 0
    for owner in city.db.read(_owners):
        receipt = city.db.read(
            export_receipt, city.keys, city.settings.public_path, city.settings.origin, owner
        )
        try:
            check(receipt, trust)
        except Rejected as wrong:
            raise DemoFailed(f"the receipt of account {owner}: {wrong}") from wrong
        verified += 1
    return Proofs(len(city.db.read(header_lines)), verified)


def _expect_clean(report: Report) -> None:
    if not report.ok:
        raise DemoFailed("; ".join(f"{f.kind}: {f.where}: {f.detail}" for f in report.findings[:5]))
    checked = ", ".join(f"{count:,} {name}" for name, count in report.checked.items())
    screen.print(f"      审计通过 clean: {checked}")


def _say_what_stands(city: City) -> None:
    found, status = city.db.read(totals), notary_of(city).status()
    screen.print(
        f"[bold]演示城市 The demo city[/]: {found.acts:,} 条行为 acts, "
        f"{found.owners:,} 个账户 accounts, {kilograms(found.reduction_mg)} kg CO2e, "
        f"{status.final}/{status.epoch} 期终局 epochs final"
    )


def _owners(session: Session) -> list[int]:
    return [owner for (owner,) in driver(session).execute(OWNERS).fetchall()]


def lines_for(city: City, port: int) -> Iterator[str]:
    """Say where the city can be reached."""
    address = f"http://{city.settings.host}:{port}"
    yield f"接口文档 API documents   {address}/docs"
    yield f"存活检查 health          {address}/health"
    yield f"各期存证 epochs          {address}/v1/public/epochs"
    yield "Ctrl-C 停止 stops everything"
