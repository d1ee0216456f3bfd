"""The monitoring report of a lot (监测报告): what it is of, who told it, what was left out.

Counts and masses alone, so that it can be published; made once, kept as the bytes whose hash the
verifier decides on. Where the class's other grams are is told as of the last closed epoch. Parts
may be one person's: they are told in whole kilograms, rounded down.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from sqlmodel import Session

from app.activities.scorecard import Scorecard, scorecard
from app.kernel.db import Connection, driver
from app.providers import Provider
from app.registry.errors import LotUnknown
from app.registry.lots import Lot, LotStep, lock_lot
from app.staff import note_act
from ledger.accounts import SYSTEM_NAMES
from ledger.assets import MG_PER_KG

KIND: Final = "tanpu/monitoring-report/1"
_EXCLUDED: Final = """
select excluded, count(*), sum(mg)::int8 from lot_row
 where bucket >= 0 and lot = %s and excluded is not null group by excluded order by excluded"""
_PROVIDERS: Final = """
select p.id, p.code, p.name_zh, p.name_en, p.suspended_at, q.acts, q.mg
  from (select a.provider, count(*) as acts, sum(r.mg)::int8 as mg
          from lot_row r
          left join activity a
            on a.bucket = r.bucket and a.account = r.account and a.id = r.activity
         where r.bucket >= 0 and r.lot = %s and r.leaf is not null
         group by a.provider) q
  left join provider p on p.id = q.provider
 order by p.code nulls last"""
_SUPPLY: Final = """
select distinct on (system) system, debits, credits, (select max(epoch) from epoch)
  from supply where asset = %s order by system, epoch_from desc"""
_ONCE: Final = """
insert into lot_report (lot, body, sha256, made_at) values (%s, %s, %s, %s)
on conflict do nothing"""
_FIND: Final = "select body, made_at from lot_report where lot = %s"


class Report(NamedTuple):
    """A lot's monitoring report."""

    body: bytes
    """JSON, names sorted."""
    made_at: datetime

    @property
    def sha256(self) -> bytes:
        """Its hash."""
        return sha256(self.body).digest()

    def told(self) -> dict[str, Any]:
        """What it says."""
        return msgspec.json.decode(self.body)


def report_lot(session: Session, who: str, lot: UUID | None, *, at: datetime) -> Report:
    """Report on a frozen lot; a second time gives the first report.

    Raises:
        LotUnknown, LotState: See their own words.
    """
    found = lock_lot(session, lot, LotStep.FROZEN, LotStep.SAMPLED)
    body = msgspec.json.encode(_told(session, found, at), order="sorted")
    facts = (found.id, body, sha256(body).digest(), at)
    if driver(session).execute(_ONCE, facts).rowcount:
        note_act(session, who, "lots.report", found.public, at=at, sha256=facts[2].hex())
    return report_of(session, found.id)


def report_of(session: Session, lot: UUID) -> Report:
    """Give the report on a lot.

    Raises:
        LotUnknown: There is none.
    """
    row = driver(session).execute(_FIND, (lot,)).fetchone()
    if row is None:
        raise LotUnknown
    return Report(bytes(row[0]), row[1])


def _told(session: Session, lot: Lot, at: datetime) -> Mapping[str, object]:
    connection, its = driver(session), lot.reduction
    assert lot.root is not None, lot
    assert lot.frozen_at is not None, lot
    return {
        "kind": KIND,
        "lot": lot.public,
        "class": {
            "methodology": its.methodology,
            "version": its.version,
            "scenario": its.scenario,
            "grade": its.grade,
            "vintage": f"{its.vintage:%Y-%m}",
        },
        "frozen_at": lot.frozen_at,
        "root": lot.root.hex(),
        "acts": lot.leaves,
        "co2e_mg": lot.mg,
        "sample_rows": lot.sample_rows,
        "excluded": [
            {"reason": reason, "acts": acts, "co2e_kg": mg // MG_PER_KG}
            for reason, acts, mg in connection.execute(_EXCLUDED, (lot.id,)).fetchall()
        ],
        "providers": _providers(session, connection, lot),
        "class_totals": _totals(connection, lot.asset),
        "made_at": at,
    }


def _providers(
    session: Session, connection: Connection, lot: Lot
) -> Sequence[Mapping[str, object]]:
    """Say how much each provider told, and how good its data of that month were."""
    found: list[Mapping[str, object]] = []
    for id_, code, *names, acts, mg in connection.execute(_PROVIDERS, (lot.id,)).fetchall():
        card = None
        if id_ is not None:
            card = _card(scorecard(session, Provider(id_, code, *names), lot.reduction.vintage))
        found.append(
            {"provider": code, "acts": acts, "co2e_kg": mg // MG_PER_KG, "scorecard": card}
        )
    return found


def _card(card: Scorecard) -> Mapping[str, object]:
    return {
        "month": f"{card.month:%Y-%m}",
        "uploads": card.uploads,
        "lines": {str(outcome): count for outcome, count in card.lines.items()},
        "late": card.late,
        "corrections": {str(outcome): count for outcome, count in card.corrections.items()},
        "appealed": card.appealed,
    }


def _totals(connection: Connection, asset: int) -> Mapping[str, object]:
    """Say where the class's grams are, by system account, as the log has it."""
    rows = connection.execute(_SUPPLY, (asset,)).fetchall()
    return {
        "epoch": rows[0][3] if rows else None,
        "systems": {
            SYSTEM_NAMES[system]: {"out_kg": gave // MG_PER_KG, "in_kg": got // MG_PER_KG}
            for system, gave, got, _ in rows
        },
    }
