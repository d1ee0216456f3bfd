"""Citizens with acts of methodologies that ship, and their tokens (钱包测试的市民)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import FastAPI

from app.activities import Item, UploadResult, catalogued
from app.activities.items import Value
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import public_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.secrets import Keys
from app.kernel.tokens import LIFETIME, Principal
from app.providers import Provider, add_provider
from ledger.accounts import bucket_of
from methodologies import Evidence
from tests.support.acts import TODAY, one, people, rows, send

METRO = catalogued("SZ-METRO")
TEN_KM_MG = 468_000


@dataclass(frozen=True, slots=True)
class Somebody:
    """A citizen of a test."""

    owner: int
    id: UUID

    @property
    def bucket(self) -> int:
        return bucket_of(self.owner)

    @property
    def principal(self) -> Principal:
        return Principal("citizen", self.id, SCOPES[Role.CITIZEN], self.owner)

    def headers(self, app: FastAPI, *, lifetime: timedelta = LIFETIME) -> dict[str, str]:
        """Ask as this citizen."""
        token = app.state.tokens.issue(self.principal, at=now(), lifetime=lifetime)
        return {"authorization": f"Bearer {token}"}


def clerk_headers(app: FastAPI, role: Role = Role.OPERATOR) -> dict[str, str]:
    """Ask as a clerk of one role."""
    clerk = Principal("clerk", UUID(int=list(Role).index(role) + 1), SCOPES[role])
    token = app.state.tokens.issue(clerk, at=now())
    return {"authorization": f"Bearer {token}"}


def citizens(db: Database, keys: Keys, sender: Provider, *cards: str) -> list[Somebody]:
    """Enrol cards with a provider of metro rides, a citizen each."""
    people(db, keys, sender, list(cards), choice=METRO)
    return [somebody(db, keys, sender, card) for card in cards]


def somebody(db: Database, keys: Keys, sender: Provider, card: str) -> Somebody:
    """Give the citizen whom a card belongs to."""
    number = keys.subject_hash(sender.code, card)
    owner, id_ = one(
        db,
        "select s.account, s.public_id from instrument i join subject s"
        " on s.bucket = i.bucket and s.account = i.account"
        " where i.provider = %s and i.number = %s",
        sender.id,
        number,
    )
    return Somebody(owner, id_)


def operator(db: Database, code: str = "metro") -> Provider:
    """Open a provider, from long ago."""
    at = TODAY - timedelta(days=400)
    return db.transact(add_provider, code, name_zh="地铁", name_en="Metro", at=at)


def ride(
    number: int,
    card: str,
    *,
    at: datetime | None = None,
    km: str = "10",
    evidence: Evidence = Evidence.PROVIDER_MEASURED,
    **more: Any,  # noqa: ANN401 -- any field
) -> Item:
    """Tell one metro ride, on its own hour of yesterday unless told when."""
    inputs: dict[str, Value] = {"distance": Decimal(km)}
    return Item(
        line=number,
        external_id=f"ride-{number}",
        subject=card,
        occurred_at=at or TODAY - timedelta(hours=1 + number % 20),
        evidence=evidence,
        inputs=inputs,
        **more,
    )


def tell(
    db: Database,
    keys: Keys,
    sender: Provider | str,
    items: Iterable[Item],
    **more: Any,  # noqa: ANN401 -- any argument
) -> UploadResult:
    """Take rides in, now."""
    return send(db, keys, sender, items, METRO, **more)


def acts_of(db: Database, who: Somebody) -> list[str]:
    """Give the public ids of somebody's acts, in the order in which they were told."""
    found = rows(
        db,
        "select id from activity where bucket = %s and account = %s order by id",
        who.bucket,
        who.owner,
    )
    return [public_id("act", id_) for (id_,) in found]
