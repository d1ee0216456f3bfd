"""What of neutrality is somebody's (中和对象样例): what a gathering reserves, retires, shares."""

from datetime import timedelta
from typing import Any, Final

from app.kernel.clock import now
from tests.support.organisations import organisation
from tests.support.retirements import issued_to
from tests.web.organisers import PATH, closing, line, plan, said, today
from tests.web.seeds import Ask, Held, World, held_as

UNITS_KG: Final = 100_000
EARLY: Final = {"batch": "ibt_" + "0" * 26, "quantity_kg": 1, "until": "2020-01-01"}
TICKETS: Final = {"tickets": 2, "share_mg": 1}


def counted(world: World) -> Held:
    """A gathering that was counted and planned; its organiser has units."""
    return _counted(world)[0]


def trued_up(world: World) -> Held:
    held = counted(world)
    made(held.a, f"{PATH}/{held.id}/true-up")
    return held


def reservation(world: World) -> Held:
    held, batch = _counted(world)
    body = {"batch": batch, "quantity_kg": 1, "until": today().isoformat()}
    reserved = made(held.a, f"{PATH}/{held.id}/reservations", body)
    return below(held, f"reservations/{reserved['id']}")


def asked_retirement(world: World) -> Held:
    held = trued_up(world)
    (asked,) = made(held.a, f"{PATH}/{held.id}/retirement")["data"]
    return below(held, f"retirement/{asked['id']}")


def tickets(world: World) -> Held:
    held = trued_up(world)
    return below(held, f"shares/{made(held.a, f'{PATH}/{held.id}/shares', TICKETS)['id']}")


def _counted(world: World) -> tuple[Held, str]:
    """Give the batch of its organiser's units beside it."""
    city, was = world.city, (today() - timedelta(days=1)).isoformat()
    offices = [organisation(city.db, city.keys, number) for number in (41, 42)]
    a, b = (world.of(each.person(world.app, world.client).headers) for each in offices)
    batch = issued_to(city.db, offices[0].organisation.owner, UNITS_KG, at=now())
    held = held_as(a("POST", PATH, said(starts_on=was, ends_on=was)), a, b)
    for stage in ("expected", "actual"):
        made(a, f"{PATH}/{held.id}/inventory/lines", {"stage": stage, "lines": [line()]})
        made(a, f"{PATH}/{held.id}/inventory", closing(stage))
    made(a, f"{PATH}/{held.id}/plan", plan(deadline=(today() + timedelta(days=9)).isoformat()))
    return held, batch.public


def made(ask: Ask, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = ask("POST", path, body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def below(held: Held, rest: str) -> Held:
    return held._replace(id=f"{held.id}/{rest}", unknown=f"{held.unknown}/{rest}")
