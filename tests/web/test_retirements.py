"""Retirements over HTTP (注销使用): an organisation's own, what others see, what the chain has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.chains import units_on_chain
from app.city import City
from app.kernel.clock import now
from app.kernel.secrets import Keys
from app.registry import Batch
from app.ticks import retire_units
from tests.support.desk import Person
from tests.support.organisations import organisation
from tests.support.retirements import issued_to

PATH = "/v1/retirements"
PUBLIC = "/v1/public/retirements"
SECRET = "给爷爷的树"
LATER = timedelta(minutes=11)


@dataclass
class Registrants:
    """An organisation that has units, and another that has none."""

    ours: Person
    theirs: Person
    batch: Batch

    def ask(self, **more: Any) -> dict[str, Any]:  # noqa: ANN401 -- any field
        made = self.ours.post(PATH, self.wish(**more))
        assert made.status_code == 201, made.text
        return made.json()

    def wish(self, **more: Any) -> dict[str, Any]:  # noqa: ANN401 -- likewise
        return {
            "batch": self.batch.public,
            "quantity_kg": 300,
            "purpose": 3,
            "period": "2026",
        } | more

    def shown(self, retirement: Mapping[str, Any]) -> dict[str, Any]:
        return self.ours.get(f"{PATH}/{retirement['id']}").json()


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Keys of its own, and so a registry of its own on the chain that all tests share."""
    return Keys(tmp_path / "keys", make_missing=True)


@pytest.fixture
def who(app: FastAPI, client: TestClient, city: City) -> Registrants:
    offices = [organisation(city.db, city.keys, number) for number in (1, 2)]
    ours, theirs = (each.person(app, client) for each in offices)
    batch = issued_to(city.db, offices[0].organisation.owner, 1000, at=now())
    return Registrants(ours, theirs, batch)


def test_units_are_asked_for_taken_and_final(who: Registrants, city: City) -> None:
    asked = who.ask(beneficiary="南山小学", message=SECRET)
    assert (asked["state"], asked["serial"], asked["registration"]) == ("requested", None, None)
    assert asked["beneficiary"] == {"words": "南山小学", "is_public": False}
    assert asked["holder"]["words"] == "机构1"
    retire_units(city, now())
    assert who.shown(asked)["state"] == "requested"
    retire_units(city, now() + LATER)
    done = who.shown(asked)
    assert done["state"] == "final"
    assert done["serial"].split("-")[4:6] == ["0000000001", "0000000300"]
    assert done["registration"]["contract"].startswith("0x")
    counted = units_on_chain(city)
    assert counted is not None
    assert (counted.issued_kg, counted.retired_kg) == (1000, 300)


def test_a_certificate_for_somebody_shows_them_by_choice(who: Registrants) -> None:
    asked = who.ask(beneficiary="南山小学", shows=["beneficiary"])
    assert asked["beneficiary"]["is_public"] is True
    assert asked["holder"]["is_public"] is False


def test_what_is_reverted_is_free_again(who: Registrants, city: City) -> None:
    asked = who.ask(quantity_kg=1000)
    assert who.ours.post(PATH, who.wish(quantity_kg=1)).json()["code"] == (
        "retirements.units_lacking"
    )
    reverted = who.ours.post(f"{PATH}/{asked['id']}/revert")
    assert (reverted.status_code, reverted.json()["state"]) == (200, "reverted")
    again = who.ours.post(f"{PATH}/{asked['id']}/revert")
    assert (again.status_code, again.json()["code"]) == (409, "retirements.ended")
    retire_units(city, now() + LATER)
    assert who.shown(asked)["state"] == "reverted"
    who.ask(quantity_kg=1000)


def test_a_stranger_neither_sees_nor_reverts_it(who: Registrants) -> None:
    asked = who.ask()
    for answer in (
        who.theirs.get(f"{PATH}/{asked['id']}"),
        who.theirs.post(f"{PATH}/{asked['id']}/revert"),
        who.theirs.get(f"{PATH}/ret_nonsense"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "retirements.unknown")
    assert who.theirs.get(PATH).json()["data"] == []
    assert who.theirs.post(PATH, who.wish()).json()["code"] == "retirements.units_lacking"
    assert who.shown(asked)["state"] == "requested"


def test_the_same_key_asks_once(who: Registrants) -> None:
    first, again = (who.ours.post(PATH, who.wish(), key="one") for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    assert len(who.ours.get(PATH).json()["data"]) == 1


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"quantity_kg": 0}, 422),
        ({"quantity_kg": "1"}, 422),
        ({"purpose": 8}, 422),
        ({"purpose": 4}, 422),
        ({"purpose": 6, "period": None}, 422),
        ({"purpose": 6}, 409),
        ({"shows": ["akey"]}, 422),
        ({"beneficiary": " "}, 422),
        ({"batch": "ibt_nonsense"}, 404),
        ({"extra": 1}, 422),
    ],
    ids=str,
)
def test_what_cannot_be_asked(who: Registrants, wrong: dict[str, Any], status: int) -> None:
    assert who.ours.post(PATH, who.wish(**wrong)).status_code == status


def test_pages_follow_one_another(who: Registrants, city: City) -> None:
    made = [who.ask(quantity_kg=kg)["id"] for kg in (1, 2, 3)]
    retire_units(city, now() + LATER)
    for path, wanted in ((PATH, made[::-1]), (PUBLIC, None)):
        first = who.ours.get(f"{path}?limit=2").json()
        second = who.ours.get(f"{path}?limit=2&cursor={first['next_cursor']}").json()
        found = [each["id"] for each in first["data"] + second["data"]]
        assert second["next_cursor"] is None
        assert sorted(found) == sorted(made)
        assert wanted is None or found == wanted


def test_anybody_sees_serials_and_nobodys_name(
    who: Registrants, city: City, client: TestClient
) -> None:
    done = who.ask(beneficiary="南山小学", message=SECRET, shows=["beneficiary", "message"])
    who.ask(quantity_kg=7)
    retire_units(city, now() + LATER)
    who.ask(quantity_kg=5)
    said = client.get(PUBLIC)
    assert {each["quantity_kg"] for each in said.json()["data"]} == {300, 7}
    for words in ("南山小学", SECRET, "机构1", "Organisation", who.ours.who.name):
        assert words not in said.text
    told = next(each for each in said.json()["data"] if each["id"] == done["id"])
    assert set(told) == {
        *("id", "state", "batch", "quantity_kg", "serial", "purpose", "period", "pseudonym"),
        *("taken_on", "registration"),
    }
