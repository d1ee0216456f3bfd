"""The citizen's reading API over HTTP, as two citizens (市民查询接口)."""

import json
from datetime import date, timedelta

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.catalogue import is_read
from app.city import City
from ledger.verify_receipt import check, mirrored
from tests.support.acts import TODAY
from tests.support.anchoring import at, notary_over
from tests.support.chain import MemoryChain
from tests.support.desk import put_in_library, text
from tests.support.wallets import (
    TEN_KM_MG,
    Somebody,
    acts_of,
    citizens,
    clerk_headers,
    operator,
    ride,
    tell,
)

READS = ("wallet", "activities", "calendar", "trends", "appeals")
YESTERDAY = (TODAY - timedelta(days=1)).date()


@pytest.fixture
def two(city: City) -> list[Somebody]:
    """An has five rides of yesterday and one too short, Bo one."""
    sender = operator(city.db)
    made = citizens(city.db, city.keys, sender, "an", "bo")
    rides = [*(ride(n, "an") for n in range(1, 6)), ride(6, "an", km="0.1"), ride(9, "bo")]
    tell(city.db, city.keys, sender, rides)
    return made


class Reader:
    """Reads as one citizen."""

    def __init__(self, client: TestClient, app: FastAPI, who: Somebody) -> None:
        self._client, self._headers = client, who.headers(app)

    def get(self, path: str, **headers: str) -> Response:
        return self._client.get(f"/v1/me/{path}", headers={**self._headers, **headers})


@pytest.fixture
def an(client: TestClient, app: FastAPI, two: list[Somebody]) -> Reader:
    return Reader(client, app, two[0])


@pytest.fixture
def bo(client: TestClient, app: FastAPI, two: list[Somebody]) -> Reader:
    return Reader(client, app, two[1])


def code_of(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_each_reads_their_own_and_nothing_is_kept_on_the_way(an: Reader, bo: Reader) -> None:
    for path in READS:
        answer = an.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert answer.headers["cache-control"] == "no-store"
    assert an.get("wallet").json()["reduction"]["co2e_mg"] == 5 * TEN_KM_MG
    assert bo.get("wallet").json()["reduction"]["co2e_mg"] == TEN_KM_MG
    assert len(an.get("activities").json()["data"]) == 6
    assert len(bo.get("activities").json()["data"]) == 1


def test_the_wallet_names_classes_and_fields(an: Reader) -> None:
    wallet = an.get("wallet").json()
    (held,) = wallet["reductions"]
    assert held["methodology"] == "SZ-METRO"
    assert held["vintage"] == f"{YESTERDAY:%Y-%m}"
    assert held["reduction"] == {"co2e_mg": 2_340_000, "co2e": "2.340000 kg"}
    assert wallet["fields"] == [{"field": "green_travel", "reduction": held["reduction"]}]
    assert wallet["points"] == {
        **dict.fromkeys(("available", "reserved", "expiring_soon", "owed"), 0),
        "classes": [],
    }


def test_a_wallet_that_has_not_changed_is_not_sent_again(an: Reader, city: City) -> None:
    tag = an.get("wallet").headers["etag"]
    again = an.get("wallet", **{"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["cache-control"] == "no-store"
    tell(city.db, city.keys, "metro", [ride(20, "an")])
    changed = an.get("wallet", **{"if-none-match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_pages_follow_one_another_without_gap_or_repeat(an: Reader) -> None:
    whole = [act["id"] for act in an.get("activities").json()["data"]]
    found: list[str] = []
    cursor = ""
    for _ in range(4):
        page = an.get(f"activities?limit=2{cursor}").json()
        found += [act["id"] for act in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == whole == sorted(whole, reverse=True)
    assert len(found) == 6


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("outcome=ineligible", 1),
        ("outcome=accepted", 5),
        ("outcome=merged", 0),
        ("outcome=withdrawn", 0),
        ("provider=metro", 6),
        ("provider=nobody", 0),
        ("methodology=SZ-METRO", 6),
        ("methodology=SZ-BUS", 0),
        (f"month={YESTERDAY:%Y-%m}", 6),
        ("month=2020-01", 0),
        (f"since={YESTERDAY}&until={YESTERDAY}", 6),
        (f"until={YESTERDAY - timedelta(days=1)}", 0),
        (f"since={YESTERDAY + timedelta(days=1)}", 0),
    ],
)
def test_filters(an: Reader, query: str, count: int) -> None:
    answer = an.get(f"activities?{query}")
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["data"]) == count


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("activities?cursor=abc", "request.cursor_invalid"),
        ("activities?cursor=WzEsMl0", "request.cursor_invalid"),
        ("activities?cursor=WzAsIngiXQ", "request.cursor_invalid"),
        ("activities?cursor=WzEsIngiXQ", "request.cursor_invalid"),
        ("activities?limit=201", "request.malformed"),
        ("activities?outcome=none", "request.malformed"),
        ("activities?since=2026-02-01&until=2026-01-01", "wallet.period_invalid"),
        ("activities?since=1999-12-31", "wallet.period_invalid"),
        ("activities?month=2026-01&since=2026-01-01", "wallet.period_invalid"),
        ("calendar?month=2026-13", "request.malformed"),
        ("trends?months=37", "request.malformed"),
        ("trends?by=day", "request.malformed"),
    ],
)
def test_what_cannot_be_meant_is_refused(an: Reader, path: str, code: str) -> None:
    assert code_of(an.get(path)) == (422, code)


def test_somebody_elses_act_looks_like_none(
    an: Reader, bo: Reader, city: City, two: list[Somebody]
) -> None:
    hers = acts_of(city.db, two[0])[0]
    assert an.get(f"activities/{hers}").status_code == 200
    foreign = bo.get(f"activities/{hers}")
    unknown = bo.get("activities/act_00000000000000000000000011")
    nonsense = bo.get("activities/nonsense")
    assert code_of(foreign) == code_of(unknown) == code_of(nonsense) == (404, "activity.unknown")
    assert foreign.json()["detail"] == unknown.json()["detail"]


def test_without_a_citizens_token_nothing_is_read(client: TestClient, app: FastAPI) -> None:
    for path in (*READS, "receipt", "live"):
        assert code_of(client.get(f"/v1/me/{path}")) == (401, "auth.token_missing")
        answer = client.get(f"/v1/me/{path}", headers=clerk_headers(app))
        assert code_of(answer) == (403, "auth.scope_missing")


def test_the_calendar_names_the_days_and_trends_the_empty_months(an: Reader) -> None:
    month = an.get(f"calendar?month={YESTERDAY:%Y-%m}").json()
    (day,) = month["days"]
    assert (day["first"], day["activities"]) == (YESTERDAY.isoformat(), 5)
    assert day["reduction"] == month["total"]["reduction"]
    assert an.get("calendar?month=2020-02").json()["days"] == []

    trends = an.get("trends?months=12").json()["data"]
    firsts = [date.fromisoformat(each["first"]) for each in trends]
    assert len(firsts) == 12
    assert firsts == sorted(firsts)
    assert all(first.day == 1 for first in firsts)
    assert sum(each["reduction"]["co2e_mg"] for each in trends) == 5 * TEN_KM_MG
    weeks = an.get("trends?by=week&months=2").json()["data"]
    assert all(date.fromisoformat(each["first"]).weekday() == 0 for each in weeks)
    assert sum(each["activities"] for each in weeks) == 5


def test_a_receipt_from_the_api_verifies_without_the_server(
    an: Reader, bo: Reader, city: City
) -> None:
    """Two epochs: the newest, the older one, and what is new since it; each by a stranger."""
    assert code_of(an.get("receipt")) == (404, "anchoring.not_in_map")
    notary, chain = notary_over(city.worker_db, city.keys, city.settings.tanpu_home), MemoryChain()
    for epoch in (1, 2):
        notary.close(at=at(epoch))
        notary.publish()
        notary.submit(chain, at=at(epoch))
        if epoch == 1:
            tell(city.db, city.keys, "metro", [ride(30, "an")])
    notary.publish()
    lines = (city.settings.public_path / "headers.jsonl").read_text().splitlines()

    newest, older = an.get("receipt"), an.get("receipt?epoch=1")
    for answer in (newest, older, bo.get("receipt")):
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert check(json.loads(answer.content), mirrored(lines), None)
    assert len(newest.json()["entries"]) == 6
    assert len(older.json()["entries"]) == 5
    delta = an.get("receipt?epoch=2&since=1")
    assert len(delta.json()["entries"]) == 1
    assert check(json.loads(delta.content), mirrored(lines), json.loads(older.content))

    entries = [{json.dumps(e) for e in r.json()["entries"]} for r in (newest, bo.get("receipt"))]
    assert not entries[0] & entries[1]
    assert newest.json()["account"]["akey"] != bo.get("receipt").json()["account"]["akey"]
    assert code_of(an.get("receipt?epoch=3")) == (404, "anchoring.not_in_map")


def test_a_version_that_was_just_published_is_read_and_changes_nothing(
    an: Reader, city: City
) -> None:
    before = an.get("wallet").json()
    sha256 = bytes.fromhex(put_in_library(city.db, text(code="TP-ANEW")).sha256)
    assert not is_read([sha256])
    assert an.get("wallet").json() == before
    assert is_read([sha256])
