"""Twelve months of a few people (成长样例), and a naive reading of everybody's rows beside them.

Rows are written as ingest writes them, so that a year of them takes no year. The oracle fetches
whole tables, in any order, and adds them up with loops: it shares no statement with ``app.growth``.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from app.books import Row, post
from app.citizens import Citizen, open_citizens
from app.growth.year import Tally, Year, a_year_before
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.assets import Reduction
from ledger.chart import Code
from methodologies import CATALOG, Settlement
from tests.support.acts import rows
from tests.support.owners import asset_number

TODAY = day_of(now())
METRO, RECYCLING, BAG, WALK = "WH-METRO", "TP-RECYCLING", "WH-BAG", "TEST-WALK"
"""Green travel, recycling, a behaviour of grade C, and one that no library knows."""
MEASURED, PROVED, DECLARED = 3, 2, 1
USED_UP = {SYSTEM_ACCOUNTS["cancelled"], SYSTEM_ACCOUNTS["given"]}
ISSUANCE = SYSTEM_ACCOUNTS["issuance/reduction"]
_VERSION = """
insert into methodology_version (code, version, sha256) values (%s, 1, sha256(%s))
on conflict do nothing"""
_ACT = """
insert into activity (bucket, account, recorded_on, id, provider, external_hash, upload,
  methodology, occurred_on, evidence, mode, asset, raw_mg, reason)
values (%s, %s, %s, %s, 1, '\\x00', %s, (select id from methodology_version where code = %s),
  %s, %s, 'test', %s, %s, %s)"""


class Street:
    """A few people, and what is told of them."""

    def __init__(self, db: Database, keys: Keys, people: int) -> None:
        self.db = db
        self.people = list(db.transact(open_citizens, keys, people, at=now(), basis="self"))
        self.asset = asset_number(db, Reduction(METRO, 1, "wh-metro", "A", date(2026, 1, 1)))

        def versions(session: Session) -> None:
            for code in (METRO, RECYCLING, BAG, WALK):
                driver(session).execute(_VERSION, (code, code.encode()))

        db.transact(versions)

    def did(
        self,
        who: Citizen,
        code: str,
        days: Iterable[date],
        mg: int = 0,
        *,
        evidence: int = MEASURED,
        recorded_on: date = TODAY,
        reason: str | None = None,
    ) -> list[UUID]:
        """Tell one act a day, each worth ``mg``."""
        acts = [(new_id(), day) for day in days]

        def command(session: Session) -> None:
            connection = driver(session)
            owner = (who.bucket, who.number)
            for act, day in acts:
                asset = (self.asset, mg) if mg else (None, None)
                facts = (*owner, recorded_on, act, act, code, day, evidence, *asset, reason)
                connection.execute(_ACT, facts)
            post(
                connection,
                [
                    self._row(who, act, ISSUANCE, who.number, mg, Code.ACCRUE, day, recorded_on)
                    for act, day in acts
                    if mg and reason is None
                ],
            )

        self.db.transact(command)
        return [act for act, _ in acts]

    def leaves(self, who: Citizen, to: str, mg: int, code: Code, recorded_on: date = TODAY) -> None:
        """Move a person's reduction to where it is used up."""
        target = SYSTEM_ACCOUNTS[to]
        row = self._row(who, new_id(), who.number, target, mg, code, recorded_on, recorded_on)
        self.db.transact(lambda session: post(driver(session), [row]))

    def corrects(
        self, who: Citizen, act: UUID, mg: int, *, source: str = "", withdrawn: bool = False
    ) -> None:
        """Take ``mg`` of an act back, from its owner or from where it went."""

        def command(session: Session) -> None:
            connection, transfer = driver(session), new_id()
            owner = (who.bucket, who.number)
            if mg:
                origin = SYSTEM_ACCOUNTS[source] if source else who.number
                target = SYSTEM_ACCOUNTS["correction"]
                row = self._row(who, transfer, origin, target, mg, Code.CORRECT, TODAY, TODAY)
                post(connection, [row._replace(corrects=act, corrects_on=TODAY)])
                change = "insert into act_change values (%s, %s, %s, %s, %s, %s, %s)"
                connection.execute(change, (*owner, transfer, act, TODAY, -mg, act))
            correction = """insert into act_correction (bucket, account, id, activity, recorded_on,
              cause, reason, is_withdrawn, change_mg, lost_mg)
              values (%s, %s, %s, %s, %s, %s, 'provider.withdrawn', %s, %s, 0)"""
            facts = (*owner, new_id(), act, TODAY, new_id(), withdrawn, -mg)
            connection.execute(correction, facts)

        self.db.transact(command)

    def merges(self, who: Citizen, act: UUID, counted: UUID | None) -> None:
        """Say that another record of the same act counts instead."""
        note = "insert into act_merge values (%s, %s, %s, %s, %s, 'merge.same_act', %s)"
        facts = (who.bucket, who.number, new_id(), act, counted, TODAY)
        self.db.transact(lambda session: driver(session).execute(note, facts) and None)

    def settles(self, who: Citizen, mg: int) -> None:
        """Settle somebody's last month."""
        month = (TODAY.replace(day=1) - timedelta(days=1)).replace(day=1)
        facts = (who.bucket, who.number, month, new_id(), mg, TODAY)
        self.db.transact(lambda session: driver(session).execute(_SETTLE, facts) and None)

    def _row(  # noqa: PLR0917 -- columns of a row
        self,
        who: Citizen,
        id_: UUID,
        source: int,
        target: int,
        mg: int,
        code: Code,
        day: date,
        recorded_on: date,
    ) -> Row:
        place = (who.bucket, recorded_on, id_, source, target, self.asset, mg, int(code))
        return Row(*place, cause=id_, occurred_on=day)


def days_ago(*numbers: int) -> list[date]:
    """The days that many days ago."""
    return [TODAY - timedelta(days=number) for number in numbers]


def naive_year(db: Database, who: Citizen, *, until: date = TODAY, seed: int = 1) -> Year:
    """Add up one person's rows with loops, over shuffled copies of everybody's."""
    shuffle = random.Random(seed).shuffle
    since = a_year_before(until)
    amounts, contributed = _moved(db, who.number, since, until, shuffle)
    merges = sorted(rows(db, "select id, activity, counted, recorded_on from act_merge"))
    instead = {activity: counted for _, activity, counted, on in merges if on <= until}
    corrections = rows(db, "select activity, is_withdrawn, recorded_on from act_correction")
    withdrawn = {activity for activity, is_so, on in corrections if is_so and on <= until}
    acts = [each for each in rows(db, _ALL_ACTS) if each[1] == who.number]
    shuffle(acts)
    tallies: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    disproved = 0
    for id_, _, day, recorded_on, evidence, reason, field in map(_known, acts):
        if reason is not None or field is None or instead.get(id_) is not None:
            continue
        if not since <= day <= until or recorded_on > until:
            continue
        if id_ in withdrawn:
            disproved += evidence == DECLARED
            continue
        cell = tallies[day, field]
        cell[0] += 1
        cell[1] += evidence >= PROVED
        cell[2] += amounts.get(id_, 0)
    found = tuple(Tally(*key, *tallies[key]) for key in sorted(tallies))
    return Year(since, until, found, max(0, contributed), disproved)


def _known(act: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put the field in the place of code and version: none where the month is the act."""
    *facts, code, version = act
    document = CATALOG.get((code, version))
    if document is None:
        return (*facts, "other")
    by_month = document.settlement is Settlement.BILLING_MONTH
    return (*facts, None if by_month else document.field.value)


def _moved(
    db: Database, owner: int, since: date, until: date, shuffle: Callable[[list[Any]], None]
) -> tuple[Mapping[UUID, int], int]:
    """What each act was granted, and what its owner cancelled or gave."""
    transfers = rows(db, "select id, source, amount, code, recorded_on from transfer")
    changes = rows(db, "select id, account, activity, amount_mg, recorded_on from act_change")
    shuffle(transfers)
    shuffle(changes)
    origin = {each[0]: each[1] for each in transfers}
    amounts: dict[UUID, int] = defaultdict(int)
    contributed = 0
    for id_, source, amount, code, recorded_on in transfers:
        if code == 1:
            amounts[id_] += amount
        elif code in {12, 13} and source == owner and since <= recorded_on <= until:
            contributed += amount
    for id_, account, activity, mg, recorded_on in changes:
        if recorded_on <= until:
            amounts[activity] += mg
            if account == owner and mg < 0 and origin[id_] in USED_UP and since <= recorded_on:
                contributed += mg
    return amounts, contributed


_SETTLE = """
insert into month_settlement (bucket, account, methodology, month, id, days, reduction_mg,
  recorded_on)
select %s, %s, id, %s, %s, 30, %s, %s from methodology_version where code = 'WH-METRO'"""
_ALL_ACTS = """
select a.id, a.account, a.occurred_on, a.recorded_on, a.evidence, a.reason, v.code, v.version
  from activity a join methodology_version v on v.id = a.methodology"""
