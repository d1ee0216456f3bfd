"""Boards and teams against a naive reading of all rows, bucket by bucket added up."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from app.citizens import Citizen
from app.growth.boards import Period, board_named, every_board, period_of, totals
from app.growth.entrants import enter_boards
from app.growth.published import growth_documents
from app.growth.rules import team_mean_mg
from app.growth.teams import join_team, open_team
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from tests.support.acts import rows
from tests.support.years import (
    BAG,
    DECLARED,
    METRO,
    RECYCLING,
    TODAY,
    WALK,
    Street,
    days_ago,
    naive_year,
)

KG = 1_000_000
RULES = growth_documents()[1]
LONG_AGO = now() - timedelta(days=100)
CODES = ("0000000001", "0000000002")


def principal(who: Citizen) -> Principal:
    return Principal("citizen", new_id(), SCOPES[Role.CITIZEN], who.number)


@pytest.fixture
def street(db: Database, keys: Keys) -> Street:
    made = Street(db, keys, 16)
    for number, who in enumerate(made.people):
        if number % 5 != 4:
            acts = made.did(who, METRO, days_ago(*range(0, 45, 1 + number % 4)), 1000 * number + 7)
            made.did(who, WALK, days_ago(number), 500, evidence=DECLARED)
            made.did(who, RECYCLING, days_ago(2 * number), KG)
            if number % 3 == 1:
                made.corrects(who, acts[0], 1000 * number + 7, withdrawn=True)
            if number % 3 == 2:
                made.merges(who, acts[0], acts[1])
                made.corrects(who, acts[0], 1000 * number + 7)
        made.did(who, BAG, days_ago(3) if number == 9 else [])
        if number % 2 == 0:
            db.transact(enter_boards, principal(who), f"leaf {number}", at=now())
        if number < 12:
            code = CODES[number % 2]
            if number < 2:
                name = f"team {number}"
                db.transact(open_team, principal(who), name, team=new_id(), code=code, at=LONG_AGO)
            else:
                db.transact(join_team, principal(who), code, at=LONG_AGO)
    return made


def naive(db: Database, who: Citizen, period: Period, field: str | None) -> tuple[int, int]:
    """Somebody's milligrams and acts of a period, over everybody's rows."""
    tallies = [
        each
        for each in naive_year(db, who).tallies
        if period.since <= each.day <= period.until and field in {None, "all", each.field}
    ]
    mg = sum(each.mg for each in tallies)
    if field in {None, "all", "green_travel"}:
        mg += sum(
            amount
            for month, amount in rows(
                db,
                "select month, reduction_mg from month_settlement where account = %s",
                who.number,
            )
            if period.since <= period_of("month", month).until <= period.until
        )
    return mg, sum(each.acts for each in tallies)


def read(db: Database, name: str, period: Period) -> Mapping[str, int]:
    return db.read(totals, board_named(name), period, RULES, at=now())


@pytest.mark.parametrize("before", [False, True])
def test_every_board_is_what_a_naive_reading_gives(
    db: Database, street: Street, before: bool
) -> None:
    street.settles(street.people[2], 3 * KG)
    shown = {owner for (owner,) in rows(db, "select account from leaderboard_entrant")}
    teams = rows(db, "select account, team from team_member")
    for board in every_board():
        period = period_of(board.span, TODAY, before=before)
        each = {who.number: naive(db, who, period, board.field) for who in street.people}
        if board.field is not None:
            expected = {str(o): mg for o, (mg, _) in each.items() if o in shown and mg > 0}
        else:
            expected = {}
            for team in {team for _, team in teams}:
                members = [each[owner] for owner, its in teams if its == team]
                active = sum(acts > 0 or mg > 0 for mg, acts in members)
                total = sum(mg for mg, _ in members)
                mean = team_mean_mg(RULES, members=len(members), active=active, total_mg=total)
                if mean:
                    expected[team.hex] = mean
        assert read(db, board.id, period) == expected, board
    assert len(read(db, "team.month", period_of("month", TODAY))) == 2


def test_who_joined_since_is_not_in_the_team_of_a_period_that_is_over(
    db: Database, street: Street
) -> None:
    period = period_of("month", TODAY, before=True)
    before = read(db, "team.month", period)
    db.transact(join_team, principal(street.people[13]), CODES[0], at=now())
    assert read(db, "team.month", period) == before
    assert read(db, "team.month", period_of("month", TODAY)) != {}
