"""The travel survey over HTTP (出行问卷接口): who may answer, once, and what is left of it."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import psycopg
import pytest
from httpx2 import Response

from app.city import City
from app.kernel.clock import CLOCK, now
from app.neutrality.survey_api import MISSES
from app.neutrality.surveys import ticket_number, ticket_of
from ledger.certificate import canonical
from tests.support.desk import Person
from tests.web.organisers import PATH, code, opened, yesterday

DAY = timedelta(days=1)
TRAIN = {"mode": "train", "band_km": "150-500"}


@contextmanager
def later(ahead: timedelta) -> Generator[None]:
    with CLOCK.ahead_by(lambda: ahead):
        yield


class Asked:
    """A survey of a gathering that was yesterday."""

    def __init__(self, organiser: Person, closes_in: timedelta = timedelta(minutes=5)) -> None:
        self.organiser, self.client = organiser, organiser.client
        self.path = yesterday(organiser)
        self.closes_at = now() + closes_in
        made = organiser.post(self.path + "/survey", {"closes_at": self.closes_at.isoformat()})
        assert made.status_code == 201, made.text
        self.address: str = made.json()["address"]
        self.public = self.address[self.address.index("/v1/") :]

    def tickets(self, count: int = 40) -> list[str]:
        answer = self.organiser.get(f"{self.path}/survey/tickets?count={count}")
        return answer.json()["data"]

    def answer(self, ticket: str, **said: object) -> Response:
        return self.client.post(f"{self.public}/answers", json={"ticket": ticket, **TRAIN, **said})


@pytest.fixture
def asked(organiser: Person) -> Asked:
    return Asked(organiser)


def test_from_a_ticket_to_a_line(asked: Asked) -> None:
    tickets = asked.tickets()
    for ticket in tickets[:36]:
        assert asked.answer(ticket).status_code == 201
    for ticket in tickets[36:]:
        told = asked.answer(ticket, mode="car", band_km="20-50", persons=4)
        assert told.status_code == 201, told.text
    shown = asked.organiser.get(asked.path + "/survey").json()
    assert (shown["answers"], shown["document"]) == (40, None)
    lines = asked.path + "/survey/lines"
    assert code(asked.organiser.post(lines, {"attendance": 100})) == "travel_surveys.open"
    with later(timedelta(minutes=6)):
        shown = asked.organiser.get(asked.path + "/survey").json()
        made = asked.organiser.post(lines, {"attendance": 100})
        again = asked.organiser.post(lines, {"attendance": 80})
        kept = asked.organiser.get(asked.path + "/inventory/lines?stage=actual").json()["data"]
    assert made.status_code == 201, made.text
    told = {each["label"]: each for each in made.json()["data"]}
    assert told["Attendees by train, answered"]["quantity"] == str(36 * 650)
    assert told["Attendees by train, the others"]["quantity"] == str(36 * 650 * 60 // 40)
    assert told["Attendees by car, answered"]["quantity"] == "70"
    assert {each["tier"] for each in told.values()} == {"measured", "estimated"}
    assert kept == again.json()["data"], "in the place of what was made before"
    evidence = sha256(canonical(shown["document"])).hexdigest()
    assert {each["evidence"] for each in kept} == {evidence}


def test_a_ticket_answers_once_and_only_at_its_gathering(asked: Asked, organiser: Person) -> None:
    ticket, other = asked.tickets(2)
    assert asked.answer(ticket).status_code == 201
    assert (again := asked.answer(ticket.upper())).status_code == 409
    assert code(again) == "travel_surveys.answered"
    elsewhere = Asked(organiser)
    assert code(elsewhere.answer(other)) == "travel_surveys.ticket_unknown"
    forged = other[:-1] + ("a" if other[-1] != "a" else "b")
    assert code(asked.answer(forged)) == "travel_surveys.ticket_unknown"
    assert organiser.get(asked.path + "/survey").json()["answers"] == 1


def test_a_ticket_has_one_form(asked: Asked) -> None:
    """Spare bits of the last letter, padding and other alphabets make no second ticket."""
    (ticket,) = asked.tickets(1)
    seen = 0
    for last in "abcdefghijklmnopqrstuvwxyz234567":
        seen += asked.answer(ticket[:-1] + last).status_code == 201
    assert seen == 1
    for bent in (ticket + "a", ticket + "=", ticket[:-1], "", "0" * 24):
        assert asked.answer(bent).status_code == 422


UNFIT: list[dict[str, Any]] = [
    {"mode": "walk"},
    {"mode": "rocket"},
    {"band_km": "1-2"},
    {"persons": 0},
    {"persons": 10},
    {"persons": "2"},
    {"name": "李安"},
]


def test_what_is_no_answer_is_not_counted(asked: Asked) -> None:
    (ticket,) = asked.tickets(1)
    for said in UNFIT:
        assert asked.answer(ticket, **said).status_code == 422, said
    assert asked.organiser.get(asked.path + "/survey").json()["answers"] == 0
    assert asked.answer(ticket).status_code == 201, "and costs the ticket nothing"


def test_who_guesses_is_turned_away_and_who_answers_is_not(asked: Asked) -> None:
    ticket, other = asked.tickets(2)
    assert asked.answer(ticket).status_code == 201
    tried = [asked.answer(ticket).status_code for _ in range(MISSES.most)]
    assert set(tried) == {409}
    assert asked.answer(ticket).status_code == 429
    assert asked.client.get("/v1/public/surveys/aaaaaaaa").status_code == 429
    assert asked.answer(other).status_code == 201, "of the same network"


def test_closed_is_as_if_there_were_none(asked: Asked) -> None:
    (ticket,) = asked.tickets(1)
    with later(timedelta(minutes=6)):
        gone = asked.answer(ticket)
        page = asked.client.get(asked.public)
    assert code(gone) == code(page) == "travel_surveys.unknown"
    nowhere = asked.client.get("/v1/public/surveys/aaaaaaaa")
    assert (nowhere.status_code, code(nowhere)) == (404, "travel_surveys.unknown")


def test_nobody_is_kept(asked: Asked, city: City) -> None:
    """Goal: a dump tells neither ticket nor person. Method: every column of both tables."""
    tickets = asked.tickets(3)
    for ticket in tickets:
        asked.answer(ticket)
    with psycopg.connect(city.owner_url) as connection:
        used = connection.execute("select * from survey_ticket").fetchall()
        tallies = connection.execute("select * from survey_tally").fetchall()
        links = connection.execute("select link from travel_survey").fetchall()
    ((gathering, *told),) = tallies
    assert told == ["train", "150-500", 1, 3]
    assert len(used) == 3
    for of, mark in used:
        assert of == gathering
        assert len(mark) == 32
        assert not any(ticket.encode() in mark for ticket in tickets)
    assert links == [(sha256(asked.public.rpartition("/")[2].encode()).digest(),)]


def test_the_end_may_move_and_the_address_stays(asked: Asked, organiser: Person) -> None:
    moved = (now() + DAY).isoformat()
    again = organiser.post(asked.path + "/survey", {"closes_at": moved})
    assert again.json()["address"] == asked.address
    for closes_at in (now() - DAY, now() + 61 * DAY):
        answer = organiser.post(asked.path + "/survey", {"closes_at": closes_at.isoformat()})
        assert code(answer) == "travel_surveys.window_invalid"
    naive = datetime(2999, 1, 1).isoformat()  # noqa: DTZ001 -- that is what is tried
    assert organiser.post(asked.path + "/survey", {"closes_at": naive}).status_code == 422


def test_too_few_answers_stand_for_nobody_and_are_told_to_nobody(asked: Asked) -> None:
    """And no survey that has ended is opened again, for one more to be watched arriving."""
    for ticket in asked.tickets(29):
        asked.answer(ticket)
    again = {"closes_at": (now() + DAY).isoformat()}
    with later(timedelta(minutes=6)):
        shown = asked.organiser.get(asked.path + "/survey").json()
        answer = asked.organiser.post(asked.path + "/survey/lines", {"attendance": 100})
        opened_again = asked.organiser.post(asked.path + "/survey", again)
    assert (shown["answers"], shown["document"]) == (29, None)
    assert (answer.status_code, code(answer)) == (409, "travel_surveys.thin")
    assert (opened_again.status_code, code(opened_again)) == (409, "travel_surveys.ended")


def test_its_page_needs_no_script(asked: Asked) -> None:
    ticket, other = asked.tickets(2)
    html = {"accept": "text/html"}
    page = asked.client.get(f"{asked.public}?ticket={ticket}", headers=html)
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert f'value="{ticket}"' in page.text
    assert f'action="{asked.public}/form"' in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]

    def sent(body: dict[str, str] | bytes) -> Response:
        data = body if isinstance(body, bytes) else urlencode(body).encode()
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return asked.client.post(f"{asked.public}/form", content=data, headers=kind)

    whole = {"ticket": ticket, **TRAIN, "persons": "1"}
    assert "Thank you" in (thanks := sent(whole)).text
    assert thanks.status_code == 201
    assert sent(whole).status_code == 409
    for wrong in (
        {},
        {**whole, "mode": "rocket"},
        {**whole, "persons": "many"},
        b"\xff=%",
        b"=" * 99,
        {**whole, "name": "李安"},
    ):
        assert sent(wrong).status_code == 422, wrong
    forged = sent({**whole, "ticket": "aaaa"})
    assert "This is no ticket of the gathering" in forged.text
    assert 'value="aaaa"' in forged.text
    assert asked.answer(other).status_code == 201


def test_its_code_opens_its_address(asked: Asked) -> None:
    drawn = asked.organiser.get(asked.path + "/survey/qr.svg")
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert drawn.text.startswith("<svg")
    described = asked.client.get(asked.public).json()
    assert described["modes"]["flight"] == ["150-500", "10000-20000"]
    assert described["title_en"] == "City Marathon"


def test_another_organisations_survey_is_as_if_it_were_nobodys(asked: Asked, rival: Person) -> None:
    for path in ("", "/qr.svg", "/tickets"):
        assert code(rival.get(f"{asked.path}/survey{path}")) == "gatherings.unknown"
    body = {"closes_at": (now() + DAY).isoformat()}
    assert code(rival.post(asked.path + "/survey", body)) == "gatherings.unknown"
    assert code(rival.post(asked.path + "/survey/lines", {"attendance": 9})) == "gatherings.unknown"
    own = f"{PATH}/{opened(rival)['id']}/survey"
    assert code(rival.get(own)) == "travel_surveys.unknown"


def test_tickets_are_read_back_by_number(city: City) -> None:
    gathering = UUID(int=7)
    for number in (1, 2, 10_000_000):
        text = ticket_of(city.keys, gathering, number)
        assert ticket_number(city.keys, gathering, text) == number
