"""A process that does things to units until it is killed (单位断电进程), and says what it means to.

Traders move, ask for and take back, buy and let go; one worker takes, recalls, replaces and tells
the chain. Each deed is written down before it is begun and after it was answered, in lines that a
kill cannot tear.
"""

import os
import random
import secrets
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from app.anchoring import Finality, register
from app.anchoring.evm.contracts import connect_register
from app.books import post
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.problems import Refusal
from app.market import buy
from app.market.listings import Terms, list_units
from app.market.purchases import Buying, cancel
from app.market.quotes import quote
from app.registry.handing_over import UnitQuantity, legs
from app.registry.recalling import carry_out_recalls
from app.registry.recalls import open_recall
from app.registry.replacing import replace_all
from app.registry.retiring import RetirementWish, request_retirement, revert_retirement
from app.registry.taking import take_retirements
from app.staff import Signing
from ledger.certificate import Purpose
from tests.support.retirements import texts

TRADERS: Final = 6
COOL_DOWN: Final = timedelta(milliseconds=200)
HOUR: Final = timedelta(hours=1)
PRICE_FEN: Final = 6_500
USES: Final = (Purpose.PUBLIC_BENEFIT, Purpose.VOLUNTARY_OFFSET)


@dataclass(frozen=True)
class Stage:
    """What the process is given."""

    url: str
    rpc: str
    contract: str
    anchor_key: bytes
    firms: Sequence[tuple[UUID, int]]
    """Organisations, and their owners in the books."""
    batches: Mapping[UUID, tuple[str, int]]
    """Public id and asset, by id."""
    diary: Path


class Diary:
    """Lines that outlive the process: one write each, to a file that is only appended to."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, *words: object) -> None:
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())


def be(stage: Stage, seed: int) -> None:
    """Be that process."""
    diary = Diary(stage.diary)
    workers = [threading.Thread(target=_work, args=(stage, seed, diary), daemon=True)]
    workers += [
        threading.Thread(target=_trade, args=(stage, seed + number, diary), daemon=True)
        for number in range(1, TRADERS + 1)
    ]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    sys.exit(1)


@dataclass
class Trader:
    """Who moves, asks for, takes back, buys and lets go."""

    stage: Stage
    rng: random.Random
    db: Database
    mine: dict[str, list[tuple[UUID, int | UUID]]]
    """What it may undo, by the deed that does, with whose it is."""

    def choose(self) -> tuple[str, UUID, int | UUID | None]:
        """Give a deed to do: its name, its id, and of what is undone whose it is."""
        what = self.rng.choice(("move", "ask", "ask", "revert", "buy", "drop"))
        undone = self.mine.get(what)
        if undone is None:
            return what, new_id(), None
        if not undone:
            return self.choose()
        return what, *undone.pop(self.rng.randrange(len(undone)))

    def do(self, what: str, deed: UUID, whose: int | UUID | None) -> None:
        """Do it."""
        batch, kg = self.rng.choice(list(self.stage.batches)), self.rng.randint(1, 5)
        (firm, owner), (other, receiver) = self.rng.sample(self.stage.firms, 2)
        match what:
            case "move":
                asset = self.stage.batches[batch][1]
                self.db.transact(_move, UnitQuantity(asset, kg), owner, receiver, deed)
            case "ask":
                use = self.rng.choice(USES)
                wish = RetirementWish(
                    deed, owner, batch, kg, use, None, texts(""), cool_down=COOL_DOWN
                )
                fresh: dict[str, Any] = {"new_id": new_id, "new_salt": _salt}
                self.db.transact(request_retirement, wish, **fresh, at=now())
                self.mine["revert"].append((deed, owner))
            case "revert":
                self.db.transact(revert_retirement, whose, deed, new_id=new_id, at=now())  # type: ignore[arg-type] -- an owner
            case "buy":
                terms = Terms(batch, kg, 1, PRICE_FEN, now(), now() + HOUR)
                buying = Buying(other, receiver, "oru_one", HOUR)
                self.db.transact(_buy, (firm, owner), terms, buying, deed)
                self.mine["drop"].append((deed, other))
            case _:
                self.db.transact(cancel, whose, deed, new_id=new_id, at=now())  # type: ignore[arg-type] -- a firm


def _trade(stage: Stage, seed: int, diary: Diary) -> None:
    db = Database(stage.url, pool_size=1)
    trader = Trader(stage, random.Random(seed), db, {"revert": [], "drop": []})
    while True:
        what, deed, whose = trader.choose()
        diary.note(deed, what, "begun")
        try:
            trader.do(what, deed, whose)
        except Refusal:
            diary.note(deed, what, "refused")
        except DBAPIError:
            diary.note(deed, what, "unknown")
        else:
            diary.note(deed, what, "done")


def _work(stage: Stage, seed: int, diary: Diary) -> None:
    rng, db = random.Random(-seed), Database(stage.url, pool_size=1)
    worker_db = Database(stage.url, role="tanpu_worker", pool_size=1)
    while True:
        if rng.random() < 0.3:
            name, _ = rng.choice(list(stage.batches.values()))
            signing = Signing(new_id(), "clk_one", "clk_two", now())
            payload = {"reason": "a storm", "batches": {name: rng.randint(1, 4)}}
            diary.note(signing.approval, "recall", "begun")
            try:
                db.transact(open_recall, payload, signing)
            except Refusal:
                diary.note(signing.approval, "recall", "refused")
            else:
                diary.note(signing.approval, "recall", "done")
        work(stage, db, worker_db)


def work(stage: Stage, db: Database, worker_db: Database) -> int:
    """Do what the worker's jobs do; gives how many messages the chain has not."""
    take_retirements(db, at=now())
    carry_out_recalls(db, new_id=new_id, at=now())
    replace_all(db, new_id=new_id, new_salt=_salt, at=now())
    registry = connect_register(stage.rpc, stage.anchor_key, stage.contract)
    return register(worker_db, registry, Finality.parse("instant"), at=now()).waiting


def _move(session: Session, units: UnitQuantity, source: int, target: int, cause: UUID) -> None:
    today = day_of(now())
    both = legs(units, source=source, target=target, cause=cause, today=today, new_id=new_id)
    post(driver(session), both)


def _buy(
    session: Session, seller: tuple[UUID, int], terms: Terms, buying: Buying, purchase: UUID
) -> None:
    """Offer, quote and buy at once; nobody pays."""
    listing, quoted, at = new_id(), new_id(), terms.opens_at
    list_units(session, seller, terms, listing=listing, by=buying.by, at=at)
    what = (buying.organisation, listing, terms.quantity_kg)
    quote(session, *what, quote=quoted, by=buying.by, valid_for=HOUR, at=at)
    buy(session, buying, quoted, None, purchase=purchase, held=new_id(), at=at)


def _salt() -> bytes:
    return secrets.token_bytes(32)
