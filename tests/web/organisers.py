"""An organiser's requests (主办方样例): gatherings, lines, closings and plans as they are sent."""

from datetime import date, timedelta
from typing import Any

from httpx2 import Response

from app.kernel.clock import day_of, now
from app.kernel.ids import new_id
from app.neutrality.categories import Category
from app.neutrality.gatherings import a_year_after
from tests.support.desk import Person

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


def put(who: Person, path: str, body: dict[str, Any]) -> Response:
    headers = {**who.headers, "Idempotency-Key": new_id().hex}
    return who.client.put(path, json=body, headers=headers)


def closing(stage: str, **changes: object) -> dict[str, Any]:
    whole = {"stage": stage, "attendance": 36_512, "exclusions": others("rooms_meals")}
    return {**whole, **changes}


def plan(**changes: object) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "boundary": "The course and the way there",
        "measures": ["No bottles"],
        "offset_way": "units",
        "deadline": a_year_after(today() + timedelta(days=30)).isoformat(),
        "is_public": False,
    }
    return {**whole, **changes}
