"""A run that is made neutral (演示:碳中和跑): its organiser buys units, retires them and says so.

Reserved before, counted after, trued up and retired in the gathering's name; what the organiser
pays reaches the budget of the programme through which the riders exchanged: the loop is closed.
Each of the four transactions looks whether it was done.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib.resources import files
from secrets import token_bytes
from typing import Final

from sqlmodel import Session

from app.city import City
from app.demo.files import NOTE
from app.kernel.clock import day_of, now
from app.kernel.db import driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.market import buy
from app.market.listings import Terms, list_units
from app.market.paying import confirm
from app.market.payments import BANK_TRANSFER, Confirmation
from app.market.purchases import Buying
from app.market.quotes import quote
from app.neutrality.gatherings import Gathering, Occasion, gatherings, open_gathering
from app.neutrality.imports import TableKind, understood
from app.neutrality.inventories import Closing, close_inventory
from app.neutrality.inventory_rules import Stage
from app.neutrality.lines import replace_lines
from app.neutrality.plans import Intent, OffsetWay, make_plan
from app.neutrality.reserving import Wanted, reserve
from app.neutrality.retiring import retire
from app.neutrality.standing import retirements
from app.neutrality.statements import issue_statement
from app.neutrality.thresholds import GatheringKind, Size
from app.neutrality.truing_up import true_up
from app.organisations import (
    NewOrganisation,
    Organisation,
    OrganisationKind,
    open_organisation,
    operator_of,
)
from app.organisations.registry import ORGANISATIONS
from app.registry import Batch, holdings_of, take_retirements
from app.registry.retiring import COOL_DOWN

ORGANISER: Final = ("演示跑团", "Demo running club", "91310000990000002T")
PRICE_FEN: Final = 9_800
"""For a tonne; a demonstration's, and nobody's."""
RESERVED_KG: Final = 120
BOUGHT_KG: Final = 200
RUNNERS: Final = 60
ORGANISATIONS_MAX: Final = 1_000
HOUR: Final = timedelta(hours=1)
INTENT: Final = Intent(
    boundary="演示:赛道、起终点与往返 demo: the course, start and finish, and the way there",
    measures=["自带水杯 cups are brought along", "就近乘地铁 the metro instead of cars"],
    offset_way=OffsetWay.UNITS_AND_GIFTS,
    deadline=date.max,
    is_public=True,
)
CLOSING: Final = Closing(RUNNERS, {}, [NOTE])


def hold_run(city: City, batch: Batch) -> Gathering:
    """Have the run planned, counted and made neutral with units of a batch, unless it is.

    Args:
        city: Where the batch was issued.
        batch: With ``BOUGHT_KG`` units that the operator may sell.
    """
    db, at = city.db, now()
    organiser = db.transact(_organiser, city.keys, at=at)
    db.transact(_buy, organiser, batch, at=at)
    gathering = db.transact(_plan, city.keys, organiser, batch, at=at)
    # Asked for when the cool-down began, since a demonstration does not wait for its end.
    db.transact(_retire, gathering, at=at - COOL_DOWN)
    if take_retirements(db, at=at):
        db.transact(issue_statement, gathering, at=at)
    return gathering


def _organiser(session: Session, keys: Keys, *, at: datetime) -> Organisation:
    zh, en, registration = ORGANISER
    for each in ORGANISATIONS.listed(session, after=None, limit=ORGANISATIONS_MAX):
        if each.registration == registration:
            return each
    new = NewOrganisation(new_id(), OrganisationKind.INSTITUTION, zh, en, registration)
    return open_organisation(session, keys, new, at=at)


def _buy(session: Session, organiser: Organisation, batch: Batch, *, at: datetime) -> None:
    """List the operator's units, buy some, and confirm that they were paid."""
    if _has_gathering(session, organiser) or holdings_of(driver(session), organiser.owner):
        return
    operator = operator_of(session)
    terms = Terms(batch.id, BOUGHT_KG, 1, PRICE_FEN, at, at + HOUR)
    seller = (operator.id, operator.owner)
    listed = list_units(session, seller, terms, listing=new_id(), by=operator.public, at=at)
    quoted = quote(
        session,
        organiser.id,
        listed.id,
        BOUGHT_KG,
        quote=new_id(),
        by=organiser.public,
        valid_for=HOUR,
        at=at,
    )
    buying = Buying(organiser.id, organiser.owner, organiser.public, HOUR)
    made = buy(session, buying, quoted.id, None, purchase=new_id(), held=new_id(), at=at)
    paid = Confirmation(BANK_TRANSFER, "DEMO", made.due_fen, day_of(at), operator.public)
    confirm(session, made.id, paid, new_id=new_id, new_salt=_salt, at=at)


def _plan(
    session: Session, keys: Keys, organiser: Organisation, batch: Batch, *, at: datetime
) -> Gathering:
    """Open the run of yesterday, plan it, and reserve what it is expected to emit."""
    for each in gatherings(session, organiser.id, before=None, limit=1):
        return each
    day = day_of(at) - timedelta(days=1)
    occasion = Occasion(
        kind=GatheringKind.COMPETITION,
        title_zh="城市健康跑(演示)",
        title_en="City run (demo)",
        size=Size(RUNNERS),
        starts_on=day,
        ends_on=day,
        district="310115",
        place="演示 demo",
    )
    made = open_gathering(session, keys, new_id(), organiser.id, occasion, at=at)
    _count(session, made, Stage.EXPECTED, at=at)
    make_plan(session, made, replace(INTENT, deadline=made.deadline), at=at)
    wanted = Wanted(batch.id, RESERVED_KG, made.deadline)
    reserve(session, made, wanted, reservation=new_id(), new_id=new_id, at=at)
    return made


def _retire(session: Session, gathering: Gathering, *, at: datetime) -> None:
    """Count what was emitted, true up, and ask for the retirement."""
    if retirements(session, gathering):
        return
    _count(session, gathering, Stage.ACTUAL, at=at)
    true_up(session, gathering, id_=new_id(), new_id=new_id, at=at)
    retire(session, gathering, new_id=new_id, new_salt=_salt, at=at)


def _count(session: Session, gathering: Gathering, stage: Stage, *, at: datetime) -> None:
    data = files("app").joinpath("demo_data", "demo_run.csv").read_bytes()
    read = understood(TableKind.SUPPLIERS, data, gathering, stage, new_id)
    assert not any(row.faults for row in read.rows), read.rows
    replace_lines(session, gathering, stage, "table", read.lines, at=at)
    close_inventory(session, gathering, stage, CLOSING, at=at)


def _salt() -> bytes:
    return token_bytes(32)


def _has_gathering(session: Session, organiser: Organisation) -> bool:
    return bool(gatherings(session, organiser.id, before=None, limit=1))
