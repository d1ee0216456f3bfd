"""Partners and their keys (合作机构与公钥): whose machine may ask for what, by which key, when.

A key is never replaced in place: rotation puts a new one in force and ends the others after an
overlap, in which the partner's machines change over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.scopes import Scope
from app.kernel.tokens import PREFIXES
from app.partners.errors import PartnerKeyTaken, PartnerKeyUnknown, PartnerUnknown

PARTNER_SCOPES: Final = frozenset({Scope.AUDIT_READ, Scope.WEBHOOKS_MANAGE})
"""All that a machine may be given: an auditor's follows the desk's log, others are told things."""


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation whose machines call the API (合作机构)."""

    id: UUID
    name: str
    scopes: frozenset[Scope]
    opened_at: datetime
    suspended_at: datetime | None = None

    @property
    def public(self) -> str:
        """The public id, which is the machine's ``client_id``."""
        return public_id(PREFIXES["partner"], self.id)


@dataclass(frozen=True, slots=True)
class PartnerKey:
    """A public key of a partner."""

    kid: str
    algorithm: str
    """``EdDSA`` or ``ES256``: the key says which, never the assertion."""
    public_key: bytes
    """DER, SubjectPublicKeyInfo."""
    valid_from: datetime
    valid_to: datetime | None = None


_COLUMNS: Final = "p.id, p.name, p.scopes, p.opened_at, p.suspended_at"
_KEY: Final = "k.kid, k.algorithm, k.public_key, k.valid_from, k.valid_to"
_ADD: Final = "insert into partner (id, name, scopes, opened_at) values (%s, %s, %s, %s)"
_FIND: Final = f"select {_COLUMNS} from partner p where p.id = %s"  # noqa: S608 -- columns of our own
_LIST: Final = f"""
select {_COLUMNS} from partner p where (%s::uuid is null or p.id > %s) order by p.id limit %s"""  # noqa: S608 -- likewise
_SUSPEND: Final = "update partner set suspended_at = coalesce(suspended_at, %s) where id = %s"
_ADD_KEY: Final = """
insert into partner_key (partner, kid, algorithm, public_key, valid_from)
values (%s, %s, %s, %s, %s) on conflict (partner, kid) do nothing"""
_KEYS: Final = f"""
select {_KEY} from partner_key k where k.partner = %s order by k.valid_from, k.kid"""  # noqa: S608 -- likewise
_KEY_IN_FORCE: Final = f"""
select {_KEY} from partner_key k join partner p on p.id = k.partner
 where k.partner = %s and k.kid = %s and p.suspended_at is null
   and k.valid_from <= %s and (k.valid_to is null or k.valid_to > %s)"""  # noqa: S608 -- likewise
_END_OTHERS: Final = """
update partner_key set valid_to = greatest(%s, valid_from)
 where partner = %s and kid <> %s and (valid_to is null or valid_to > %s)"""
_END: Final = """
update partner_key set valid_to = greatest(%s, valid_from)
 where partner = %s and kid = %s and (valid_to is null or valid_to > %s)"""
_SWEEP: Final = "delete from partner_assertion where kept_until < %s"
_USE: Final = """
insert into partner_assertion (partner, jti, kept_until) values (%s, %s, %s)
on conflict (partner, jti) do nothing"""


def add_partner(session: Session, partner: Partner, key: PartnerKey) -> None:
    """Open a partner with its first key."""
    row = (partner.id, partner.name, sorted(partner.scopes), partner.opened_at)
    driver(session).execute(_ADD, row)
    add_key(session, partner.id, key)


def add_key(session: Session, partner: UUID, key: PartnerKey) -> None:
    """Put a key in force beside those that are.

    Raises:
        PartnerKeyTaken: The partner used its id before.
    """
    row = (partner, key.kid, key.algorithm, key.public_key, key.valid_from)
    if driver(session).execute(_ADD_KEY, row).rowcount == 0:
        raise PartnerKeyTaken(kid=key.kid)


def rotate_key(session: Session, partner: UUID, key: PartnerKey, *, old_until: datetime) -> None:
    """Put a key in force and let every other end at ``old_until``.

    Raises:
        PartnerKeyTaken: As in :func:`add_key`.
    """
    add_key(session, partner, key)
    driver(session).execute(_END_OTHERS, (old_until, partner, key.kid, old_until))


def revoke_key(session: Session, partner: UUID, kid: str, *, at: datetime) -> None:
    """End a key at once.

    Raises:
        PartnerKeyUnknown: It is not in force.
    """
    if driver(session).execute(_END, (at, partner, kid, at)).rowcount == 0:
        raise PartnerKeyUnknown


def suspend_partner(session: Session, partner: UUID, *, at: datetime) -> None:
    """Give a partner's machines no token any more. Idempotent."""
    driver(session).execute(_SUSPEND, (at, partner))


def find_partner(session: Session, partner: UUID | None) -> Partner:
    """Give a partner.

    Raises:
        PartnerUnknown: There is none.
    """
    row = None if partner is None else driver(session).execute(_FIND, (partner,)).fetchone()
    if row is None:
        raise PartnerUnknown
    return _partner(*row)


def partners(
    session: Session, *, after: UUID | None, limit: int
) -> Sequence[tuple[Partner, Sequence[PartnerKey]]]:
    """List partners with their keys, in the order of their admission."""
    rows = driver(session).execute(_LIST, (after, after, limit)).fetchall()
    return [(_partner(*row), keys_of(session, row[0])) for row in rows]


def keys_of(session: Session, partner: UUID) -> Sequence[PartnerKey]:
    """List a partner's keys, ended ones too."""
    rows = driver(session).execute(_KEYS, (partner,)).fetchall()
    return [PartnerKey(*row) for row in rows]


def key_in_force(session: Session, partner: UUID, kid: str, *, at: datetime) -> PartnerKey | None:
    """Give the key of a partner who is not suspended, if it is in force."""
    row = driver(session).execute(_KEY_IN_FORCE, (partner, kid, at, at)).fetchone()
    return None if row is None else PartnerKey(*row)


def use_assertion(session: Session, partner: UUID, jti: str, *, ends_at: datetime) -> bool:
    """Use an assertion up; says whether it was fresh."""
    return driver(session).execute(_USE, (partner, jti, ends_at)).rowcount > 0


def sweep_assertions(session: Session, *, before: datetime) -> int:
    """Forget assertions that have ended; gives how many rows went."""
    return driver(session).execute(_SWEEP, (before,)).rowcount


def _partner(
    id_: UUID, name: str, scopes: Iterable[str], opened_at: datetime, suspended_at: datetime | None
) -> Partner:
    return Partner(id_, name, frozenset(Scope(each) for each in scopes), opened_at, suspended_at)
