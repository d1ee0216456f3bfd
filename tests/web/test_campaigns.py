"""Simulations at the desk over HTTP: asked for once, run, and named by the terms that follow."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.campaigns import run_simulations
from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.tokens import Principal
from tests.support.acts import one
from tests.support.clerks import known
from tests.support.points import GREEN, citizens, programme

TODAY = day_of(now())
PATH = "/v1/admin/programmes/green/simulations"
RATES = "/v1/admin/programmes/green/rates"
RATE = {"grade": "A", "field": "green_travel", "mg_per_point": 8_000}
NONE = "sim_" + "0" * 26
WANTED = {
    "candidate": {"rates": [RATE]},
    "since": str(TODAY - timedelta(days=30)),
    "until": str(TODAY),
}


@pytest.fixture
def desk(app: FastAPI, client: TestClient, city: City) -> "Desk":
    programme(city.db, city.keys, 1_000)
    return Desk(app, client, city)


class Desk:
    """A clerk, and whoever else asks."""

    def __init__(self, app: FastAPI, client: TestClient, city: City) -> None:
        self.app, self.client, self.city = app, client, city
        self.clerk = known(city.db, Role.OPERATOR)

    def ask(
        self,
        path: str,
        body: Any = None,  # noqa: ANN401 -- JSON
        *,
        key: str | None = None,
        who: Principal | None = None,
    ) -> Response:
        token = self.app.state.tokens.issue(who or self.clerk, at=now())
        headers = {
            "authorization": f"Bearer {token}",
            "idempotency-key": key or new_id().hex,
        }
        if body is None:
            return self.client.get(path, headers=headers)
        return self.client.post(path, json=body, headers=headers)


def test_a_simulation_is_asked_for_once_runs_and_is_named_by_what_is_signed(desk: Desk) -> None:
    made = desk.ask(PATH, WANTED, key="once")
    assert made.status_code == 201, made.text
    assert desk.ask(PATH, WANTED, key="once").json() == made.json()
    id_ = made.json()["id"]
    assert made.json()["outcome"] is None
    terms = {**RATE, "valid_from": str(TODAY), "reason": "x", "simulation": id_}
    early = desk.ask(RATES, terms)
    assert (early.status_code, early.json()["code"]) == (409, "points.not_simulated")
    assert run_simulations(desk.city.db, crowd_min=1, at=now()) == 1
    found = desk.ask(f"{PATH}/{id_}").json()
    assert found["outcome"]["simulated_points"] == 0
    others = ({"mg_per_point": 7_999}, {"field": None}, {"from_mg": 1}, {"simulation": NONE})
    for changed in others:
        assert desk.ask(RATES, terms | changed).json()["code"] == "points.not_simulated"
    asked = desk.ask(RATES, terms)
    assert asked.status_code == 201, asked.text
    payload = asked.json()["payload"]
    assert (payload["simulation"], payload["sha256"]) == (id_, found["digest"])
    sign = f"/v1/admin/approvals/{asked.json()['id']}/signature"
    second = known(desk.city.db, Role.OPERATOR)
    token = desk.app.state.tokens.issue(second, at=now())
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "signed"}
    signed = desk.client.post(sign, headers=headers)
    assert signed.status_code == 200, signed.text
    noted = one(desk.city.db, "select detail from audit_entry where act = 'programmes.set_rate'")[0]
    assert (noted["simulation"], noted["sha256"]) == (id_, found["digest"])


def test_simulations_are_of_their_programme_and_paged(desk: Desk) -> None:
    blue = GREEN.__class__("blue", "蓝", "Blue")
    programme(desk.city.db, desk.city.keys, new=blue)
    made = [desk.ask(PATH, WANTED).json()["id"] for _ in range(3)]
    first = desk.ask(f"{PATH}?limit=2").json()
    assert [each["id"] for each in first["data"]] == made[:0:-1]
    rest = desk.ask(f"{PATH}?limit=2&cursor={first['next_cursor']}").json()
    assert [each["id"] for each in rest["data"]] == made[:1]
    assert desk.ask("/v1/admin/programmes/blue/simulations").json()["data"] == []
    other = desk.ask(f"/v1/admin/programmes/blue/simulations/{made[0]}")
    unknown = desk.ask(f"{PATH}/sim_{'0' * 26}")
    assert (other.status_code, other.json()["code"]) == (404, unknown.json()["code"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"until": str(TODAY + timedelta(days=1))}, "campaigns.days_unfit"),
        ({"candidate": {"rates": [RATE, RATE]}}, "campaigns.terms_twice"),
        ({"candidate": {"rates": [{**RATE, "mg_per_point": 0}]}}, "request.malformed"),
        ({"candidate": {"tiers": []}}, "request.malformed"),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    desk: Desk, changes: dict[str, Any], code: str
) -> None:
    answer = desk.ask(PATH, WANTED | changes)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_citizen_simulates_nothing(desk: Desk) -> None:
    (ann,) = citizens(desk.city.db, desk.city.keys, 1)
    who = Principal("citizen", new_id(), SCOPES[Role.CITIZEN], ann)
    assert desk.ask(PATH, WANTED, who=who).status_code == 403
    assert desk.ask(PATH, who=who).status_code == 403
