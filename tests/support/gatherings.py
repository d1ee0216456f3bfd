"""A gathering that shall be neutral (中和样例): its organiser has units, its plan is public."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from secrets import token_bytes
from typing import Any
from uuid import UUID

from sqlmodel import Session

from app.activities import Standing as DocumentStanding
from app.activities import catalogued
from app.activities.corrections import Correction, correct
from app.citizens import Citizen
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.neutrality.categories import Category
from app.neutrality.gatherings import Gathering, Occasion, lock_gathering, open_gathering
from app.neutrality.gifts import GatheringGift, Offering, give, given_mg
from app.neutrality.inventories import Closing, Inventory, close_inventory
from app.neutrality.inventory_rules import Entry, Stage, Tier, line_of
from app.neutrality.lines import add_lines
from app.neutrality.plans import Intent, OffsetWay, Plan, make_plan
from app.neutrality.reserving import Reservation, Wanted, reserve
from app.neutrality.retiring import retire
from app.neutrality.sides import Chosen, Side, TripChoice, choose_side
from app.neutrality.standing import Standing, standing_of
from app.neutrality.surveys import ticket_of
from app.neutrality.thresholds import GatheringKind, Size
from app.neutrality.truing_up import TrueUp, true_up
from app.registry.retirements import Retirement
from app.registry.retiring import COOL_DOWN
from app.registry.taking import take_retirements
from ledger.accounts import bucket_of
from ledger.assets import Grade
from methodologies import CATALOG, Approval, SignOff
from tests.support.acts import item, one, people, provider, rows, send
from tests.support.market import Market
from tests.support.organisations import Office, organisation

KWH = Decimal(1000)
METRO = CATALOG["SZ-METRO", 1]
HELD = """
select ((select coalesce(sum(left_kg), 0) from reservation where gathering = %s)
      + (select coalesce(sum(quantity_kg), 0) from retirement
          where holder = %s and reverted_at is null and taken_at is null))::int8"""
OTHERS = {each: "none at this gathering" for each in Category if each is not Category.ENERGY}


@dataclass
class Marathon:
    """A race that was yesterday, its organiser, and the organiser's units."""

    market: Market
    number: int = 41
    units_kg: int = 2_000
    offset_way: OffsetWay = OffsetWay.UNITS_AND_GIFTS
    days_ago: int = 1
    is_planned: bool = True
    office: Office = field(init=False)
    gathering: Gathering = field(init=False)

    def __post_init__(self) -> None:
        """Open it, expect a little, plan, and hand its organiser units."""
        self.office = organisation(self.db, self.market.registry.keys, self.number, at=self.at)
        self.market.hand(self.office.organisation, self.units_kg)
        ended = day_of(self.at) - timedelta(days=self.days_ago)
        occasion = Occasion(
            kind=GatheringKind.COMPETITION,
            title_zh="城市马拉松",
            title_en="City Marathon",
            size=Size(people=30_000, visits=None, area_m2=None),
            starts_on=ended,
            ends_on=ended,
            district="310115",
            place="Century Park",
        )
        named = (new_id(), self.office.organisation.id, occasion)
        keys = self.market.registry.keys
        self.gathering = self.db.transact(open_gathering, keys, *named, at=self.at)
        self.counted(Stage.EXPECTED)
        if self.is_planned:
            self.planned()

    @property
    def db(self) -> Database:
        return self.market.db

    @property
    def at(self) -> datetime:
        return self.market.at

    @property
    def deadline(self) -> date:
        return self.gathering.deadline

    def locked(self, command: Any, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 -- any command of the gathering
        """Run a command on the locked gathering."""
        organiser = self.gathering.organisation

        def deed(session: Session) -> Any:  # noqa: ANN401 -- likewise
            found = lock_gathering(session, self.gathering.id, organisation=organiser)
            return command(session, found, *args, **kwargs)

        return self.db.transact(deed)

    def planned(self, **more: Any) -> Plan:  # noqa: ANN401 -- any field of it
        """Plan anew, otherwise than before if told so."""
        told: dict[str, Any] = {
            "boundary": "The course, the start and the finish, and the way there.",
            "measures": ["No bottled water"],
            "offset_way": self.offset_way,
            "deadline": self.deadline,
            "is_public": True,
        }
        return self.locked(make_plan, Intent(**told | more), at=self.at)

    def counted(self, stage: Stage = Stage.ACTUAL, kwh: Decimal = KWH) -> Inventory:
        """Close an inventory of what was drawn from the grid, with what was counted before."""
        actual = stage is Stage.ACTUAL
        entry = Entry(
            category=Category.ENERGY,
            label="Stadium",
            quantity=kwh,
            unit="kWh",
            table="cn-grid",
            row="上海/2023",
            tier=Tier.MEASURED if actual else Tier.ESTIMATED,
            evidence=b"e" * 32 if actual else None,
        )
        line = line_of(self.gathering, stage, "entered", new_id(), entry)
        self.locked(add_lines, stage, [line], at=self.at)
        closing = Closing(30_000, OTHERS, ["Nobody came by air"])
        return self.locked(close_inventory, stage, closing, at=self.at)

    def reserve(
        self, quantity_kg: int, *, until: date | None = None, batch: UUID | None = None
    ) -> Reservation:
        """Reserve units of the market's batch."""
        wanted = Wanted(batch or self.market.batch.id, quantity_kg, until or self.deadline)
        facts: dict[str, Any] = {"reservation": new_id(), "new_id": new_id, "at": self.at}
        return self.locked(reserve, wanted, **facts)

    def true_up(self, *, at: datetime | None = None) -> TrueUp:
        """True up what is reserved."""
        return self.locked(true_up, id_=new_id(), new_id=new_id, at=at or self.at)

    def retire(self, *, at: datetime | None = None) -> Sequence[Retirement]:
        """Ask for the retirement of what is needed."""
        facts: dict[str, Any] = {
            "new_id": new_id,
            "new_salt": lambda: token_bytes(32),
            "at": at or self.at,
        }
        return self.locked(retire, **facts)

    def taken(self) -> int:
        """Let the cool-down pass, and the registry give serials."""
        return take_retirements(self.db, at=self.at + COOL_DOWN)

    def retired(self, kwh: Decimal = KWH) -> Sequence[Retirement]:
        """Count, true up and retire, until the serials are there."""
        self.counted(kwh=kwh)
        self.true_up()
        made = self.retire()
        self.taken()
        return made

    def give(
        self, owner: int, mg: int, grade: Grade = "A", *, at: datetime | None = None
    ) -> GatheringGift:
        """Let a citizen give."""
        facts: dict[str, Any] = {"gift": new_id(), "new_id": new_id, "at": at or self.at}
        return self.db.transact(
            give, citizen(owner), self.gathering.id, Offering(grade, mg), **facts
        )

    def ticket(self, number: int) -> str:
        """Write one of its tickets."""
        return ticket_of(self.market.registry.keys, self.gathering.id, number)

    def choose(
        self, owner: int, act: UUID | None, side: Side, *, ticket: str | None = None
    ) -> Chosen:
        """Let a citizen say whose a trip is, with a ticket of their own if none is named."""
        facts: dict[str, Any] = {"gift": new_id(), "new_id": new_id, "at": self.at}
        choice = TripChoice(act, side, ticket or self.ticket(owner % 2**20))
        named = (self.market.registry.keys, citizen(owner), self.gathering.id, choice)
        return self.db.transact(choose_side, *named, **facts)

    def given_mg(self) -> int:
        """What its gifts come to that count, to the milligram."""
        return self.db.read(given_mg, self.gathering.id)

    def standing(self) -> Standing:
        """Where it stands."""
        return self.db.read(standing_of, self.gathering)

    def has(self) -> tuple[int, int, int]:
        """Units of the batch: the organiser's, the gathering's free ones, those it holds.

        What it holds is what is left of its reservations and what waits for its serials.
        """
        owner, asset = self.gathering.owner, self.market.batch.asset
        held = units(self.db, owner + 1, asset)
        assert one(self.db, HELD, self.gathering.id, owner) == (held,)
        return self.market.units(self.office.organisation)[0], units(self.db, owner, asset), held


@dataclass
class Rider:
    """Somebody who rode the metro twice yesterday, for the same each time."""

    race: Marathon
    keys: Keys
    km: int = 10
    """Of each ride."""
    metro: str = "metro"
    """Another rider's is another."""
    owner: int = 0
    asset: int = 0
    mg: int = 0
    """Of one ride."""
    acts: tuple[UUID, ...] = ()

    def __post_init__(self) -> None:
        """Ride, as a provider tells it."""
        since, until = date(2020, 1, 1), date(2100, 1, 1)
        signed = [
            SignOff(reviewer=name, sha256=METRO.sha256, signed_on=since) for name in ("one", "two")
        ]
        approval = Approval(scenario=METRO.scenario, valid_from=since, valid_until=until)
        standing = {("SZ-METRO", 1): DocumentStanding(tuple(signed), (approval,))}
        choice, db = catalogued("SZ-METRO", 1, standing=standing), self.race.db
        sender = provider(db, self.metro)
        people(db, self.keys, sender, ["card-1"], choice=choice)
        send(db, self.keys, sender, [item(each, distance=self.km) for each in (1, 2)], choice)
        query = """select b.account, b.asset, b.credits - b.debits
                     from balance b join activity a using (bucket, account, asset)
                    where a.provider = %s limit 1"""
        self.owner, self.asset, both = one(db, query, sender.id)
        self.mg = both // 2
        query = "select id from activity where account = %s order by id"
        self.acts = tuple(row[0] for row in rows(db, query, self.owner))

    def corrected(self, act: UUID, less_mg: int) -> None:
        """Let the provider say that a ride was worth less."""
        query = "select bucket, recorded_on, raw_mg from activity where id = %s"
        bucket, recorded_on, raw_mg = one(self.race.db, query, act)
        told = (bucket, self.owner, recorded_on, act, raw_mg - less_mg, "provider.corrected")

        def command(session: Session) -> None:
            facts: dict[str, Any] = {
                "cause": new_id(),
                "at": self.race.at,
                "window_days": 400,
                "new_id": new_id,
            }
            correct(driver(session), [Correction(*told)], **facts)

        self.race.db.transact(command)


def citizen(owner: int) -> Citizen:
    """Name a citizen by their place in the ledger."""
    return Citizen(bucket_of(owner), owner)


def units(db: Database, account: int, asset: int) -> int:
    """Give what an account in the books has of an asset."""
    query = """select coalesce(sum(credits - debits), 0)::int8 from balance
                where account = %s and asset = %s"""
    return one(db, query, account, asset)[0]
