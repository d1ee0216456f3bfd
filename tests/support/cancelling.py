"""A city in which reductions are cancelled: request, post, close, certify (注销样例)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from app.anchoring import Notary
from app.books import ClaimText
from app.cancellations import post_due
from app.cancellations.queries import Cancellation, State, find_cancellation
from app.cancellations.requesting import Wish, request_cancellation
from app.cancellations.rules import COOL_DOWN
from app.certificates import find_certificate, issue_certificates
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from ledger.accounts import AccountKind
from ledger.certificate import Purpose
from ledger.receipt import Json
from tests.support.anchoring import ORIGIN, at, notary_over
from tests.support.chain import MemoryChain

DUE = COOL_DOWN + timedelta(seconds=1)
_salts = count(1)


def salt() -> bytes:
    """Make a salt that no other test has."""
    return next(_salts).to_bytes(32, "big")


def holder(owner: int) -> Principal:
    """Give somebody as a token would."""
    if owner >> 1 & 7 == AccountKind.ORGANISATION:
        return Principal("organisation", new_id(), SCOPES[Role.ORGANISATION_OWNER], owner)
    return Principal("citizen", new_id(), SCOPES[Role.CITIZEN], owner)


def wish(
    mg: int | None = None,
    classes: Mapping[bytes, int | None] | None = None,
    *,
    name: str = "",
    message: str = "",
    shown: tuple[str, ...] = (),
    period: str | None = None,
) -> Wish:
    """Wish for a cancellation for the public good."""
    words = {"holder": "cit_test", "beneficiary": name, "message": message}
    texts = [ClaimText(each, salt(), text, each in shown) for each, text in words.items()]
    return Wish(mg, classes or {}, Purpose.PUBLIC_BENEFIT, period, texts)


class Registrar:
    """Takes cancellations from the request to the certificate."""

    def __init__(self, db: Database, worker_db: Database, keys: Keys, folder: Path) -> None:
        """Close nothing yet."""
        self.db, self.worker_db, self.keys = db, worker_db, keys
        self.chain = MemoryChain()
        self.notary: Notary = notary_over(worker_db, keys, folder)
        self.hours = 0

    def request(self, owner: int, wished: Wish, *, when: datetime | None = None) -> Cancellation:
        """Ask for one."""
        facts: dict[str, Any] = {"cancellation": new_id(), "new_id": new_id, "new_salt": salt}
        who = holder(owner)
        return self.db.transact(request_cancellation, who, wished, **facts, at=when or now())

    def post(self) -> int:
        """Let the cool-down pass, and the worker run."""
        return post_due(self.worker_db, at=now() + DUE)

    def close(self) -> None:
        """Close an epoch and anchor it."""
        self.hours += 24
        self.notary.close(at=at(self.hours))
        self.notary.publish()
        self.notary.submit(self.chain, at=at(self.hours))
        self.notary.publish()

    def issue(self) -> int:
        """Let the worker issue what is final."""
        return issue_certificates(self.worker_db, self.keys, self.notary.folder, at=now())

    def cancelled(self, owner: int, wished: Wish) -> UUID:
        """See one through; gives its id, which is its certificate's too."""
        made = self.request(owner, wished).row.id
        assert self.post() == 1
        self.close()
        assert self.issue() == 1
        return made

    def state(self, owner: int, cancellation: UUID) -> State:
        """Say how far one has come."""
        return self.db.read(find_cancellation, owner, cancellation).row.state

    def document(self, certificate: UUID, *, owner: int | None = None) -> Json:
        """Give a certificate as anybody, or its owner, gets it."""
        found = self.db.read(find_certificate, ORIGIN, certificate, owner=owner)
        return found.to_json(self.keys.receipt, at=now())

    def header_lines(self) -> list[str]:
        """Give the published list of headers."""
        return (self.notary.folder / "headers.jsonl").read_text().splitlines()
