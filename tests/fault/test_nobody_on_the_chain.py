"""Of citizens with known phones, names, cards and ids not one word is in calldata or logs.

Each kind of message comes of its real deed, on a real node; the scan is shown to find what is
planted in each.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.kernel.db import Database
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.registry import take_retirements
from ledger.registry import EpochCancellation, Invalidation, Issuance, Retirement, Told
from tests.fault.test_registering import assert_told, drained, messages
from tests.support.anchoring import rows_of
from tests.support.anvil import AnvilRegister
from tests.support.cancelling import Registrar
from tests.support.cancelling import wish as given_up
from tests.support.chain import anvil
from tests.support.leaving import Town
from tests.support.owners import BUS, BUS_B, accrual, asset_number, post_all
from tests.support.recalls import recall
from tests.support.registry import Registry
from tests.support.retirements import AT, Held, tell, texts, wish
from tests.support.retirements import ask as asked


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[AnvilRegister]:
    with anvil(tmp_path / "anvil") as node:
        yield AnvilRegister(node)


def city(db: Database, worker_db: Database, keys: Keys, folder: Path) -> Town:
    """Whatever the chain is told of, by its real deeds, each with a citizen behind it."""
    town = Town(db, worker_db, keys, folder)
    office = Registry(db, worker_db, keys, folder, chain=town.chain)
    office.terms(buffer_permille=200)
    a, b = town.join(1), town.join(2)
    office.pool(a.who.owner, asset_number(db, BUS), 10_000_000)
    batch = office.issued(BUS)
    post_all(db, [accrual(b.who.owner, asset_number(db, BUS_B), 500)])
    desk = Registrar(db, worker_db, keys, folder)
    shown = ("beneficiary", "message")
    desk.request(b.who.owner, given_up(300, name=b.name, message=b.phone, shown=shown))
    assert desk.post() == 1
    office.close()
    held = Held(office.operator.owner, batch.id)
    asked(db, wish(held, 2, texts=texts(a.name), cool_down=timedelta(0)))
    assert take_retirements(db, at=AT) == 1
    recall(office, {batch.public: 3})
    return town


def words_of(town: Town) -> set[bytes]:
    """Everything that leads to somebody: said, hashed, and the ids of what is theirs."""
    citizens = rows_of(town.db, "select account, public_id from subject")
    akeys = rows_of(town.worker_db, "select akey from account where akey is not null")
    openings = rows_of(town.db, "select words, salt from claim_opening where words <> ''")
    ids = rows_of(
        town.db,
        """
select id from activity union all select id from cancellation union all select id from retirement
union all select batch from retirement union all select lot from issue_batch
union all select id from recall union all select id from transfer where code in (12, 17)""",
    )
    evidence = rows_of(town.db, "select evidence from lot_row")
    salts = [(salt,) for _, salt in openings]
    found = {bytes(each) for (each,) in [*akeys, *evidence, *salts]}
    found = {each for each in found if each.strip(b"\0")[8:]}  # tests count their salts
    found |= {each.bytes for (each,) in ids} | {public.bytes for _, public in citizens}
    found |= {str(each).encode() for (each,) in ids}
    found |= {said.encode() for said, _ in openings}
    for owner, public in citizens:
        found |= {str(owner).encode(), str(public).encode(), public_id("cit", public).encode()}
        found |= {owner.to_bytes(size, "big") for size in (5, 8)}
    for number in (1, 2):
        phone = f"+861380000000{number}"
        told = (
            phone,
            phone[3:],
            f"隐名氏{number}",
            f"CARD-SECRET-{number}",
            f"oid-{number}-xyz",
        )
        found |= {each.encode() for each in told}
        found |= {town.keys.subject_hash(town.metro.code, told[3])}
        found |= {town.keys.login_hash("phone", phone.encode())}
    return found


def published_on(worker_db: Database, registry: AnvilRegister) -> bytes:
    """What was sent to the chain, and what it logged."""
    rpc: Any = registry.rpc.web3.eth
    sent = rows_of(worker_db, "select raw from submission")
    told = [bytes(raw) for (raw,) in sent]
    for number in range(rpc.block_number + 1):
        for each in rpc.get_block(number, full_transactions=True)["transactions"]:
            told.append(bytes(each["input"]))
            for log in rpc.get_transaction_receipt(each["hash"])["logs"]:
                told += [bytes(part) for part in (log["data"], *log["topics"])]
    return b"".join(told)


def leaked(words: set[bytes], published: bytes) -> set[bytes]:
    """Find words as bytes, and as their text in hex."""
    return {word for word in words if word in published or word.hex().encode() in published}


def test_no_message_tells_of_anybody(
    db: Database,
    worker_db: Database,
    keys: Keys,
    registry: AnvilRegister,
    tmp_path: Path,
) -> None:
    town = city(db, worker_db, keys, tmp_path)
    drained(worker_db, registry)
    kinds = {each.kind for each in messages(db)}
    assert kinds == {"cancel_epoch", "invalidate", "issue", "retire"}
    assert_told(db, registry)
    words, published = words_of(town), published_on(worker_db, registry)
    assert all(len(each) >= 5 for each in words), words
    for each in messages(db):
        assert published.count(each.subject) >= 2, "the scan reads nothing of it"
    assert leaked(words, published) == set()

    # The same scan, of the same messages with one word of somebody in each.
    phone, name = b"+8613800000001", "隐名氏2".encode()
    planted: dict[str, tuple[Told, bytes]] = {}
    for each in messages(db):
        match each:
            case Issuance():
                planted[each.kind] = replace(each, methodology=phone.ljust(32, b"\0")), phone
            case Retirement():
                planted[each.kind] = replace(each, beneficiary_commit=name.rjust(32)), name
            case Invalidation():
                (owner,) = rows_of(db, "select max(account) from subject")[0]
                word = owner.to_bytes(8, "big")
                planted[each.kind] = replace(each, amount_kg=owner), word
            case EpochCancellation():
                planted[each.kind] = replace(each, epoch=99, root=name.ljust(32)), name
    assert planted.keys() == kinds
    for message, word in planted.values():
        raw = registry.sign(message, nonce=registry.next_nonce(), fee_wei=registry.fee_wei()).raw
        assert word in leaked(words, published + raw), message.kind
    tell(db, planted["cancel_epoch"][0])
    drained(worker_db, registry)
    after = published_on(worker_db, registry)
    assert (leaked(words, after), after.count(name)) == ({name}, 2), "calldata and log"
