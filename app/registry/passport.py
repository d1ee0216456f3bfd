"""The purpose passport (用途护照): what a unit may be retired for, asked before every retirement.

Of a purpose and a year it names the sorts of units that may serve it, set by two of the desk. A
passport holds from its year on until a later year's; where none was ever set, every unit may. Not
so surrender in the emissions trading system (ETS, 配额清缴抵销), whose rules are decided anew each
compliance year: it needs that year's own passport, its ratio, and what the organisation has to
surrender, none of which has a default.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.catalogue import VersionUnknown, document_of
from app.kernel.clock import day_of
from app.kernel.db import Connection, driver
from app.registry.passport_errors import (
    ComplianceYearMissing,
    PurposeRefused,
    PurposeReserved,
    SurrenderObligationUnset,
    SurrenderRatioExceeded,
    SurrenderRatioUnset,
)
from app.registry.passport_rules import ANY, UnitFacts, UnitSort, may_serve, surrender_most_kg
from ledger.certificate import Purpose

WISHED: Final = frozenset(Purpose) - {Purpose.REPLACEMENT}
"""What a holder may retire for."""
YEARLY: Final = frozenset({Purpose.ETS_SURRENDER})
"""What is closed in a year that has no passport of its own."""
MONTHS: Final = ("vintage_from", "vintage_to")
_YEAR: Final = re.compile(r"20[2-9][0-9]")
_BATCH: Final = """
select a.methodology, a.version, a.scenario, a.vintage
  from issue_batch b join asset a on a.id = b.reduction where b.id = %s"""
_PASSPORT: Final = """
select year, units from purpose_passport
 where purpose = %s and year <= %s order by year desc, set_at desc, id desc limit 1"""
_RATIO: Final = """
select ratio_permille from surrender_ratio where year = %s order by set_at desc, id desc limit 1"""
_OBLIGATION: Final = """
select s.obligation_kg from surrender_obligation s join organisation o on o.id = s.organisation
 where o.account = %s and s.year = %s order by s.set_at desc, s.id desc limit 1"""
_USED: Final = """
select coalesce(sum(quantity_kg), 0)::int8 from retirement
 where holder = %s and purpose = %s and period = %s and reverted_at is null"""
_TURN: Final = "select pg_advisory_xact_lock(hashtextextended('surrender/' || %s::text, 0))"


class UnitUse(NamedTuple):
    """What somebody wants to retire units for."""

    holder: int
    """The owner in the books."""
    batch: UUID
    purpose: Purpose
    quantity_kg: int
    period: str | None = None
    """For surrender the compliance year."""


class Passport(NamedTuple):
    """Of a purpose, what may serve it in a year."""

    purpose: Purpose
    set_for: int | None
    """The year that it was set for; None: it is the default, or there is none."""
    sorts: Sequence[UnitSort]


def check_passport(session: Session, use: UnitUse, *, at: datetime) -> None:
    """Pass a use that is allowed at this moment.

    Where a use is counted, the next of the same holder waits for this transaction.

    Raises:
        PurposeReserved, PurposeRefused, ComplianceYearMissing, SurrenderRatioUnset,
        SurrenderObligationUnset, SurrenderRatioExceeded: See their own words.
    """
    if use.purpose not in WISHED:
        raise PurposeReserved(purpose=int(use.purpose))
    connection, year = driver(session), day_of(at).year
    if use.purpose is Purpose.ETS_SURRENDER:
        year = _compliance_year(use)
        _check_surrender(connection, use, year)
    passport = passport_of(session, use.purpose, year)
    if not may_serve(passport.sorts, facts_of(session, use.batch)):
        raise PurposeRefused(purpose=int(use.purpose), year=year)


def passport_of(session: Session, purpose: Purpose, year: int) -> Passport:
    """Give what may serve a purpose in a year."""
    row = driver(session).execute(_PASSPORT, (int(purpose), year)).fetchone()
    if row is None or (purpose in YEARLY and row[0] != year):
        return Passport(purpose, None, () if purpose in YEARLY else ANY)
    return Passport(purpose, row[0], sorts_of(row[1]))


def ratio_of(session: Session, year: int) -> int | None:
    """Give how much of a compliance year's obligation units may meet [permille], if it was set."""
    row = driver(session).execute(_RATIO, (year,)).fetchone()
    return None if row is None else row[0]


def facts_of(session: Session, batch: UUID) -> UnitFacts:
    """Give what passports look at of a batch, which is there."""
    ((methodology, version, scenario, vintage),) = driver(session).execute(_BATCH, (batch,))
    try:
        document = document_of(session, methodology, version)
    except VersionUnknown:
        return UnitFacts(methodology, scenario, None, None, vintage)
    return UnitFacts(methodology, scenario, document.field.value, document.object.value, vintage)


def sorts_as_json(sorts: Sequence[UnitSort]) -> list[dict[str, str]]:
    """Write sorts as they are stored and signed: only what they name."""
    return [
        {name: str(value) for name, value in sort._asdict().items() if value is not None}
        for sort in sorts
    ]


def sorts_of(stored: Sequence[Mapping[str, str]]) -> list[UnitSort]:
    """Read sorts as they were written."""
    return [_sort(each) for each in stored]


def _sort(told: Mapping[str, str]) -> UnitSort:
    named: dict[str, Any] = {**told}
    named |= {name: date.fromisoformat(told[name]) for name in MONTHS if name in told}
    return UnitSort(**named)


def _compliance_year(use: UnitUse) -> int:
    if use.period is None or not _YEAR.fullmatch(use.period):
        raise ComplianceYearMissing
    return int(use.period)


def _check_surrender(connection: Connection, use: UnitUse, year: int) -> None:
    connection.execute(_TURN, (f"{use.holder}/{year}",))
    ratio = connection.execute(_RATIO, (year,)).fetchone()
    if ratio is None:
        raise SurrenderRatioUnset(year=year)
    obligation = connection.execute(_OBLIGATION, (use.holder, year)).fetchone()
    if obligation is None:
        raise SurrenderObligationUnset(year=year)
    spoken_for = (use.holder, int(use.purpose), str(year))
    ((used_kg,),) = connection.execute(_USED, spoken_for)
    most_kg = surrender_most_kg(obligation[0], ratio[0])
    if used_kg + use.quantity_kg > most_kg:
        raise SurrenderRatioExceeded(most_kg=most_kg, used_kg=used_kg)
