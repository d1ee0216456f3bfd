"""Statements that a person holds (个人持有的声明): at least so much, for one purpose and reader.

A statement says a published number that the person chose and that their rows reach, never the
number itself, and no act. It ends, it can be revoked, and each check of it is noted for its
holder to see. The token is the answer to one request and is kept nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from app.citizens import lock_citizen
from app.growth import sd_jwt
from app.growth.errors import (
    StatementMany,
    StatementNotHeld,
    StatementRange,
    StatementUnknown,
)
from app.growth.published import SCORE_MAX, ScoreDocument, in_force, score_documents
from app.growth.reading import year_of
from app.growth.scoring import scored
from app.growth.status_list import SHIFT
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.secrets import key_id
from app.kernel.tokens import Principal
from ledger.assets import MG_PER_KG

VALID_MAX: Final = 20
TYPE: Final = "urn:tanpu:statement:1"
STATUS_PATH: Final = "/v1/public/statement-status/"

_PLACE: Final = "select nextval('statement_place')"
_HELD: Final = """
select count(*) from statement
 where bucket = %s and account = %s and revoked_at is null and expires_at > %s"""
_ADD: Final = """
insert into statement (id, bucket, account, place, purpose, audience, kg_at_least,
  score_at_least, issued_at, expires_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_COLUMNS: Final = """
select id, purpose, audience, kg_at_least, score_at_least, issued_at, expires_at, revoked_at
  from statement where bucket = %s and account = %s and id < %s order by id desc limit %s"""
_REVOKE: Final = """
update statement set revoked_at = coalesce(revoked_at, %s)
 where bucket = %s and account = %s and id = %s"""
_CHECKS: Final = """
select minute, verifier, outcome, times from statement_check
 where bucket = %s and account = %s and statement = %s
   and (minute, verifier, outcome) < (%s, %s, %s)
 order by minute desc, verifier desc, outcome desc limit %s"""
_OWN: Final = "select 1 from statement where bucket = %s and account = %s and id = %s"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants stated."""

    purpose: str
    audience: str
    """Who it is for, as that reader calls itself."""
    days: int
    kg_at_least: int | None
    score_at_least: int | None


@dataclass(frozen=True, slots=True)
class Seal:
    """What a statement is sealed with: the issuer's name and key, and a salt for each claim."""

    issuer: str
    """The origin of the ledger; its first part is the host that serves the status lists."""
    key: Ed25519PrivateKey
    salts: tuple[str, str]

    @property
    def status_host(self) -> str:
        """Where the status lists are."""
        return f"https://{self.issuer.split('/', 1)[0]}"


class Statement(NamedTuple):
    """A statement as its holder sees it in the list; without its token."""

    id: UUID
    purpose: str
    audience: str
    kg_at_least: int | None
    score_at_least: int | None
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class Check(NamedTuple):
    """That somebody checked a statement, in one minute."""

    minute: datetime
    verifier: str
    outcome: str
    times: int


def issue_statement(
    session: Session, who: Principal, wish: Wish, seal: Seal, *, statement: UUID, at: datetime
) -> tuple[Statement, str]:
    """State what a person's rows hold; gives the statement and its token.

    Raises:
        TokenInvalid: The person was erased.
        StatementRange: A number is not a published one, or it would last too long.
        StatementMany: The person holds as many as a person may.
        StatementNotHeld: The rows do not show as much.
    """
    connection, document = driver(session), in_force(score_documents(), day_of(at))
    _in_range(document, wish)
    lock_citizen(session, who.bucket, who.owner)
    held = connection.execute(_HELD, (who.bucket, who.owner, at)).fetchone()
    if held is not None and held[0] >= VALID_MAX:
        raise StatementMany(valid_max=VALID_MAX)
    year = year_of(session, who.bucket, who.owner, day_of(at))
    score = scored(document, year)
    if (wish.kg_at_least or 0) * MG_PER_KG > year.amount_mg:
        raise StatementNotHeld
    if (wish.score_at_least or 0) > (0 if score is None else score.points):
        raise StatementNotHeld
    row = connection.execute(_PLACE).fetchone()
    assert row is not None
    made = Statement(
        statement,
        wish.purpose,
        wish.audience,
        wish.kg_at_least,
        wish.score_at_least,
        at,
        at + timedelta(days=wish.days),
        None,
    )
    facts = (*made[1:5], made.issued_at, made.expires_at)
    connection.execute(_ADD, (statement, who.bucket, who.owner, row[0], *facts))
    return made, token_of(made, document, seal, place=row[0])


def token_of(made: Statement, document: ScoreDocument, seal: Seal, *, place: int) -> str:
    """Write a statement as an SD-JWT: a function of what was chosen, and of nothing else."""
    number, index = place >> SHIFT, place & ((1 << SHIFT) - 1)
    claims = {
        "iss": f"https://{seal.issuer}",
        "aud": made.audience,
        "iat": int(made.issued_at.timestamp()),
        "exp": int(made.expires_at.timestamp()),
        "jti": public_id("stm", made.id),
        "vct": TYPE,
        "purpose": made.purpose,
        "status": {
            "status_list": {"idx": index, "uri": f"{seal.status_host}{STATUS_PATH}{number}"}
        },
    }
    rules = {"code": document.code, "version": document.version, "sha256": document.sha256}
    said = {
        "reduction_12_months": {"at_least_kg": made.kg_at_least},
        "score": {"at_least": made.score_at_least, "of": SCORE_MAX, "rules": rules},
    }
    chosen = (made.kg_at_least, made.score_at_least)
    hidden = [
        (salt, name, value)
        for salt, (name, value), number in zip(seal.salts, said.items(), chosen, strict=True)
        if number is not None
    ]
    return sd_jwt.issue(claims, hidden, seal.key, key_id(seal.key))


def statements_before(
    session: Session, who: Principal, before: UUID, limit: int
) -> Sequence[Statement]:
    """List a person's statements older than one, the newest first."""
    rows = driver(session).execute(_COLUMNS, (who.bucket, who.owner, before, limit)).fetchall()
    return [Statement(*row) for row in rows]


def revoke_statement(session: Session, who: Principal, statement: UUID, *, at: datetime) -> None:
    """Revoke a statement, for ever. Idempotent.

    Raises:
        StatementUnknown: There is none, or it is another person's.
    """
    facts = (at, who.bucket, who.owner, statement)
    if driver(session).execute(_REVOKE, facts).rowcount == 0:
        raise StatementUnknown


def checks_before(
    session: Session, who: Principal, statement: UUID, before: tuple[datetime, str, str], limit: int
) -> Sequence[Check]:
    """List the checks of a person's statement, the newest first.

    Raises:
        StatementUnknown: There is none, or it is another person's.
    """
    connection, own = driver(session), (who.bucket, who.owner, statement)
    if connection.execute(_OWN, own).fetchone() is None:
        raise StatementUnknown
    rows = connection.execute(_CHECKS, (*own, *before, limit)).fetchall()
    return [Check(*row) for row in rows]


def _in_range(document: ScoreDocument, wish: Wish) -> None:
    may = document.statement
    if wish.days > may.days_max:
        raise StatementRange(days_max=may.days_max)
    if wish.kg_at_least not in {None, *may.kg_at_least}:
        raise StatementRange(kg_at_least=" ".join(map(str, may.kg_at_least)))
    if wish.score_at_least not in {None, *may.score_at_least}:
        raise StatementRange(score_at_least=" ".join(map(str, may.score_at_least)))
