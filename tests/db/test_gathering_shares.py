"""Shares of a retirement: once a ticket, and never more in sum than was retired."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import psycopg
import pytest
from psycopg import errors

from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.scopes import Role
from app.kernel.secrets import Keys
from app.neutrality.neutrality_errors import SharesExceed, SharesNotOpen, ShareUnknown
from app.neutrality.shares import (
    Share,
    ShareIssue,
    claim_share,
    issue_shares,
    share_issues,
    ticket_of,
)
from app.registry.recalling import carry_out_recalls
from app.registry.recalls import ask_recall, open_recall
from app.staff import Asking
from tests.support.acts import one, rows
from tests.support.clerks import known
from tests.support.gatherings import Marathon
from tests.support.market import KG, Market
from tests.support.registry import Registry

CLIENTS = 32
RETIRED_KG = 574


@pytest.fixture
def market(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Market:
    return Market(Registry(db, worker_db, keys, tmp_path))


@pytest.fixture
def race(market: Market) -> Marathon:
    return Marathon(market)


def tickets(race: Marathon, count: int, share_mg: int, *, name: str = "ticket") -> list[str]:
    """Issue tickets, and give their words."""
    words = [f"{name}-{number}" for number in range(count)]
    race.locked(issue_shares, ShareIssue(new_id(), count, share_mg, race.at), words)
    return words


def claimed(race: Marathon, words: str) -> Share:
    return race.db.transact(claim_share, race.gathering.id, words, at=race.at)


def test_a_ticket_claims_its_share_once_and_without_a_name(race: Marathon) -> None:
    race.reserve(1_000)
    first, _ = tickets(race, 2, 30_000)
    with pytest.raises(SharesNotOpen):
        claimed(race, first)
    race.retired()
    made = claimed(race, first)
    assert (made.share_mg, made.claimed_at) == (30_000, race.at)
    later = race.at + timedelta(days=1)
    again = race.db.transact(claim_share, race.gathering.id, first, at=later)
    assert again == made, "as it was claimed first"
    assert one(race.db, "select claimed_mg from share_total") == (30_000,)
    (issue,) = race.locked(share_issues, before=None, limit=9)
    assert (issue.tickets, issue.claimed) == (2, 1)


def test_words_that_are_no_ticket_of_this_gathering(race: Marathon, market: Market) -> None:
    other = Marathon(market, number=42)
    race.retired()
    (words,) = tickets(race, 1, 1)
    for at, said in ((other, words), (race, words + " "), (race, "")):
        with pytest.raises(ShareUnknown):
            claimed(at, said)
    stored = rows(race.db, "select ticket from share_ticket")
    assert stored == [(ticket_of(words),)], "the words themselves are kept nowhere"


def test_what_a_recall_takes_is_said_of_each_share_first(race: Marathon) -> None:
    """In proportion and rounded down, so that all together are no more than what still stands."""
    race.retired()
    mg = RETIRED_KG * KG // 7 + 1
    words = tickets(race, 6, mg)
    assert [claimed(race, each).state for each in words] == ["valid"] * 6
    batch = race.market.batch
    lost_kg, taken_kg = 100, batch.quantity_kg - RETIRED_KG
    recalled(race, lost_kg + taken_kg)
    shares = [claimed(race, each) for each in words]
    left_kg = RETIRED_KG - lost_kg
    assert {each.remaining_mg for each in shares} == {mg * left_kg // RETIRED_KG}
    assert {each.state for each in shares} == {"reduced"}
    assert sum(each.remaining_mg for each in shares) <= left_kg * KG
    with pytest.raises(SharesExceed) as refused:
        tickets(race, 1, RETIRED_KG * KG - 6 * mg, name="more")
    assert refused.value.facts == {"most_mg": left_kg * KG - 6 * mg}, "of what stands"
    recalled(race, RETIRED_KG - lost_kg)
    assert {claimed(race, each).state for each in words} == {"revoked"}


def recalled(race: Marathon, quantity_kg: int) -> None:
    """Recall units of the batch; free ones go first."""
    asking = Asking(known(race.db, Role.REGULATOR), "The meter was wrong.", new_id(), race.at)
    asked = race.db.transact(ask_recall, asking, None, {race.market.batch.public: quantity_kg})
    race.db.transact(open_recall, asked.payload, race.market.registry.signing())
    carry_out_recalls(race.db, new_id=new_id, at=race.at)


def test_no_more_is_issued_than_there_is(race: Marathon) -> None:
    race.reserve(10)
    tickets(race, 5, KG)
    with pytest.raises(SharesExceed) as refused:
        tickets(race, 6, KG, name="more")
    assert refused.value.facts == {"most_mg": 5 * KG}
    tickets(race, 5, KG, name="rest")


def test_32_clients_with_one_ticket_claim_one_share(race: Marathon) -> None:
    race.retired()
    (words,) = tickets(race, 1, KG)
    barrier = Barrier(CLIENTS)

    def client(_: int) -> Share:
        barrier.wait(timeout=30)
        return claimed(race, words)

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert len(set(pool.map(client, range(CLIENTS)))) == 1
    assert one(race.db, "select claimed_mg from share_total") == (KG,)


def test_32_clients_never_share_more_than_was_retired(race: Marathon) -> None:
    """Tickets for twice of what is retired in the end: the reserve was given back meanwhile."""
    race.reserve(1_148)
    words = tickets(race, CLIENTS, RETIRED_KG * KG // (CLIENTS // 2))
    race.retired()
    barrier = Barrier(CLIENTS)

    def client(mine: str) -> bool:
        barrier.wait(timeout=30)
        try:
            claimed(race, mine)
        except SharesNotOpen:
            return False
        return True

    with ThreadPoolExecutor(CLIENTS) as pool:
        won = sum(pool.map(client, words))
    assert won == CLIENTS // 2
    assert one(race.db, "select claimed_mg from share_total") == (RETIRED_KG * KG,)
    summed = """select sum(i.share_mg)::int8 from share_ticket t join share_issue i
                on i.id = t.issue
                 where t.claimed_at is not null"""
    assert one(race.db, summed) == (RETIRED_KG * KG,)


TAKEN_BACK = (
    "update share_ticket set claimed_at = null",
    "update share_ticket set claimed_at = claimed_at + interval '1 day'",
    "update share_total set claimed_mg = 1",
    "delete from share_total",
    "delete from share_ticket",
    "update share_issue set share_mg = 1",
)


def test_the_application_can_take_no_claim_back(race: Marathon) -> None:
    race.retired()
    (words,) = tickets(race, 1, KG)
    claimed(race, words)
    refused = (errors.InsufficientPrivilege, errors.CheckViolation)
    with psycopg.connect(race.db.url, autocommit=True) as connection:
        connection.execute("set role tanpu_app")
        for statement in TAKEN_BACK:
            with pytest.raises(refused):
                connection.execute(statement.encode())
