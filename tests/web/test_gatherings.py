"""Gatherings over HTTP (大型活动接口): classified, planned, counted line by line, acted for."""

from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.ids import new_id
from app.neutrality.categories import Category
from app.neutrality.gatherings import a_year_after
from app.neutrality.inventory_rules import LINES_MAX
from ledger.certificate import canonical
from tests.support.acts import one
from tests.support.desk import Person
from tests.support.organisations import organisation

PATH = "/v1/gatherings"
EVIDENCE = "e" * 64
HOTEL = "29_600_4009_13_1"
UK_POWER = "7_400_4000_5_1"


def today() -> date:
    return day_of(now())


def said(**changes: object) -> dict[str, Any]:
    on = (today() + timedelta(days=30)).isoformat()
    whole: dict[str, Any] = {
        "kind": "competition",
        "title_zh": "城市马拉松",
        "title_en": "City Marathon",
        "people": 38_000,
        "starts_on": on,
        "ends_on": on,
        "district": "310115",
        "place": "世纪公园",
    }
    return {**whole, **changes}


def line(**changes: object) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "category": "rooms_meals",
        "label": "Elite athletes' hotel",
        "quantity": "120",
        "unit": "room*night",
        "table": "desnz-2025",
        "row": HOTEL,
        "tier": "estimated",
    }
    return {**whole, **changes}


def others(*counted: str) -> dict[str, str]:
    return {each.value: "none here" for each in Category if each.value not in counted}


@pytest.fixture
def organiser(app: FastAPI, client: TestClient, city: City) -> Person:
    return organisation(city.db, city.keys, 1).person(app, client)


@pytest.fixture
def rival(app: FastAPI, client: TestClient, city: City) -> Person:
    return organisation(city.db, city.keys, 2).person(app, client)


def opened(organiser: Person, **changes: object) -> dict[str, Any]:
    made = organiser.post(PATH, said(**changes))
    assert made.status_code == 201, made.text
    return made.json()


def yesterday(organiser: Person) -> str:
    """Open a gathering that was yesterday."""
    was = (today() - timedelta(days=1)).isoformat()
    return f"{PATH}/{opened(organiser, starts_on=was, ends_on=was)['id']}"


def code(answer: Response) -> str:
    return answer.json()["code"]


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


def put(who: Person, path: str, body: dict[str, Any]) -> Response:
    headers = {**who.headers, "Idempotency-Key": new_id().hex}
    return who.client.put(path, json=body, headers=headers)


def test_it_may_change_until_it_starts_and_is_classified_again(organiser: Person) -> None:
    path = f"{PATH}/{opened(organiser)['id']}"
    smaller = {name: value for name, value in said(people=100).items() if name != "kind"}
    changed = put(organiser, path, smaller)
    assert changed.status_code == 200, changed.text
    assert changed.json()["thresholds"]["is_voluntary"] is True
    assert code(put(organiser, yesterday(organiser), smaller)) == "gatherings.started"


def test_a_line_is_computed_by_the_row_it_names(organiser: Person) -> None:
    path = f"{PATH}/{opened(organiser)['id']}/inventory/lines"
    made = organiser.post(path, {"stage": "expected", "lines": [line()]})
    assert made.status_code == 201, made.text
    (told,) = made.json()["data"]
    assert told["emissions"] == {"co2e_mg": 6_420_000_000, "co2e": "6420.000000 kg"}
    assert told["factor"]["row"] == HOTEL
    assert told["factor"]["default"] is None, "a Chinese figure of DESNZ's"
    assert organiser.get(f"{path}?stage=expected").json()["data"] == [told]
    assert organiser.get(f"{path}?stage=actual").json()["data"] == []
    assert organiser.delete(f"{path}/{told['id']}").status_code == 204
    assert code(organiser.delete(f"{path}/{told['id']}")) == "inventory.line_unknown"
    assert organiser.get(f"{path}?stage=expected").json()["data"] == []


UNFIT = (
    ({"row": "29_600_9999_13_1"}, "inventory.factor_missing"),
    ({"table": "wishes"}, "inventory.factor_missing"),
    ({"row": "29_600_4002_13_1"}, "inventory.factor_unusable"),
    ({"category": "materials"}, "inventory.factor_foreign"),
    (
        {"category": "energy", "row": UK_POWER, "unit": "kWh"},
        "inventory.factor_foreign",
    ),
    ({"unit": "kWh"}, "inventory.unit_unfit"),
    ({"unit": "nights"}, "inventory.unit_unfit"),
    ({"quantity": "999999999999"}, "inventory.quantity_unlikely"),
    ({"tier": "measured", "evidence": EVIDENCE}, "inventory.tier_unfit"),
    ({"quantity": "0"}, "request.malformed"),
    ({"quantity": "-1"}, "request.malformed"),
    ({"quantity": "1e3"}, "request.malformed"),
    ({"quantity": "NaN"}, "request.malformed"),
    ({"quantity": 120}, "request.malformed"),
    ({"quantity": "1.0000001"}, "request.malformed"),
    ({"evidence": "E" * 64}, "request.malformed"),
    ({"label": "\x00"}, "request.malformed"),
)


def test_a_line_that_nothing_published_fits_is_refused_with_all_beside_it(
    organiser: Person,
) -> None:
    path = f"{PATH}/{opened(organiser)['id']}/inventory/lines"
    for changes, refused in UNFIT:
        answer = organiser.post(path, {"stage": "expected", "lines": [line(), line(**changes)]})
        assert (answer.status_code, code(answer)) == (422, refused), changes
    assert organiser.get(f"{path}?stage=expected").json()["data"] == []


def test_power_has_the_grid_factor_of_the_place(organiser: Person) -> None:
    path = f"{PATH}/{opened(organiser)['id']}/inventory/lines"

    def drawn(row: str, table: str = "cn-grid") -> Response:
        power = line(category="energy", unit="kWh", table=table, row=row)
        return organiser.post(path, {"stage": "expected", "lines": [power]})

    assert drawn("上海/2023").json()["data"][0]["emissions"]["co2e_mg"] == 68_844_000
    for row in ("四川/2023", "上海/2021", "全国/2023", "全国化石能源电力/2023"):
        assert code(drawn(row)) == "inventory.factor_foreign", row


def test_what_is_actual_and_measured_names_its_evidence(organiser: Person) -> None:
    path = yesterday(organiser) + "/inventory/lines"
    bare = organiser.post(path, {"stage": "actual", "lines": [line(tier="measured")]})
    assert code(bare) == "inventory.tier_unfit"
    proved = line(tier="measured", evidence=EVIDENCE)
    assert organiser.post(path, {"stage": "actual", "lines": [proved]}).status_code == 201


def closing(stage: str, **changes: object) -> dict[str, Any]:
    whole = {"stage": stage, "attendance": 36_512, "exclusions": others("rooms_meals")}
    return {**whole, **changes}


def test_an_inventory_is_a_document_with_all_it_rests_on(organiser: Person) -> None:
    path = yesterday(organiser)
    guess = line(row="19_501_5064_15_1", unit="kg", quantity="12.5", tier="default", note="Guessed")
    organiser.post(path + "/inventory/lines", {"stage": "actual", "lines": [line(), guess]})
    made = organiser.post(path + "/inventory", closing("actual", assumptions=["Nobody flew"]))
    assert made.status_code == 201, made.text
    told, document = made.json(), made.json()["document"]
    assert sha256(canonical(document)).hexdigest() == told["sha256"]
    assert (told["version"], told["lines"]) == (1, 2)
    assert document["total_mg"] == sum(each["co2e_mg"] for each in document["lines"])
    assert document["categories"]["rooms_meals"] == document["total_mg"]
    assert [each["factor"]["row"] for each in document["lines"]] == [HOTEL, "19_501_5064_15_1"]
    assert document["lines"][1]["factor"]["default"].startswith("GB default")
    assert document["exclusions"]["waste"] == "none here"
    assert document["assumptions"] == ["Nobody flew"]
    assert len(document["tables"][0]["sha256"]) == 64
    again = organiser.post(path + "/inventory", closing("actual"))
    assert again.json()["version"] == 2
    latest = organiser.get(path + "/inventory?stage=actual").json()
    assert (latest["version"], latest["document"]["assumptions"]) == (2, [])
    first = organiser.get(path + "/inventory?stage=actual&version=1").json()
    assert first == told
    assert code(organiser.get(path + "/inventory?stage=actual&version=3")) == "inventory.unknown"


def test_an_inventory_is_complete_and_of_what_was(organiser: Person) -> None:
    path = f"{PATH}/{opened(organiser)['id']}"
    lines, inventory = path + "/inventory/lines", path + "/inventory"
    organiser.post(lines, {"stage": "expected", "lines": [line()]})
    for exclusions in ({}, others(), {**others("rooms_meals"), "fuel": " "}):
        answer = organiser.post(inventory, closing("expected", exclusions=exclusions))
        assert answer.status_code == 422, answer.text
    assert organiser.post(inventory, closing("expected")).status_code == 201
    assert code(organiser.post(inventory, closing("actual"))) == "gatherings.not_over"
    empty = yesterday(organiser) + "/inventory"
    assert code(organiser.post(empty, closing("actual"))) == "inventory.incomplete"


def test_a_gathering_that_moves_needs_the_factor_of_where_it_is(organiser: Person) -> None:
    made = opened(organiser)
    path = f"{PATH}/{made['id']}"
    power = line(category="energy", unit="kWh", table="cn-grid", row="上海/2023")
    organiser.post(path + "/inventory/lines", {"stage": "expected", "lines": [power]})
    moved = {name: value for name, value in said(district="420106").items() if name != "kind"}
    assert put(organiser, path, moved).status_code == 200
    answer = organiser.post(path + "/inventory", closing("expected", exclusions=others("energy")))
    assert code(answer) == "inventory.factor_foreign"


def test_lines_have_an_end(organiser: Person) -> None:
    path = f"{PATH}/{opened(organiser)['id']}/inventory/lines"
    for added in (200, 200, 100):
        many = {"stage": "expected", "lines": [line()] * added}
        assert organiser.post(path, many).status_code == 201
    answer = organiser.post(path, {"stage": "expected", "lines": [line()]})
    assert (answer.status_code, code(answer)) == (409, "inventory.lines_many")
    shown = organiser.get(f"{path}?stage=expected&limit=200").json()
    assert (len(shown["data"]), shown["next_cursor"] is None) == (200, False)
    assert LINES_MAX == 500


def plan(**changes: object) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "boundary": "The course and the way there",
        "measures": ["No bottles"],
        "offset_way": "units",
        "deadline": a_year_after(today() + timedelta(days=30)).isoformat(),
        "is_public": False,
    }
    return {**whole, **changes}


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


def test_the_library_of_factors_is_open_to_all(client: TestClient) -> None:
    tables = client.get("/v1/public/factors").json()["data"]
    assert [each["id"] for each in tables] == ["desnz-2025", "cn-grid", "cn-fuels"]
    hotels = client.get("/v1/public/factors/desnz-2025?category=rooms_meals&words=hotel&limit=200")
    rows = hotels.json()["data"]
    assert {each["names"][1] for each in rows} == {"Hotel stay"}
    assert HOTEL in {each["row"] for each in rows}
    first = client.get("/v1/public/factors/desnz-2025?limit=2").json()
    rest = client.get(f"/v1/public/factors/desnz-2025?limit=2&cursor={first['next_cursor']}")
    ids = [each["row"] for each in first["data"] + rest.json()["data"]]
    assert len(set(ids)) == 4
    sheet = client.get("/v1/public/factors/desnz-2025/file")
    assert sha256(sheet.content).hexdigest() == tables[0]["sha256"]
    known = {"If-None-Match": sheet.headers["etag"]}
    assert client.get("/v1/public/factors/desnz-2025/file", headers=known).status_code == 304
    for path in ("/v1/public/factors/none", "/v1/public/factors/none/file"):
        assert client.get(path).status_code == 404
    british = client.get("/v1/public/factors/desnz-2025?words=UK%20electricity").json()["data"]
    assert not [each for each in british if each["category"] == "energy"]


def test_a_tenth_of_a_milligram_is_rounded_up(organiser: Person) -> None:
    path = f"{PATH}/{opened(organiser)['id']}/inventory/lines"
    tiny = line(quantity="0.000001", unit="room*night")
    made = organiser.post(path, {"stage": "expected", "lines": [tiny]})
    assert made.json()["data"][0]["emissions"]["co2e_mg"] == 54
    assert Decimal("0.000001") * Decimal("53.5") * 1_000_000 == Decimal("53.5")
