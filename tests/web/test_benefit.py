"""Giving over HTTP (公益): one's own choice alone, and public cancellations that the desk opens."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.benefit import count_totals, give_dust
from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.scopes import Role
from app.kernel.tokens import Principal
from tests.support.clerks import known
from tests.support.owners import BUS, asset_number
from tests.support.points import accrue
from tests.web.counter import Counter

TODAY = day_of(now())
WETLAND = {
    "title_zh": "城市湿地",
    "title_en": "City wetland",
    "purpose_zh": "归公",
    "purpose_en": "Extinguished for everybody.",
    "organiser": "Bureau",
    "starts_on": str(TODAY),
    "ends_on": str(TODAY + timedelta(days=100)),
}
NOTHING = {"cancellation": None, "donation": None, "chosen_at": None}


@pytest.fixture
def counter(app: FastAPI, client: TestClient, city: City) -> Counter:
    return Counter(app, client, city)


def opened(counter: Counter, who: Principal, **changes: str) -> Any:  # noqa: ANN401 -- JSON
    headers = {
        "authorization": f"Bearer {counter.app.state.tokens.issue(who, at=now())}",
        "idempotency-key": "once",
    }
    return counter.client.post("/v1/admin/cancellations", json=WETLAND | changes, headers=headers)


def test_a_cause_is_opened_joined_by_choice_and_told_of_crowds(counter: Counter) -> None:
    city, clerk = counter.city, known(counter.city.db, Role.OPERATOR)
    made = opened(counter, clerk)
    assert made.status_code == 201, made.text
    assert opened(counter, clerk).json() == made.json()
    id_, ann, bo = made.json()["id"], counter.person(), counter.person()
    for each in (ann, bo):
        accrue(city.db, each.citizen.number, asset_number(city.db, BUS), 40, on=TODAY)
        assert each.get("/v1/me/benefit") == NOTHING
    chosen = ann.ask("PUT", "/v1/me/benefit", {"cancellation": id_})
    assert chosen.json()["cancellation"] == id_
    assert ann.get("/v1/me/benefit") == chosen.json()
    assert bo.get("/v1/me/benefit") == NOTHING
    later = now() + timedelta(days=31)
    assert give_dust(city.db, untouched_days=30, at=later) == (1, 40)
    path = f"/v1/public/cancellations/{id_}"
    assert counter.client.get(path).json()["totals"] == []
    count_totals(city.worker_db, crowd_min=1, at=later)
    shown = counter.client.get(path)
    assert shown.headers["cache-control"] == "public, max-age=60"
    (total,) = shown.json()["totals"]
    assert (total["grade"], total["persons"], total["reduction"]["co2e_mg"]) == ("A", 1, 40)
    listed = counter.client.get("/v1/public/cancellations").json()["data"]
    assert listed == [shown.json()]
    assert ann.ask("DELETE", "/v1/me/benefit").status_code == 204
    assert ann.get("/v1/me/benefit") == NOTHING


def test_the_desk_alone_opens_one(counter: Counter) -> None:
    ann = counter.person()
    assert ann.ask("POST", "/v1/admin/cancellations", WETLAND).status_code == 403
    clerk = known(counter.city.db, Role.OPERATOR)
    answer = opened(counter, clerk, ends_on=str(TODAY - timedelta(days=1)))
    assert (answer.status_code, answer.json()["code"]) == (422, "benefit.cancellation_malformed")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"cancellation": "pca_" + "0" * 26}, 404, "benefit.cancellation_unknown"),
        ({"cancellation": "nonsense"}, 404, "benefit.cancellation_unknown"),
        ({"donation": "off_" + "0" * 26}, 404, "benefit.donation_unknown"),
        ({"donation": "nonsense"}, 404, "benefit.donation_unknown"),
        ({"everything": True}, 422, "request.malformed"),
    ],
)
def test_what_is_not_there_cannot_be_chosen(
    counter: Counter, body: dict[str, Any], status: int, code: str
) -> None:
    answer = counter.person().ask("PUT", "/v1/me/benefit", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert counter.client.get("/v1/public/cancellations/nonsense").status_code == 404
