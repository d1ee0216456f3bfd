"""Recalls over HTTP (撤回接口): two regulators, and from then on anybody sees it."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import now
from app.kernel.ids import new_id, public_id
from app.kernel.scopes import Role
from app.registry.batches import Batch
from app.ticks import carry_recalls_out, replace_shortfalls
from ledger.assets import asset_key
from tests.support.desk import Person, clerk
from tests.support.owners import BUS, asset_number
from tests.support.points import citizens
from tests.support.registry import Registry

ASK = "/v1/admin/recalls"
PUBLIC = "/v1/public/recalls"


@pytest.fixture
def regulators(app: FastAPI, client: TestClient, city: City) -> tuple[Person, Person]:
    return (
        clerk(app, client, city, Role.REGULATOR, "r1"),
        clerk(app, client, city, Role.REGULATOR, "r2"),
    )


@pytest.fixture
def batch(city: City, tmp_path: Path) -> Batch:
    """Ten units: nine with the operator, one in the buffer."""
    registry = Registry(city.db, city.worker_db, city.keys, tmp_path / "registry")
    registry.terms(buffer_permille=100)
    (owner,) = citizens(city.db, city.keys, 1)
    registry.pool(owner, asset_number(city.db, BUS), 10_000_000)
    return registry.issued(BUS)


def wish(batch: Batch, void_kg: int = 4, **otherwise: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    named = {"batches": [{"batch": batch.public, "void_kg": void_kg}]}
    return {**named, "reason": "电表故障", **otherwise}


def test_two_regulators_recall_units_and_anybody_sees_what_was_done(
    client: TestClient, city: City, regulators: tuple[Person, Person], batch: Batch
) -> None:
    first, second = regulators
    asked = first.post(ASK, wish(batch))
    assert asked.status_code == 202, asked.text
    approval = asked.json()["id"]
    assert first.sign(approval).status_code == 403
    assert client.get(PUBLIC).json()["data"] == []
    assert second.sign(approval).status_code == 200
    (told,) = client.get(PUBLIC).json()["data"]
    assert (told["reason"], told["class_key"]) == ("电表故障", None)
    waiting = client.get(f"{PUBLIC}/{told['id']}").json()["batches"]
    assert waiting == [
        {"batch": batch.public, "void_kg": 4, "invalidated_kg": 0, "used_kg": None,
         "held_kg": None, "owed_kg": 0, "given_kg": 0}
    ]  # fmt: skip
    carry_recalls_out(city, now())
    replace_shortfalls(city, now())
    (done,) = client.get(f"{PUBLIC}/{told['id']}").json()["batches"]
    assert (done["invalidated_kg"], done["used_kg"]) == (4, 0)
    shown = client.get(f"/v1/public/issue-batches/{batch.public}").json()
    assert (shown["void_kg"], shown["deficit_kg"]) == (4, 0)


def test_days_name_batches_and_the_request_shows_them(
    regulators: tuple[Person, Person], batch: Batch
) -> None:
    first, _ = regulators
    acts = {"class_key": asset_key(BUS).hex(), "first_on": "2000-01-01", "last_on": "2100-01-01"}
    asked = first.post(ASK, {"acts": acts, "reason": "一整月"})
    assert asked.status_code == 202, asked.text
    assert asked.json()["payload"]["batches"] == {batch.public: 10}
    early = {**acts, "last_on": "2000-01-02"}
    refused = first.post(ASK, {"acts": early, "reason": "没有"})
    assert (refused.status_code, refused.json()["code"]) == (409, "recalls.empty")
    unknown = first.post(ASK, {"acts": {**acts, "class_key": "0" * 64}, "reason": "没有"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "lots.class_not_pooled")


def test_what_cannot_be_recalled_is_refused(
    client: TestClient, regulators: tuple[Person, Person], batch: Batch
) -> None:
    first, _ = regulators
    refused = first.post(ASK, wish(batch, 11))
    assert (refused.status_code, refused.json()["code"]) == (409, "recalls.too_much")
    nobody = {"batches": [{"batch": public_id("ibt", new_id()), "void_kg": 1}], "reason": "无"}
    assert first.post(ASK, nobody).status_code == 404
    both = wish(
        batch, acts={"class_key": "0" * 64, "first_on": "2026-01-01", "last_on": "2026-01-02"}
    )
    twice = {**wish(batch), "batches": wish(batch)["batches"] * 2}
    for body in ({"reason": "无"}, both, twice):
        assert first.post(ASK, body).status_code == 422
    answer = client.get(f"{PUBLIC}/{public_id('rcl', new_id())}")
    assert (answer.status_code, answer.json()["code"]) == (404, "recalls.unknown")
