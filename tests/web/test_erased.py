"""What an erased citizen's last token still does (删除后的令牌): it is read, and writes nothing.

Every operation of a citizen that is no GET is tried, as OpenAPI lists them; a new one fails here
until somebody says what it answers.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any, Final, NamedTuple

import psycopg
import pytest
from fastapi import FastAPI
from psycopg import sql
from sqlmodel import Session
from starlette.testclient import TestClient

from app.citizens import Citizen
from app.city import City
from app.kernel.clock import now
from app.kernel.db import driver
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role
from app.privacy.erasing import erase
from app.privacy.forgetting import forget
from tests.support.acts import one
from tests.support.anchoring import ORIGIN, notary_over
from tests.support.chain import MemoryChain
from tests.support.projects import SINCE, design, report
from tests.web.entering import Person, Phones, bearer

ZEROES: Final = "0" * 26
GONE: Final = (401, "auth.token_invalid")


class Try(NamedTuple):
    """What is sent, and how it is answered."""

    body: Mapping[str, Any] | None = None
    answer: tuple[int, str] = GONE


TRIES: Final[Mapping[str, Try]] = {
    "linkLogin": Try({"grant": "wechat", "code": "somebody.1"}),
    "unlinkLogin": Try(),
    "raiseAppeal": Try({"activity": f"act_{ZEROES}", "contests": "too_low", "reason": "Why."}),
    "exchange": Try({}),
    "changeProfile": Try({"language": "en"}),
    "putConsents": Try({"scenes": [], "whereabouts": False, "at_least_14": True}),
    "askGuardian": Try(),
    "becomeGuardian": Try({"code": "0123456789"}),
    "askErasure": Try({"confirm": "erase"}),
    "issueStatement": Try(
        {"purpose": "loan", "audience": "bank.example", "days": 30, "score_at_least": 200}
    ),
    "putBenefit": Try({"donation": f"off_{ZEROES}"}),
    "withdrawBenefit": Try(answer=(204, "")),
    "placeOrder": Try({"offer": f"off_{ZEROES}", "version": 1, "price_points": 1}),
    "cancelOrder": Try(),
    "openOffline": Try(),
    "requestCancellation": Try({"co2e_mg": 1}),
    "openTeam": Try({"name": "绿骑士 Green Riders"}),
    "joinTeam": Try({"code": "7k3mz0q2xw"}),
    "joinChallenge": Try(),
    "enterLeaderboards": Try({"pseudonym": "小绿"}),
    "applyWithProject": Try(design()),
    "reviseProject": Try({"design": design(), "note": "moved"}),
    "withdrawProject": Try({"reason": "sold"}),
    "sendMonitoringReport": Try(report(SINCE, SINCE)),
    "giveToGathering": Try({"co2e_mg": 1}),
    "chooseTripSide": Try({"activity": f"act_{ZEROES}", "side": "attendee", "ticket": "a"}),
    # What only ends something finds nothing to end.
    "endSession": Try(answer=(404, "auth.session_unknown")),
    "withdrawConsents": Try(answer=(404, "providers.unknown")),
    "endGuardianship": Try(answer=(404, "guardians.unknown")),
    "revokeStatement": Try(answer=(404, "statements.unknown")),
    "readNotice": Try(answer=(404, "notices.unknown")),
    "revertCancellation": Try(answer=(404, "cancellations.unknown")),
    "withdrawCertificateText": Try(answer=(404, "certificates.text_unknown")),
    "leaveTeam": Try(answer=(204, "")),
    "leaveChallenge": Try(answer=(204, "")),
    "leaveLeaderboards": Try(answer=(204, "")),
}
IDS: Final = {
    "project_id": f"prj_{ZEROES}",
    "way": "phone",
    "session_id": f"ses_{ZEROES}",
    "provider": "nobody",
    "guardianship": f"grd_{ZEROES}",
    "statement_id": f"stm_{ZEROES}",
    "challenge_id": f"chl_{ZEROES}",
    "gathering_id": f"gth_{ZEROES}",
    "order_id": f"ord_{ZEROES}",
    "notice_id": f"ntc_{ZEROES}",
    "voucher_id": f"vou_{ZEROES}",
    "cancellation_id": f"can_{ZEROES}",
    "certificate_id": f"cert_{ZEROES}",
    "text": "message",
}
OWN: Final = SCOPES[Role.CITIZEN]
"""What a citizen's token may do with what is theirs."""


def writes(app: FastAPI) -> dict[str, tuple[str, str]]:
    """Give method and path of all that a citizen's token may do but read."""
    return {
        told["operationId"]: (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method, told in methods.items()
        if method != "get"
        and any(OWN & set(scopes) for each in told.get("security", ()) for scopes in each.values())
    }


def rows_of(owner_url: str, account: int) -> dict[str, int]:
    """Count the rows that name an owner, by table."""
    with psycopg.connect(owner_url) as connection:
        tables = connection.execute(
            "select c.table_name from information_schema.columns c"
            " join information_schema.tables t using (table_schema, table_name)"
            " where c.table_schema = 'public' and c.column_name = 'account'"
            " and t.table_type = 'BASE TABLE' order by 1"
        ).fetchall()
        counts = {
            table: connection.execute(
                sql.SQL("select count(*) from {} where account = %s").format(sql.Identifier(table)),
                (account,),
            ).fetchall()[0][0]
            for (table,) in tables
        }
    return {table: count for table, count in counts.items() if count}


class Erased(NamedTuple):
    """Somebody who was erased, and the token that outlived them."""

    headers: Mapping[str, str]
    account: int


@pytest.fixture
def erased(client: TestClient, phones: Phones, city: City, tmp_path: Path) -> Erased:
    """Join, ask to be erased, and let the worker do all of it within the token's ten minutes."""
    headers = bearer(Person(client, phones).log_in()["access_token"])
    (account,) = one(city.db, "select account from subject")
    key = {"Idempotency-Key": "leave"}
    asked = client.post("/v1/me/erasure", headers=headers | key, json={"confirm": "erase"})
    assert asked.status_code == 202, asked.text
    erase(city.worker_db, city.keys, ORIGIN, at=now())
    chain, notary = MemoryChain(), notary_over(city.worker_db, city.keys, tmp_path)
    notary.close(at=now())
    notary.publish()
    notary.submit(chain, at=now())
    assert erase(city.worker_db, city.keys, ORIGIN, at=now()) == 1
    return Erased(headers, account)


def test_a_token_that_outlives_its_citizen_writes_nothing(
    client: TestClient, app: FastAPI, city: City, erased: Erased
) -> None:
    before = rows_of(city.owner_url, erased.account)
    found = writes(app)
    assert set(found) == set(TRIES), "say above what an erased citizen is answered"
    for operation, (method, path) in sorted(found.items()):
        headers = {**erased.headers, "Idempotency-Key": new_id().hex}
        told = client.request(
            method, path.format(**IDS), headers=headers, json=TRIES[operation].body
        )
        code = told.json()["code"] if told.content else ""
        assert (told.status_code, code) == TRIES[operation].answer, operation
    assert rows_of(city.owner_url, erased.account) == before


def test_an_erasure_waits_for_what_its_citizen_writes(
    client: TestClient, phones: Phones, city: City
) -> None:
    """Whoever holds the citizen commits first; the deletion then sees it, and nothing is left."""
    Person(client, phones).log_in()
    bucket, account = one(city.db, "select bucket, account from subject")
    written, ended = Event(), Event()

    def write(session: Session) -> None:
        connection = driver(session)
        connection.execute(
            "select 1 from subject where bucket = %s and account = %s for key share",
            (bucket, account),
        )
        connection.execute(
            "insert into citizen_answer (bucket, account, key, request, kept_until)"
            " values (%s, %s, 'late', %s, now())",
            (bucket, account, bytes(32)),
        )
        written.set()
        assert not ended.wait(0.5), "the erasure did not wait"

    def forget_all(session: Session) -> None:
        forget(session, city.keys, Citizen(bucket, account))
        ended.set()

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(city.db.transact, write)
        assert written.wait(5)
        pool.submit(city.worker_db.transact, forget_all).result(10)
        writing.result(10)
    assert one(city.db, "select count(*) from citizen_answer") == (0,)
