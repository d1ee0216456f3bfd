"""Age (年龄): what a birth date means on a day; pure.

Under 14 a person's data are sensitive by law and a guardian consents for them (PIPL art. 31).
A birth date is declared by its owner, sealed, and asked of nobody who says to be 14 or older.
"""

from datetime import date
from typing import Final

OWN_CONSENT: Final = 14
"""From this birthday on a person consents alone [years]."""
ADULT: Final = 18
OLDEST: Final = 130


def age_on(born: date, day: date) -> int:
    """Count the birthdays since birth; who was born on 29 February has theirs on 1 March.

    >>> age_on(date(2012, 2, 29), date(2026, 2, 28)), age_on(date(2012, 2, 29), date(2026, 3, 1))
    (13, 14)
    """
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def is_child(born: date | None, day: date) -> bool:
    """Say whether somebody is known to be under 14.

    >>> is_child(None, date(2026, 1, 1)), is_child(date(2020, 1, 1), date(2026, 1, 1))
    (False, True)
    """
    return born is not None and age_on(born, day) < OWN_CONSENT


def is_adult(born: date | None, day: date) -> bool:
    """Say whether somebody declared to be 18 or older.

    >>> is_adult(None, date(2026, 1, 1)), is_adult(date(2008, 1, 1), date(2026, 1, 1))
    (False, True)
    """
    return born is not None and age_on(born, day) >= ADULT


def is_possible(born: date, day: date) -> bool:
    """Say whether a living person can have been born then.

    >>> today = date(2026, 1, 1)
    >>> is_possible(date(2026, 1, 2), today), is_possible(date(1930, 5, 5), today)
    (False, True)
    """
    return 0 <= age_on(born, day) <= OLDEST
