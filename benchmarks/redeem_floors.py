"""What redeeming is measured beside: the floor of one SQL function, and the same deed by an ORM.

Neither checks a signature, a code or a key; each is one bare FastAPI endpoint over the product's
own tables. Benchmark code only: the product has no mapped classes.
"""

from datetime import date, datetime
from threading import local
from typing import Any, ClassVar, Final
from uuid import UUID

import psycopg
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import create_engine
from sqlmodel import Field, Session, SQLModel, select

from app.kernel.clock import day_of, now
from app.kernel.ids import new_id
from app.kernel.once import KEPT
from app.mall.redeeming import REDEEM

HELD, REDEEMED, REDEEM_CODE = 1, 18, 9
DIGEST: Final = bytes(32)
OPTIONS: Final = "-c role=tanpu_app -c timezone=UTC"


class Wanted(BaseModel):
    """Which voucher, at which till, under which key."""

    voucher: UUID
    till: UUID
    key: str


def floor_app(url: str) -> FastAPI:
    """Serve one endpoint that calls the one SQL function."""
    app, lines = FastAPI(), local()

    def redeem(wanted: Wanted) -> dict[str, Any]:
        if not hasattr(lines, "connection"):
            lines.connection = psycopg.connect(
                url, autocommit=True, prepare_threshold=0, options=OPTIONS
            )
        at, till = now(), wanted.till
        said = (wanted.voucher, None, True, till, str(till), wanted.key, DIGEST, new_id(), at)
        line: psycopg.Connection[tuple[Any, ...]] = lines.connection
        (row,) = line.execute(REDEEM, (*said, day_of(at), at + KEPT, None)).fetchall()
        assert row[0] == "redeemed", row
        return {"outcome": row[0], "points": row[5], "claim_fen": row[8]}

    app.post("/", status_code=201)(redeem)
    return app


class MallTill(SQLModel, table=True):
    """A till, as far as redeeming looks at it."""

    __tablename__: ClassVar[Any] = "till"
    id: UUID = Field(primary_key=True)
    merchant: UUID
    keeper: UUID | None
    shift_ends_at: datetime | None


class MallPlace(SQLModel, table=True):
    """Where a voucher lies."""

    __tablename__: ClassVar[Any] = "voucher_place"
    voucher: UUID = Field(primary_key=True)
    bucket: int
    account: int
    mall_order: UUID


class MallOrder(SQLModel, table=True):
    """An order."""

    __tablename__: ClassVar[Any] = "mall_order"
    bucket: int = Field(primary_key=True)
    account: int = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    merchant: UUID
    points: int
    state: str
    ends_at: datetime
    ended_at: datetime | None


class MallPart(SQLModel, table=True):
    """The points of one class that pay."""

    __tablename__: ClassVar[Any] = "order_part"
    bucket: int = Field(primary_key=True)
    account: int = Field(primary_key=True)
    mall_order: UUID = Field(primary_key=True)
    asset: int = Field(primary_key=True)
    points: int


class MallBalance(SQLModel, table=True):
    """A balance of one class."""

    __tablename__: ClassVar[Any] = "balance"
    bucket: int = Field(primary_key=True)
    account: int = Field(primary_key=True)
    asset: int = Field(primary_key=True)
    debits: int


class MallRedemption(SQLModel, table=True):
    """A redemption."""

    __tablename__: ClassVar[Any] = "redemption"
    bucket: int = Field(primary_key=True)
    account: int = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    mall_order: UUID
    merchant: UUID
    till: UUID
    keeper: UUID | None
    points: int
    claim_fen: int
    recorded_on: date
    redeemed_at: datetime


class MallTransfer(SQLModel, table=True):
    """A posting."""

    __tablename__: ClassVar[Any] = "transfer"
    bucket: int = Field(primary_key=True)
    recorded_on: date = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    source: int
    target: int
    asset: int
    amount: int
    code: int
    cause: UUID
    occurred_on: date


class MallPending(SQLModel, table=True):
    """An entry that awaits the log."""

    __tablename__: ClassVar[Any] = "log_pending"
    bucket: int
    recorded_on: date
    id: UUID = Field(primary_key=True)


class MallAnswer(SQLModel, table=True):
    """A key that was used."""

    __tablename__: ClassVar[Any] = "desk_answer"
    actor: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request: bytes
    kept_until: datetime


def orm_app(url: str) -> FastAPI:
    """Serve one endpoint that does it through a session, statement by statement."""
    made = url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(made, pool_size=16, connect_args={"options": OPTIONS})
    app = FastAPI()

    def redeem(wanted: Wanted) -> dict[str, Any]:
        with Session(engine) as session:
            return _redeem(session, wanted)

    app.post("/", status_code=201)(redeem)
    return app


def _redeem(session: Session, wanted: Wanted) -> dict[str, Any]:
    at, today = now(), day_of(now())
    till = session.get_one(MallTill, wanted.till)
    assert till.shift_ends_at is not None
    assert till.shift_ends_at > at
    place = session.get_one(MallPlace, wanted.voucher)
    owner = (place.bucket, place.account)
    order = session.get_one(MallOrder, (*owner, place.mall_order), with_for_update=True)
    assert (order.state, order.merchant) == ("reserved", till.merchant)
    of = (MallPart.bucket == owner[0], MallPart.account == owner[1])
    parts = session.exec(select(MallPart).where(*of, MallPart.mall_order == order.id)).all()
    order.state, order.ended_at = "redeemed", at
    session.add(
        MallRedemption(
            bucket=owner[0],
            account=owner[1],
            id=wanted.voucher,
            till=till.id,
            mall_order=order.id,
            merchant=till.merchant,
            keeper=till.keeper,
            points=order.points,
            claim_fen=order.points,
            recorded_on=today,
            redeemed_at=at,
        )
    )
    for part in parts:
        held = (owner[0], owner[1] + HELD, part.asset)
        balance = session.get_one(MallBalance, held, with_for_update=True)
        balance.debits += part.points
        _post(session, held, part.points, wanted.voucher, today)
    said = MallAnswer(actor=str(till.id), key=wanted.key, request=DIGEST, kept_until=at + KEPT)
    session.add(said)
    points = order.points
    session.commit()
    return {"outcome": "redeemed", "points": points, "claim_fen": points}


def _post(
    session: Session, held: tuple[int, int, int], points: int, cause: UUID, today: date
) -> None:
    made, (bucket, source, asset) = new_id(), held
    session.add(
        MallTransfer(
            bucket=bucket,
            recorded_on=today,
            id=made,
            source=source,
            target=REDEEMED,
            asset=asset,
            amount=points,
            code=REDEEM_CODE,
            cause=cause,
            occurred_on=today,
        )
    )
    session.add(MallPending(bucket=bucket, recorded_on=today, id=made))
