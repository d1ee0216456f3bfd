"""Inventories over HTTP (排放清单接口): line by line, by published rows, closed as documents."""

from decimal import Decimal
from hashlib import sha256

from httpx2 import Response
from starlette.testclient import TestClient

from app.neutrality.inventory_rules import LINES_MAX
from ledger.certificate import canonical
from tests.support.desk import Person
from tests.web.organisers import (
    EVIDENCE,
    HOTEL,
    PATH,
    UK_POWER,
    closing,
    code,
    line,
    opened,
    others,
    put,
    said,
    yesterday,
)


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


UK_HOTEL, UK_EV, NO_RF = "29_600_4000_13_1", "25_301_3076_4_1", "21_316_3179_11_1"
CHANNEL = "25_315_3148_11_1"
"""Trains to the continent, of French power."""
UNFIT = (
    ({"row": "29_600_9999_13_1"}, "inventory.factor_missing"),
    ({"table": "wishes"}, "inventory.factor_missing"),
    ({"row": "29_600_4002_13_1"}, "inventory.factor_unusable"),
    ({"category": "materials"}, "inventory.factor_foreign"),
    ({"row": UK_HOTEL}, "inventory.factor_foreign"),
    ({"category": "transport", "row": NO_RF, "unit": "pkm"}, "inventory.factor_foreign"),
    ({"category": "transport", "row": UK_EV, "unit": "km"}, "inventory.factor_foreign"),
    ({"category": "transport", "row": CHANNEL, "unit": "pkm"}, "inventory.factor_foreign"),
    (
        {"category": "energy", "row": UK_POWER, "unit": "kWh"},
        "inventory.factor_foreign",
    ),
    ({"unit": "kWh"}, "inventory.unit_unfit"),
    ({"unit": "nights"}, "inventory.unit_unfit"),
    ({"quantity": "999999999999"}, "inventory.quantity_unlikely"),
    ({"tier": "measured", "evidence": EVIDENCE}, "inventory.tier_unfit"),
    ({"quantity": "0"}, "inventory.quantity_unlikely"),
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
    assert sheet.headers["cache-control"] == "public, max-age=86400"
    fuels = client.get("/v1/public/factors/cn-fuels").json()["data"]
    assert {each["note"][-24:] for each in fuels} == {"rounded up to six places"}
    (tube,) = client.get("/v1/public/factors/desnz-2025?words=25_315_3150_11_1").json()["data"]
    assert tube["understates"].startswith("Trains of British power")
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
