"""One effect a key (幂等), whatever comes twice, side by side, or breaks on the way."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from fastapi import Request, Response
from pydantic import BaseModel
from sqlmodel import Session

from app.citizens import open_citizens
from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.once import (
    KEPT,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    answer_once,
    sweep,
)
from app.kernel.problems import Refusal
from app.kernel.scopes import SCOPES, Role
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from tests.support.clerks import principal

TRIES = 20
COUNT = "select count(*) from scenario_approval"
LEAVE = """
insert into scenario_approval (scenario, valid_from, valid_until, letter)
values ({}, '2026-01-01', '2026-12-31', 'letter 1')"""


class Body(BaseModel):
    text: str


class Done(BaseModel):
    number: int


class SoldOut(Refusal):
    """The last one went."""

    code = "test.sold_out"
    title_zh = "已兑完"


class Away(SoldOut):
    """Somebody else is away."""

    status = 503


def request(path: str = "/v1/things", method: str = "POST", query: bytes = b"") -> Request:
    return Request(
        {"type": "http", "method": method, "path": path, "query_string": query, "headers": []}
    )


@pytest.fixture
def clerk() -> Principal:
    return principal(Role.OPERATOR)


def joined(db: Database, keys: Keys) -> Principal:
    """Let somebody join."""
    (made,) = db.transact(open_citizens, keys, 1, at=now(), basis="self")
    return Principal("citizen", new_id(), SCOPES[Role.CITIZEN], made.number)


@pytest.fixture
def citizen(db: Database, keys: Keys) -> Principal:
    return joined(db, keys)


@pytest.fixture(params=["citizen", "clerk", "partner"])
def who(request: pytest.FixtureRequest) -> Principal:
    """Each kind, since their answers lie in different tables."""
    if request.param == "partner":
        return Principal("partner", new_id(), frozenset())
    return request.getfixturevalue(request.param)


Deed = Callable[[Session], Done]


def counting(session: Session) -> Done:
    """Leave a row, and tell how many there are."""
    connection = driver(session)
    connection.execute(LEAVE.format("gen_random_uuid()"))
    row = connection.execute(COUNT).fetchone()
    assert row is not None
    return Done(number=row[0])


def effects(db: Database) -> int:
    return db.read(lambda session: driver(session).execute(COUNT).fetchall())[0][0]


def ask(
    db: Database,
    who: Principal,
    key: str | None = "k-1",
    deed: Deed = counting,
    body: BaseModel | None = None,
    of: Request | None = None,
) -> Response:
    return answer_once(of or request(), db, who, key, body or Body(text="a"), deed)


def is_replayed(answer: Response) -> bool:
    return answer.headers.get("idempotent-replayed") == "true"


def test_the_second_time_the_first_answer_is_given_again(db: Database, who: Principal) -> None:
    first, second = ask(db, who), ask(db, who)
    assert (first.status_code, bytes(first.body)) == (201, b'{"number":1}')
    assert (second.status_code, second.body) == (first.status_code, first.body)
    assert (is_replayed(first), is_replayed(second)) == (False, True)
    assert effects(db) == 1


def test_twenty_at_once_have_one_effect(db: Database, who: Principal) -> None:
    start = Barrier(TRIES)

    def one(_: int) -> Response:
        start.wait(timeout=30)
        return ask(db, who)

    with ThreadPoolExecutor(TRIES) as pool:
        answers = list(pool.map(one, range(TRIES)))
    assert {(answer.status_code, bytes(answer.body)) for answer in answers} == {
        (201, b'{"number":1}')
    }
    assert sum(not is_replayed(answer) for answer in answers) == 1
    assert effects(db) == 1


def test_another_key_is_another_deed(db: Database, who: Principal) -> None:
    assert ask(db, who, "k-1").body != ask(db, who, "k-2").body
    assert effects(db) == 2


@pytest.mark.parametrize("key", [None, "", " ", "a b", "é", "k" * 201, "a\n"])
def test_a_key_is_required_and_printable(db: Database, who: Principal, key: str | None) -> None:
    with pytest.raises(IdempotencyKeyMissing):
        ask(db, who, key)
    assert effects(db) == 0


@pytest.mark.parametrize(
    ("body", "of"),
    [
        (Body(text="b"), request()),
        (None, request("/v1/other")),
        (None, request(method="PUT")),
        (None, request(query=b"a=1")),
    ],
)
def test_the_same_key_with_another_request_is_refused(
    db: Database, who: Principal, body: Body | None, of: Request
) -> None:
    ask(db, who)
    with pytest.raises(IdempotencyKeyReused):
        ask(db, who, body=body, of=of)
    assert effects(db) == 1


def test_a_refusal_is_kept_and_what_it_had_done_is_undone(db: Database, who: Principal) -> None:
    def deed(session: Session) -> Done:
        counting(session)
        raise SoldOut(left=0)

    first, second = ask(db, who, deed=deed), ask(db, who)
    assert (first.status_code, json.loads(bytes(first.body))["code"]) == (409, "test.sold_out")
    assert (second.status_code, second.body) == (first.status_code, first.body)
    assert second.headers["content-type"] == "application/problem+json"
    assert is_replayed(second)
    assert effects(db) == 0


@pytest.mark.parametrize("error", [Away(), AssertionError("a defect"), KeyError("x")])
def test_a_defect_keeps_nothing_so_that_the_next_try_runs(
    db: Database, who: Principal, error: Exception
) -> None:
    def deed(session: Session) -> Done:
        counting(session)
        raise error

    with pytest.raises(type(error)):
        ask(db, who, deed=deed)
    assert effects(db) == 0
    answer = ask(db, who)
    assert (answer.status_code, is_replayed(answer)) == (201, False)


def test_a_conflict_that_is_tried_again_is_one_deed(db: Database, who: Principal) -> None:
    """A unique violation inside the deed runs the whole again, key and all."""
    tries = 0

    def deed(session: Session) -> Done:
        nonlocal tries
        tries += 1
        if tries == 1:
            for _ in range(2):
                driver(session).execute(LEAVE.format("'twice'"))
        return counting(session)

    answer = ask(db, who, deed=deed)
    assert (answer.status_code, is_replayed(answer), tries) == (201, False, 2)
    assert effects(db) == 1


def test_keys_of_others_are_others(db: Database, citizen: Principal, clerk: Principal) -> None:
    """A citizen's and a clerk's, and two of a kind, though they chose the same word."""
    other = principal(Role.OPERATOR)
    machine = Principal("partner", clerk.id, frozenset())
    everybody = [citizen, clerk, other, machine]
    answers = [ask(db, who) for who in everybody]
    assert [is_replayed(answer) for answer in answers] == [False] * len(everybody)
    assert effects(db) == len(everybody)


def test_a_second_citizen_never_sees_the_firsts_answer(
    db: Database, keys: Keys, citizen: Principal
) -> None:
    other = joined(db, keys)
    assert not is_replayed(ask(db, citizen))
    assert not is_replayed(ask(db, other))


def test_answers_are_forgotten_after_their_time_and_not_before(
    db: Database, worker_db: Database, who: Principal
) -> None:
    ask(db, who)
    assert worker_db.transact(sweep, before=now() + KEPT - timedelta(minutes=1)) == 0
    assert is_replayed(ask(db, who))
    assert worker_db.transact(sweep, before=now() + KEPT + timedelta(minutes=1)) == 1
    assert not is_replayed(ask(db, who))
