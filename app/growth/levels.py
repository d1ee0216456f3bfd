"""A person's level alone (等级), for whoever shows it beside something else: the wallet.

Two sums are all that it needs, so they are asked of PostgreSQL within the reader's own statement.
"""

from datetime import date

from app.growth.published import growth_documents, in_force
from app.growth.reading import SUMS, own_days
from app.growth.rules import Level, level_at, value_of
from app.growth.year import a_year_before

__all__ = ["SUMS", "Level", "level_of", "twelve_months"]


def twelve_months(bucket: int, owner: int, day: date) -> dict[str, object]:
    """Give what `SUMS` asks for, of the twelve months that end on a day, as known on it."""
    return own_days(bucket, owner, a_year_before(day), day, known_on=day)


def level_of(day: date, amount_mg: int, active_days: int) -> tuple[int, Level]:
    """Give the growth value and the level of a day, as `GET /v1/me/growth` does."""
    document = in_force(growth_documents(), day)
    value = value_of(document, amount_mg, active_days)
    return value, level_at(document, value)
