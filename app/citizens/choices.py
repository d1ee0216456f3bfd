"""What a citizen chose (个人设置): automatic exchange and language, plain and theirs alone."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from sqlmodel import Session

from app.citizens.consents import Citizen
from app.kernel.db import driver

Language = Literal["zh", "en"]

_READ: Final = """
select automatic_exchange, language from citizen_setting where bucket = %s and account = %s"""
_WRITE: Final = """
insert into citizen_setting (bucket, account, automatic_exchange, language)
values (%s, %s, %s, %s)
on conflict (bucket, account) do update
  set automatic_exchange = excluded.automatic_exchange, language = excluded.language"""


@dataclass(frozen=True, slots=True)
class Choices:
    """The settings of one citizen."""

    automatic_exchange: bool = False
    """Whether the nightly job exchanges for them; nobody is opted in."""
    language: Language | None = None
    """Of messages; as the device says when absent."""

    def without_exchange(self) -> "Choices":
        """Give the same, and no automatic exchange."""
        return replace(self, automatic_exchange=False)


def choices_of(session: Session, citizen: Citizen) -> Choices:
    """Give what a citizen chose, or what holds where nothing was chosen."""
    row = driver(session).execute(_READ, (citizen.bucket, citizen.number)).fetchone()
    return Choices() if row is None else Choices(*row)


def choose(session: Session, citizen: Citizen, choices: Choices) -> None:
    """Put all settings of a citizen."""
    values = (choices.automatic_exchange, choices.language)
    driver(session).execute(_WRITE, (citizen.bucket, citizen.number, *values))
