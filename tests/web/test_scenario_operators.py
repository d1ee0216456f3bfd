"""Operators of scenarios over HTTP (场景运营接口): they apply, two appoint, dates are shown."""

from datetime import date
from typing import Any, Final

import pytest

from app.catalogue import approve_scenario, end_approval
from tests.support.desk import Person
from tests.web.project_office import Office
from tests.web.shops import decided

OWN: Final = "/v1/organisation/scenario-applications"
ADMIN: Final = "/v1/admin/scenario-applications"
PUBLIC: Final = "/v1/public/scenario-operators"
WISH: Final[dict[str, Any]] = {
    "scenario": "sz-metro",
    "valid_from": "2026-01-01",
    "valid_until": "2026-12-31",
    "plan": "按日上报乘车记录。",
}
REASON: Final = {"reason": "Line 2"}


def applied(firm: Person, **changes: str) -> str:
    answer = firm.post(OWN, {**WISH, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@pytest.fixture
def regulators(office: Office) -> tuple[Person, Person]:
    return office.desk.regulator, office.desk.second_regulator


@pytest.fixture
def approved(office: Office) -> None:
    dates: dict[str, Any] = {"valid_from": date(2026, 1, 1), "valid_until": date(2026, 12, 31)}
    office.city.db.transact(approve_scenario, "sz-metro", **dates, letter="深环〔2026〕1号")


@pytest.mark.usefixtures("approved")
def test_an_appointed_operator_is_shown_with_the_approval_s_dates_of_now(
    office: Office, regulators: tuple[Person, Person]
) -> None:
    firm = office.firm()
    id_ = applied(firm)
    assert office.client.get(PUBLIC).json() == {"data": []}
    assert decided(regulators, f"{ADMIN}/{id_}/appointment", REASON).status_code == 200
    shown = {
        "scenario": "sz-metro",
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
        "letter": "深环〔2026〕1号",
        "operator_zh": "机构1",
        "operator_en": "Organisation 1",
    }
    assert office.client.get(PUBLIC).json() == {"data": [shown]}
    ends = {"valid_from": date(2026, 1, 1), "last": date(2026, 11, 30)}
    office.city.db.transact(end_approval, "sz-metro", **ends)
    assert office.client.get(PUBLIC).json()["data"][0]["valid_until"] == "2026-11-30"
    assert firm.get(f"{OWN}/{id_}").json()["state"] == "appointed"


@pytest.mark.usefixtures("approved")
def test_an_approval_has_one_operator(office: Office, regulators: tuple[Person, Person]) -> None:
    first, second = applied(office.firm(1)), applied(office.firm(2))
    assert decided(regulators, f"{ADMIN}/{first}/appointment", REASON).status_code == 200
    late = decided(regulators, f"{ADMIN}/{second}/appointment", REASON)
    assert (late.status_code, late.json()["code"]) == (409, "scenarios.operated")
    again = regulators[0].post(f"{ADMIN}/{first}/refusal", REASON)
    assert again.json()["code"] == "scenarios.application_decided"


def test_a_scenario_is_approved_before_it_is_operated(
    office: Office, regulators: tuple[Person, Person]
) -> None:
    firm = office.firm()
    id_ = applied(firm)
    answer = regulators[0].post(f"{ADMIN}/{id_}/appointment", REASON)
    assert (answer.status_code, answer.json()["code"]) == (409, "scenarios.unapproved")
    assert decided(regulators, f"{ADMIN}/{id_}/refusal", REASON).status_code == 200
    assert firm.get(f"{OWN}/{id_}").json()["state"] == "refused"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"scenario": "no-such"}, 404, "catalogue.scenario_unknown"),
        ({"valid_until": "2025-12-31"}, 422, "scenarios.dates_reversed"),
    ],
    ids=["scenario", "dates"],
)
def test_what_is_applied_for_can_be(
    office: Office, changes: dict[str, str], status: int, code: str
) -> None:
    answer = office.firm().post(OWN, {**WISH, **changes})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_another_organisation_s_application_is_as_if_nobody_s(office: Office) -> None:
    one, two = office.firm(1), office.firm(2)
    id_ = applied(one)
    for each in (id_, "sca_01k0000000000000000000000a"):
        answer = two.get(f"{OWN}/{each}")
        assert (answer.status_code, answer.json()["code"]) == (
            404, "scenarios.application_unknown",
        )  # fmt: skip
    assert two.get(OWN).json()["data"] == []
    assert [each["id"] for each in one.get(OWN).json()["data"]] == [id_]
    assert [each["id"] for each in office.desk.regulator.get(ADMIN).json()["data"]] == [id_]


def test_a_citizen_operates_nothing(office: Office) -> None:
    answer = office.citizen().post(OWN, WISH)
    assert (answer.status_code, answer.json()["code"]) == (403, "auth.scope_missing")
