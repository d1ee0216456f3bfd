"""Gatherings over HTTP (大型活动接口): classified, planned, acted for; nobody else's."""

from datetime import date, timedelta

from httpx2 import Response
from starlette.testclient import TestClient

from app.city import City
from app.kernel.ids import new_id
from app.neutrality.gatherings import a_year_after
from tests.support.acts import one
from tests.support.desk import Person
from tests.web.organisers import (
    EVIDENCE,
    PATH,
    closing,
    code,
    line,
    opened,
    plan,
    put,
    said,
    today,
    yesterday,
)


def test_it_is_opened_with_an_owner_in_the_books(organiser: Person, city: City) -> None:
    made = opened(organiser)
    assert made["thresholds"] == {"policy": "SH-2025", "is_voluntary": False}
    assert made["deadline"] == a_year_after(date.fromisoformat(made["ends_on"])).isoformat()
    assert organiser.get(f"{PATH}/{made['id']}").json() == made
    assert organiser.get(PATH).json() == {"data": [made], "next_cursor": None}
    query = """select count(*) from account a join account_secret s on s.account = a.id
                where a.id = (select account from gathering) and a.akey is not null"""
    assert one(city.db, query) == (1,)


CLASSES = (
    ({"people": 4_999}, "SH-2025", True),
    ({"kind": "conference", "people": 400}, "SH-2025", False),
    ({"kind": "other"}, "SH-2025", True),
    ({"district": "420106"}, "CN-2019", True),
    ({"kind": "exhibition", "visits": 9_999, "area_m2": 5_000}, "SH-2025", False),
    ({"kind": "exhibition", "visits": 9_999, "area_m2": 4_999}, "SH-2025", True),
)


def test_it_is_classified_by_the_thresholds_of_its_place(organiser: Person) -> None:
    for changes, policy, voluntary in CLASSES:
        made = opened(organiser, **changes)
        assert made["thresholds"] == {"policy": policy, "is_voluntary": voluntary}, changes


LONG_AGO = "2020-01-01"
IMPOSSIBLE = (
    ({"kind": "exhibition", "visits": 9}, "gatherings.size_missing"),
    ({"district": "710000"}, "gatherings.district_unknown"),
    ({"starts_on": LONG_AGO, "ends_on": LONG_AGO}, "gatherings.dates_invalid"),
    ({"ends_on": LONG_AGO}, "gatherings.dates_invalid"),
    ({"ends_on": "2999-01-01"}, "gatherings.dates_invalid"),
    ({"people": 0}, "request.malformed"),
    ({"district": "31"}, "request.malformed"),
    ({"title_zh": " "}, "request.malformed"),
    ({"title_zh": "\x00"}, "request.malformed"),
    ({"organisation": "org_x"}, "request.malformed"),
)


def test_what_cannot_be_is_refused(organiser: Person) -> None:
    for changes, refused in IMPOSSIBLE:
        answer = organiser.post(PATH, said(**changes))
        assert (answer.status_code, code(answer)) == (422, refused), changes
    assert organiser.get(PATH).json()["data"] == []


def test_it_may_change_until_it_starts_and_is_classified_again(organiser: Person) -> None:
    path = f"{PATH}/{opened(organiser)['id']}"
    smaller = {name: value for name, value in said(people=100).items() if name != "kind"}
    changed = put(organiser, path, smaller)
    assert changed.status_code == 200, changed.text
    assert changed.json()["thresholds"]["is_voluntary"] is True
    assert code(put(organiser, yesterday(organiser), smaller)) == "gatherings.started"


def test_a_plan_has_versions_and_is_public_if_it_says_so(
    organiser: Person, client: TestClient
) -> None:
    made = opened(organiser)
    path, public = f"{PATH}/{made['id']}", f"/v1/public/gatherings/{made['id']}/plan"
    assert code(organiser.post(path + "/plan", plan())) == "inventory.unknown"
    organiser.post(path + "/inventory/lines", {"stage": "expected", "lines": [line()]})
    organiser.post(path + "/inventory", closing("expected"))
    first = organiser.post(path + "/plan", plan())
    assert first.status_code == 201, first.text
    assert first.json()["expected"]["co2e_mg"] == 6_420_000_000
    assert client.get(public).status_code == 404
    second = organiser.post(path + "/plan", plan(is_public=True)).json()
    told = client.get(public)
    assert told.status_code == 200
    assert told.json()["plan"] == second
    assert told.json()["organiser_zh"] == "机构1"
    organiser.post(path + "/plan", plan())
    assert client.get(public).status_code == 404
    assert [each["version"] for each in organiser.get(path + "/plan").json()["data"]] == [3, 2, 1]


def test_a_plan_ends_within_a_year(organiser: Person) -> None:
    made = opened(organiser)
    path, ends_on = f"{PATH}/{made['id']}", date.fromisoformat(made["ends_on"])
    organiser.post(path + "/inventory/lines", {"stage": "expected", "lines": [line()]})
    organiser.post(path + "/inventory", closing("expected"))
    for deadline in (ends_on, a_year_after(ends_on) + timedelta(days=1)):
        answer = organiser.post(path + "/plan", plan(deadline=deadline.isoformat()))
        assert code(answer) == "gathering_plans.deadline_invalid"


def test_an_action_has_evidence_and_a_day_that_was(organiser: Person) -> None:
    path = f"{PATH}/{opened(organiser)['id']}/actions"
    act = {
        "category": "materials",
        "text": "Refill points",
        "taken_on": today().isoformat(),
        "evidence": EVIDENCE,
    }
    made = organiser.post(path, act)
    assert made.status_code == 201, made.text
    assert organiser.get(path).json()["data"] == [made.json()]
    ahead = {**act, "taken_on": (today() + timedelta(days=1)).isoformat()}
    assert code(organiser.post(path, ahead)) == "gathering_actions.not_yet"
    bare = {name: value for name, value in act.items() if name != "evidence"}
    assert organiser.post(path, bare).status_code == 422


def test_another_organisations_gathering_is_as_if_it_were_nobodys(
    organiser: Person, rival: Person
) -> None:
    path = yesterday(organiser)
    made = organiser.post(path + "/inventory/lines", {"stage": "actual", "lines": [line()]})
    one = made.json()["data"][0]["id"]
    organiser.post(path + "/inventory", closing("actual"))
    nobodys = f"{PATH}/gth_{'0' * 26}"
    assert rival.get(PATH).json()["data"] == []
    table = "category,label,quantity,unit,table,row,tier\r\n"

    def asked(base: str) -> list[Response]:
        sheet = f"{base}/inventory/tables/suppliers?stage=actual&dry_run="
        headers = {**rival.headers, "Idempotency-Key": new_id().hex}
        act = {"category": "fuel", "text": "x", "taken_on": "2026-01-01", "evidence": EVIDENCE}
        without = {name: value for name, value in said().items() if name != "kind"}
        return [
            rival.get(base),
            put(rival, base, without),
            rival.get(f"{base}/inventory/lines?stage=actual"),
            rival.post(f"{base}/inventory/lines", {"stage": "actual", "lines": [line()]}),
            rival.delete(f"{base}/inventory/lines/{one}"),
            rival.client.post(sheet + "true", content=table, headers=headers),
            rival.client.post(sheet + "false", content=table, headers=headers),
            rival.post(f"{base}/inventory", closing("actual")),
            rival.get(f"{base}/inventory?stage=actual"),
            rival.post(f"{base}/plan", plan()),
            rival.get(f"{base}/plan"),
            rival.post(f"{base}/actions", act),
            rival.get(f"{base}/actions"),
        ]

    for foreign, unknown in zip(asked(path), asked(nobodys), strict=True):
        assert foreign.status_code == 404, foreign.text
        assert code(foreign) == code(unknown) == "gatherings.unknown"
    assert organiser.get(f"{path}/inventory/lines?stage=actual").json()["data"][0]["id"] == one
