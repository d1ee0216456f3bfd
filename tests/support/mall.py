"""Merchants in tests (商户): open, with an owner and a keeper, and tills that sign."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from app.firms import check_character
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES
from app.kernel.secrets import Keys
from app.kernel.signatures import TILL
from app.kernel.signing import sign
from app.kernel.tokens import Principal
from app.merchants import Merchant, MerchantKind, NewMerchant, Terms, Till, add_till, open_merchant
from app.merchants.people import ROLES, MemberRole, MerchantUser, add_user
from app.merchants.shifts import open_shift
from app.staff import note_act
from app.staff.credentials import commitment, new_enrolment

HOST = "http://testserver"
"""What the test client of the web fixtures calls."""


@dataclass
class Shop:
    """A merchant, an owner and a keeper of it, who have not enrolled."""

    merchant: Merchant
    owner: MerchantUser
    keeper: MerchantUser
    secrets: dict[str, str] = field(repr=False)
    """By login, how they enrol."""

    def principal(self, user: MerchantUser | None = None) -> Principal:
        """Give the owner, or somebody else of it, as a token names them."""
        who = user or self.owner
        return Principal("merchant", who.id, SCOPES[ROLES[who.role]], self.merchant.owner)


@dataclass
class TestTill:
    """A till with its private key."""

    __test__ = False
    till: Till
    private_key: Ed25519PrivateKey = field(repr=False)

    def sign(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        key: str | None = None,
        **changes: object,
    ) -> dict[str, str]:
        """Give the headers of a request of this till, JSON if it has a body."""
        facts: dict[str, Any] = {
            "at": now(),
            "body": body,
            "idempotency_key": key or new_id().hex,
            "content_type": "application/json",
            "tag": TILL,
            **changes,
        }
        return sign(self.private_key, self.till.public, method, HOST + path, **facts)


def registration(number: int) -> str:
    """Give the unified social credit code of an organisation that there is not."""
    body = f"91310000{number:09d}"
    return body + check_character(body)


def merchant(
    db: Database,
    keys: Keys,
    number: int = 1,
    *,
    kind: MerchantKind = MerchantKind.BUSINESS,
    fee_permille: int = 0,
    offline_cap_points: int = 0,
    at: datetime | None = None,
) -> Shop:
    """Open a merchant with an owner and a keeper; ``number`` tells it from others."""
    opened_at, secrets = at or now(), dict[str, str]()
    new = NewMerchant(
        new_id(), kind, f"商户{number}", f"Merchant {number}", registration(number)
    )  # fmt: skip
    terms = Terms(fee_permille, offline_cap_points)
    ids = {role: new_id() for role in MemberRole}
    for role in MemberRole:
        secrets[f"{role}.{number}"] = new_enrolment()

    def command(session: Session) -> Shop:
        made = open_merchant(session, keys, new, terms, at=opened_at)
        users: list[MerchantUser] = []
        for role, id_ in ids.items():
            login = f"{role}.{number}"
            user = MerchantUser(id_, made.id, login, "李安", role, opened_at)
            add_user(session, user, commitment(secrets[login]))
            users.append(user)
        owner, keeper = users
        return Shop(made, owner, keeper, secrets)

    return db.transact(command)


def till(db: Database, shop: Shop, *, is_open: bool = True, at: datetime | None = None) -> TestTill:
    """Register a till of a merchant, and open its keeper's shift at it."""
    opened_at, private_key, shift = at or now(), Ed25519PrivateKey.generate(), new_id()
    public = private_key.public_key().public_bytes_raw()
    made = Till(new_id(), shop.merchant.id, "till", public, opened_at)

    def command(session: Session) -> None:
        add_till(session, made)
        if is_open:
            open_shift(session, made.id, shop.keeper.id, shift=shift, at=opened_at)
            keeper = shop.keeper.public
            note_act(session, keeper, "merchants.open_shift", made.public, at=opened_at)

    db.transact(command)
    return TestTill(made, private_key)
