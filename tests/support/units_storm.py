"""A process that does things to units until it is killed (单位断电进程), and says what it means to.

Traders move, ask for and take back; one worker takes, recalls, replaces and tells the chain. Each
deed is written down before it is begun and after it was answered, in lines that a kill cannot tear.
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
from typing import Final
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
from app.registry.handing_over import Units, legs
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
USES: Final = (Purpose.PUBLIC_BENEFIT, Purpose.VOLUNTARY_OFFSET)


@dataclass(frozen=True)
class Stage:
    """What the process is given."""

    url: str
    rpc: str
    contract: str
    anchor_key: bytes
    owners: Sequence[int]
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


def _trade(stage: Stage, seed: int, diary: Diary) -> None:
    rng, db, mine = random.Random(seed), Database(stage.url, pool_size=1), list[tuple[int, UUID]]()
    while True:
        what = rng.choice(("move", "ask", "ask", "revert"))
        deed, batch = new_id(), rng.choice(list(stage.batches))
        owner, kg = rng.choice(stage.owners), rng.randint(1, 5)
        if what == "revert":
            if not mine:
                continue
            owner, deed = mine.pop(rng.randrange(len(mine)))
        diary.note(deed, what, "begun")
        try:
            if what == "move":
                other = rng.choice([each for each in stage.owners if each != owner])
                db.transact(_move, Units(stage.batches[batch][1], kg), owner, other, deed)
            elif what == "ask":
                wish = RetirementWish(
                    deed, owner, batch, kg, rng.choice(USES), None, texts(""), cool_down=COOL_DOWN
                )
                db.transact(request_retirement, wish, new_id=new_id, new_salt=_salt, at=now())
                mine.append((owner, deed))
            else:
                db.transact(revert_retirement, owner, deed, new_id=new_id, at=now())
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


def _move(session: Session, units: Units, source: int, target: int, cause: UUID) -> None:
    today = day_of(now())
    both = legs(units, source=source, target=target, cause=cause, today=today, new_id=new_id)
    post(driver(session), both)


def _salt() -> bytes:
    return secrets.token_bytes(32)
