"""A crash at every commit, send and rename of anchoring, effect lost and effect landed.

Goal: exactly one anchor an epoch, true receipts, a clean audit, and life afterwards. Method: one
run counts the effects; then each is crashed at in turn until a run passes without a crash, so a
new effect is covered on the day it is written.
"""

from pathlib import Path

import pytest

from app.embedded.postgres import Postgres
from app.kernel.db import Database
from app.kernel.secrets import Keys
from tests.support.anchoring import (
    ORIGIN,
    accruals,
    at,
    notary_over,
    receipt,
    rows_of,
    verify,
)
from tests.support.auditing import assert_clean
from tests.support.chain import MemoryChain
from tests.support.postgres import MIGRATED, empty
from tests.support.tripwire import Crash, Tripwire

EFFECTS_MAX = 60


def test_what_is_sent_was_stored_before(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = MemoryChain()
    send = chain.send

    def watched(raw: bytes) -> None:
        stored = rows_of(worker_db, "select raw from submission")
        assert (raw,) in stored
        send(raw)

    monkeypatch.setattr(chain, "send", watched)
    accruals(db, keys)
    done = notary_over(worker_db, keys, tmp_path).tick(lambda: chain, at=at(0))
    assert (done.sent, done.waiting) == (1, 0)


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_it_survives_a_crash_at_every_effect(
    db: Database,
    worker_db: Database,
    keys: Keys,
    tmp_path: Path,
    postgres: Postgres,
    *,
    landed: bool,
) -> None:
    for crash_at in range(1, EFFECTS_MAX):
        empty(postgres.url_of(MIGRATED))
        folder = tmp_path / str(crash_at)
        chain, wire = MemoryChain(), Tripwire(crash_at, landed=landed)
        first = accruals(db, keys)
        try:
            with wire.across(worker_db, chain):
                notary_over(worker_db, keys, folder).tick(lambda c=chain: c, at=at(0))
            crashed = False
        except Crash:
            crashed = True
        second = accruals(db, keys)
        notary = notary_over(worker_db, keys, folder)
        notary.tick(chain.again, at=at(24))
        notary.tick(chain.again, at=at(48))

        status = notary.status()
        assert (status.pending, status.closing) == (0, None), crash_at
        assert chain.tip() == status.epoch == status.final == status.guard, crash_at
        assert chain.next_nonce() == status.epoch, f"{crash_at}: an epoch was sent twice"
        assert_clean(db.url, keys, ORIGIN, chain)
        for owner in (*first, *second):
            assert verify(notary, receipt(notary, db, owner)).startswith("true"), crash_at
        if not crashed:
            assert crash_at > 8, "the wire is laid across nothing"
            return
    raise AssertionError("more effects than this test can pass")
