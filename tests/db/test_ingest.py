"""Ingest on a real database: each outcome, once only, and what is stored of it."""

from app.kernel.db import Database
from app.kernel.secrets import Keys
from tests.support.acts import balances, counts, item, people, provider, rows, send


def test_it_posts_an_act_once_with_its_commitment(db: Database, keys: Keys) -> None:
    metro = provider(db)
    people(db, keys, metro, ["card-1"])
    first = send(db, keys, metro, [item(), item(2, subject="card-9")])
    assert counts(first) == {"accepted": 1, "refused": 1}
    assert first.reduction_mg == 1_000_000
    again = send(db, keys, metro, [item()])
    assert counts(again) == {"duplicate": 1}
    other = send(db, keys, metro, [item(distance="11")])
    assert counts(other) == {"conflict": 1}
    assert list(balances(db).values()) == [1_000_000]
    (transfer,) = rows(db, "select id, cause, amount, length(evidence) from transfer")
    (act,) = rows(db, "select id, id, raw_mg, 32 from activity")
    assert transfer == act
