"""Statements of neutrality (碳中和声明): issued once what was emitted is covered, told as of now.

A statement is a document that never changes; a later one stands beside it. Whether it still holds
is asked anew each time: where a newer inventory or a correction that reached a gift says no, what
is lacking is the first thing that anybody reads (R6).
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from app.kernel.db import driver
from app.neutrality.actions import actions_of
from app.neutrality.gatherings import Gathering, find_gathering
from app.neutrality.neutrality_errors import NotNeutral, StatementUnchanged, StatementUnknown
from app.neutrality.plans import latest_plan
from app.neutrality.standing import Standing, retirements, standing_of
from app.neutrality.statement_document import Document, statement_document
from app.organisations import find_organisation
from ledger.certificate import canonical
from ledger.receipt import Json

ACTIONS_MAX: Final = 1_000
"""A statement names each."""
_COLUMNS: Final = """
gathering, version, inventory, footprint_mg, retired_kg, given_kg, document, digest, issued_at"""
_ISSUE: Final = f"""
insert into neutrality_statement ({_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"""  # noqa: S608 -- columns of our own
_FIND: Final = f"""
select {_COLUMNS} from neutrality_statement
 where gathering = %s and (%s::int is null or version = %s) order by version desc limit 1"""  # noqa: S608 -- likewise


@dataclass(frozen=True, slots=True)
class NeutralityStatement:
    """A statement of neutrality, as it was issued (碳中和声明)."""

    gathering: UUID
    version: int
    inventory: int
    footprint_mg: int
    retired_kg: int
    given_kg: int
    document: bytes
    digest: bytes
    """SHA-256 of the document."""
    issued_at: datetime

    @property
    def told(self) -> Document:
        """The document, read."""
        return json.loads(self.document)


@dataclass(frozen=True, slots=True)
class ShownStatement:
    """A statement, and what is to be said of it now."""

    gathering: Gathering
    statement: NeutralityStatement
    standing: Standing

    @property
    def state(self) -> str:
        """``neutral``, or ``reduced`` where what it claims is not covered any more."""
        return "reduced" if self.standing.lacking_mg else "neutral"

    def status(self, key: Ed25519PrivateKey, *, at: datetime) -> Json:
        """Say how the gathering stands, signed, so that whoever keeps it can hold us to it."""
        status: Json = {
            "state": self.state,
            "gathering": self.gathering.public,
            "version": self.statement.version,
            "digest": self.statement.digest.hex(),
            "footprint_mg": str(self.standing.footprint_mg),
            "covered_mg": str(self.standing.covered_mg),
            "as_of": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        return status | {"signature": key.sign(canonical(status)).hex()}


def issue_statement(session: Session, gathering: Gathering, *, at: datetime) -> NeutralityStatement:
    """State that a locked gathering is neutral.

    Raises:
        InventoryUnknown, PlanUnknown: As ``standing_of`` says.
        NotNeutral: What was retired and given does not cover what was emitted.
        StatementUnchanged: The latest statement has the same figures.
    """
    standing = standing_of(session, gathering)
    if standing.lacking_mg:
        raise NotNeutral(lacking_mg=standing.lacking_mg)
    before = _latest(session, gathering.id)
    version = 1 if before is None else before.version + 1
    figures = (standing.footprint_mg, standing.retired_kg, standing.given_kg)
    if before is not None and (before.footprint_mg, before.retired_kg, before.given_kg) == figures:
        raise StatementUnchanged(version=before.version)
    told = statement_document(
        gathering,
        find_organisation(session, gathering.organisation),
        latest_plan(session, gathering.id),
        standing,
        version=version,
        actions=actions_of(session, gathering.id, after=None, limit=ACTIONS_MAX),
        retired=[each for each in retirements(session, gathering) if each.taken_at is not None],
        at=at,
    )
    document = canonical({**told})
    counted = (gathering.id, version, standing.inventory.version, *figures)
    made = NeutralityStatement(*counted, document, sha256(document).digest(), at)
    driver(session).execute(_ISSUE, (*counted, document, made.digest, at))
    return made


def find_statement(
    session: Session, gathering: UUID | None, version: int | None = None
) -> ShownStatement:
    """Give a gathering's statement, the latest where no version is named, and how it stands.

    Raises:
        GatheringUnknown: There is no such gathering.
        StatementUnknown: There is no such statement.
    """
    found = find_gathering(session, gathering, organisation=None)
    statement = _latest(session, found.id, version)
    if statement is None:
        raise StatementUnknown
    return ShownStatement(found, statement, standing_of(session, found))


def _latest(
    session: Session, gathering: UUID, version: int | None = None
) -> NeutralityStatement | None:
    row = driver(session).execute(_FIND, (gathering, version, version)).fetchone()
    return None if row is None else NeutralityStatement(*row)
