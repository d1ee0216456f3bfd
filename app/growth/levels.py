"""A person's level alone (等级), for whoever shows it beside something else: the wallet."""

from datetime import date

from sqlmodel import Session

from app.growth.published import growth_documents, in_force
from app.growth.reading import acts_between
from app.growth.rules import Level, growth_value, level_at
from app.growth.year import a_year_before


def level_on(session: Session, bucket: int, owner: int, day: date) -> tuple[int, Level]:
    """Give the growth value and the level of a day, as `GET /v1/me/growth` does."""
    document = in_force(growth_documents(), day)
    year = acts_between(session, bucket, owner, a_year_before(day), day, known_on=day)
    value = growth_value(document, year)
    return value, level_at(document, value)
