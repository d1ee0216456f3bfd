"""What of gatherings is somebody's (大型活动对象样例)."""

from datetime import timedelta
from typing import Any, Final

from app.kernel.clock import now
from tests.support.organisations import organisation
from tests.web.organisers import EVIDENCE, PATH, closing, line, plan, said, today
from tests.web.seeds import Ask, Held, World, held_as

SITUATION: Final = {name: value for name, value in said().items() if name != "kind"}
LINES: Final = {"stage": "expected", "lines": [line()]}
CLOSING: Final = closing("actual")
PLAN: Final = plan()
ACTION: Final = {
    "category": "materials",
    "text": "Refill points",
    "taken_on": "2026-01-01",
    "evidence": EVIDENCE,
}
SURVEY: Final = {"closes_at": (now() + timedelta(days=1)).isoformat()}
ATTENDANCE: Final = {"attendance": 100}


def coming(world: World) -> Held:
    """A gathering that is planned."""
    held = _opened(world, said())
    _made(held.a, f"{PATH}/{held.id}/inventory/lines", LINES)
    _made(held.a, f"{PATH}/{held.id}/inventory", closing("expected"))
    _made(held.a, f"{PATH}/{held.id}/plan", PLAN)
    return held


def past(world: World) -> Held:
    """A gathering that was counted, and whose survey is still open."""
    was = (today() - timedelta(days=1)).isoformat()
    held = _opened(world, said(starts_on=was, ends_on=was))
    _made(held.a, f"{PATH}/{held.id}/inventory/lines", {**LINES, "stage": "actual"})
    _made(held.a, f"{PATH}/{held.id}/inventory", CLOSING)
    _made(held.a, f"{PATH}/{held.id}/survey", SURVEY)
    return held


def gathering_line(world: World) -> Held:
    held = coming(world)
    shown = held.a("GET", f"{PATH}/{held.id}/inventory/lines?stage=expected").json()
    return _below(held, f"inventory/lines/{shown['data'][0]['id']}")


def line_table(world: World) -> Held:
    return _below(coming(world), "inventory/tables/suppliers")


def _opened(world: World, body: dict[str, Any]) -> Held:
    city = world.city
    offices = [organisation(city.db, city.keys, number) for number in (1, 2)]
    a, b = (world.of(each.person(world.app, world.client).headers) for each in offices)
    return held_as(a("POST", PATH, body), a, b)


def _made(ask: Ask, path: str, body: dict[str, Any]) -> None:
    made = ask("POST", path, body)
    assert made.status_code == 201, made.text


def _below(held: Held, rest: str) -> Held:
    return held._replace(id=f"{held.id}/{rest}", unknown=f"{held.unknown}/{rest}")
