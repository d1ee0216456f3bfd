"""Gatherings when many come at once (并发): one answer a ticket, one version a closing."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session

from app.kernel.clock import day_of, now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.problems import Refusal
from app.kernel.secrets import Keys
from app.neutrality.categories import Category
from app.neutrality.gathering_errors import LinesMany, SurveyAnswered
from app.neutrality.gatherings import Gathering, Occasion, lock_gathering, open_gathering
from app.neutrality.inventories import Closing, Inventory, close_inventory
from app.neutrality.inventory_rules import LINES_MAX, Entry, Line, Stage, Tier, line_of
from app.neutrality.lines import add_lines, lines_of
from app.neutrality.modes import Mode
from app.neutrality.survey_rules import SurveyAnswer
from app.neutrality.surveys import answer_survey, answered, link_of, open_survey, ticket_of
from app.neutrality.thresholds import GatheringKind, Size
from tests.support.organisations import organisation

CLIENTS = 8
OTHERS = {each: "none" for each in Category if each is not Category.ENERGY}


@pytest.fixture
def gathering(db: Database, keys: Keys) -> Gathering:
    on = day_of(now()) - timedelta(days=1)
    size = Size(500)
    occasion = Occasion(GatheringKind.CONFERENCE, "年会", "Meeting", size, on, on, "310115", "浦东")
    office = organisation(db, keys)
    return db.transact(open_gathering, keys, new_id(), office.organisation.id, occasion, at=now())


def at_once(deed: Callable[[int], object]) -> Counter[str]:
    """Let clients do it at once; gives how often each outcome was."""

    def tried(number: int) -> str:
        try:
            deed(number)
        except Refusal as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(CLIENTS) as pool:
        return Counter(pool.map(tried, range(CLIENTS)))


def drawn(gathering: Gathering) -> Line:
    entry = Entry(
        category=Category.ENERGY,
        label="Hall",
        quantity=Decimal(10),
        unit="kWh",
        table="cn-grid",
        row="上海/2023",
        tier=Tier.ESTIMATED,
    )
    return line_of(gathering, Stage.ACTUAL, "entered", new_id(), entry)


def test_one_ticket_answers_once(db: Database, keys: Keys, gathering: Gathering) -> None:
    db.transact(open_survey, keys, gathering, now() + timedelta(minutes=5), at=now())
    link, ticket = link_of(keys, gathering.id), ticket_of(keys, gathering.id, 1)
    answer = SurveyAnswer(Mode.METRO, "5-20", 1)
    told = at_once(lambda _: db.transact(answer_survey, keys, link, ticket, answer, at=now()))
    assert told == {"done": 1, SurveyAnswered.code: CLIENTS - 1}
    assert db.read(answered, gathering.id) == 1


def test_many_tickets_are_all_counted(db: Database, keys: Keys, gathering: Gathering) -> None:
    db.transact(open_survey, keys, gathering, now() + timedelta(minutes=5), at=now())
    link, answer = link_of(keys, gathering.id), SurveyAnswer(Mode.METRO, "5-20", 1)

    def answers(number: int) -> None:
        for ticket in range(5):
            words = ticket_of(keys, gathering.id, 100 * number + ticket)
            db.transact(answer_survey, keys, link, words, answer, at=now())

    assert at_once(answers) == {"done": CLIENTS}
    assert db.read(answered, gathering.id) == 5 * CLIENTS


def test_each_closing_has_a_version(db: Database, gathering: Gathering) -> None:
    db.transact(add_lines, gathering, Stage.ACTUAL, [drawn(gathering)], at=now())
    versions: list[int] = []

    def closes(_: int) -> None:
        def command(session: Session) -> Inventory:
            locked = lock_gathering(session, gathering.id, organisation=gathering.organisation)
            return close_inventory(session, locked, Stage.ACTUAL, Closing(9, OTHERS, ()), at=now())

        versions.append(db.transact(command).version)

    assert at_once(closes) == {"done": CLIENTS}
    assert sorted(versions) == list(range(1, CLIENTS + 1))


def test_lines_have_an_end_for_all_together(db: Database, gathering: Gathering) -> None:
    most = LINES_MAX // (CLIENTS - 1)

    def adds(_: int) -> None:
        lines = [drawn(gathering) for _ in range(most)]

        def command(session: Session) -> None:
            locked = lock_gathering(session, gathering.id, organisation=gathering.organisation)
            add_lines(session, locked, Stage.ACTUAL, lines, at=now())

        db.transact(command)

    assert at_once(adds) == {"done": CLIENTS - 1, LinesMany.code: 1}
    assert len(db.read(lines_of, gathering, Stage.ACTUAL)) == most * (CLIENTS - 1)
