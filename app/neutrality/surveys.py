"""Travel surveys (出行问卷): an address that nobody guesses, one answer a ticket, nobody kept.

The address and the tickets are derived from a key of ours and stand in no table. Of a ticket that
has answered a keyed hash is kept, of its answer only that one more was given: no time, no order,
no place. Counts are told after the survey has closed, for good, and only if enough have answered:
so nobody watches one answer arrive.
"""

from base64 import b32decode, b32encode
from binascii import Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.secrets import Keys
from app.neutrality.gathering_errors import (
    SurveyAnswered,
    SurveyEnded,
    SurveyOpen,
    SurveyUnknown,
    SurveyWindowInvalid,
    TicketUnknown,
)
from app.neutrality.gatherings import Gathering
from app.neutrality.modes import Mode
from app.neutrality.survey_rules import SurveyAnswer, Tally, check_answer, enough

LINGERS: Final = timedelta(days=60)
"""How long after a gathering its survey may stay open."""
LINK_BYTES: Final = 20
NUMBER_BYTES: Final = 4
MARK_BYTES: Final = 11
"""Of a ticket's hash, enough that nobody finds one: 88 bits."""


@dataclass(frozen=True, slots=True)
class TravelSurvey:
    """A travel survey of a gathering (出行问卷)."""

    gathering: UUID
    title_zh: str
    title_en: str
    closes_at: datetime


_OPEN: Final = """
insert into travel_survey (gathering, link, closes_at) values (%s, %s, %s)
on conflict (gathering) do update set closes_at = excluded.closes_at"""
_SELECT: Final = """
select s.gathering, g.title_zh, g.title_en, s.closes_at
  from travel_survey s join gathering g on g.id = s.gathering"""
_BY_LINK: Final = f"{_SELECT} where s.link = %s and s.closes_at > %s"
_BY_GATHERING: Final = f"{_SELECT} where s.gathering = %s"
_USE: Final = """
insert into survey_ticket (gathering, ticket) values (%s, %s) on conflict do nothing"""
_COUNT: Final = """
insert into survey_tally as t (gathering, mode, band, persons, answers) values (%s, %s, %s, %s, 1)
on conflict (gathering, mode, band, persons) do update set answers = t.answers + 1"""
_TALLIES: Final = """
select mode, band, persons, answers from survey_tally where gathering = %s
 order by mode, band, persons"""
_ANSWERED: Final = "select count(*) from survey_ticket where gathering = %s"


def link_of(keys: Keys, gathering: UUID) -> str:
    """Give the secret part of a survey's address."""
    return _written(keys.survey_hash("link", gathering.bytes)[:LINK_BYTES])


def ticket_of(keys: Keys, gathering: UUID, number: int) -> str:
    """Give the words of one ticket, which go on its QR code."""
    plain = number.to_bytes(NUMBER_BYTES, "big")
    return _written(plain + _mark(keys, gathering, plain))


def ticket_number(keys: Keys, gathering: UUID, text: str) -> int:
    """Read a ticket back, if it is one of this gathering's.

    Raises:
        TicketUnknown: It is none.
    """
    try:
        read = b32decode(text.upper() + "=" * (-len(text) % 8))
    except (Error, ValueError):
        raise TicketUnknown from None
    plain, mark = read[:NUMBER_BYTES], read[NUMBER_BYTES:]
    # One form a ticket: spare bits of the last letter would make others of it.
    if not compare_digest(mark, _mark(keys, gathering, plain)) or _written(read) != text.lower():
        raise TicketUnknown
    return int.from_bytes(plain, "big")


def open_survey(
    session: Session, keys: Keys, gathering: Gathering, closes_at: datetime, *, at: datetime
) -> TravelSurvey:
    """Open a locked gathering's survey, or move its end; at the same address ever.

    Raises:
        SurveyEnded: Its end has passed, and stays.
        SurveyWindowInvalid: It would close before now, or too long after the gathering.
    """
    before = driver(session).execute(_BY_GATHERING, (gathering.id,)).fetchone()
    if before is not None and _survey(*before).closes_at <= at:
        raise SurveyEnded
    if not (at < closes_at and day_of(closes_at) <= gathering.occasion.ends_on + LINGERS):
        raise SurveyWindowInvalid
    address = sha256(link_of(keys, gathering.id).encode()).digest()
    driver(session).execute(_OPEN, (gathering.id, address, closes_at))
    return survey_of(session, gathering.id)


def survey_of(session: Session, gathering: UUID) -> TravelSurvey:
    """Give a gathering's survey, open or closed.

    Raises:
        SurveyUnknown: It has none.
    """
    row = driver(session).execute(_BY_GATHERING, (gathering,)).fetchone()
    if row is None:
        raise SurveyUnknown
    return _survey(*row)


def survey_at(session: Session, link: str, *, at: datetime) -> TravelSurvey:
    """Give the open survey at an address.

    Raises:
        SurveyUnknown: There is none, or it has closed.
    """
    asked = (sha256(link.encode()).digest(), at)
    row = driver(session).execute(_BY_LINK, asked).fetchone()
    if row is None:
        raise SurveyUnknown
    return _survey(*row)


def answer_survey(
    session: Session, keys: Keys, link: str, ticket: str, answer: SurveyAnswer, *, at: datetime
) -> None:
    """Count an answer, once a ticket.

    Raises:
        SurveyUnknown, TicketUnknown, SurveyUnfit, SurveyAnswered: See their own words.
    """
    gathering = survey_at(session, link, at=at).gathering
    number = ticket_number(keys, gathering, ticket)
    check_answer(answer)
    plain = gathering.bytes + number.to_bytes(NUMBER_BYTES, "big")
    connection = driver(session)
    if not connection.execute(_USE, (gathering, keys.survey_hash("used", plain))).rowcount:
        raise SurveyAnswered
    connection.execute(_COUNT, (gathering, answer.mode.value, answer.band, answer.persons))


def answered(session: Session, gathering: UUID) -> int:
    """Count the tickets that have answered."""
    row = driver(session).execute(_ANSWERED, (gathering,)).fetchone()
    assert row is not None, gathering
    return row[0]


def tallies_of(session: Session, gathering: UUID, *, at: datetime) -> Sequence[Tally]:
    """Give what was answered.

    Raises:
        SurveyUnknown: There is no survey.
        SurveyOpen: It has not closed yet.
        SurveyThin: So few have answered that counts would tell of each.
    """
    if at < survey_of(session, gathering).closes_at:
        raise SurveyOpen
    rows = driver(session).execute(_TALLIES, (gathering,)).fetchall()
    tallies = [_tally(*row) for row in rows]
    enough(tallies)
    return tallies


def _mark(keys: Keys, gathering: UUID, number: bytes) -> bytes:
    return keys.survey_hash("ticket", gathering.bytes + number)[:MARK_BYTES]


def _written(data: bytes) -> str:
    return b32encode(data).decode().rstrip("=").lower()


def _survey(*row: Any) -> TravelSurvey:  # noqa: ANN401 -- the columns of the statements
    return TravelSurvey(*row)


def _tally(mode: str, band: Any, persons: int, answers: int) -> Tally:  # noqa: ANN401 -- likewise
    return Tally(SurveyAnswer(Mode(mode), band, persons), answers)
