"""Terms of issuance (签发条款): the buffer's share and the size of a sample, set by two people.

Neither has a default: how much a city keeps back against its own mistakes, and how closely it
looks, are decisions. The first signature under them opens the buffer in the books.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import Session

from app.books import open_owners
from app.kernel.db import driver
from app.kernel.scopes import Scope
from app.kernel.secrets import Keys
from app.registry.errors import TermsUnset
from app.staff import Approval, Asking, Deed, Signing, ask, note_act
from app.staff.approvals import Payload
from ledger.accounts import AccountKind

SET: Final = "registry.set_terms"
OBJECT: Final = "issuance"
_IN_FORCE: Final = """
select buffer_permille, sample_rows, set_at from issuance_terms order by id desc limit 1"""
_SET: Final = """
insert into issuance_terms (buffer_permille, sample_rows, asked_by, signed_by, set_at)
values (%s, %s, %s, %s, %s)"""
_BUFFER: Final = "select account from buffer_owner"
_OPEN: Final = "insert into buffer_owner (account, opened_at) values (%s, %s)"
_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('buffer owner', 0))"


class IssuanceTerms(NamedTuple):
    """What holds for lots that are begun and batches that are issued from now on."""

    buffer_permille: int
    """Of each batch, rounded up to a unit."""
    sample_rows: int
    set_at: datetime


def terms_in_force(session: Session) -> IssuanceTerms:
    """Give the newest terms.

    Raises:
        TermsUnset: There are none.
    """
    row = driver(session).execute(_IN_FORCE).fetchone()
    if row is None:
        raise TermsUnset
    return IssuanceTerms(*row)


def ask_terms(
    session: Session, asking: Asking, *, buffer_permille: int, sample_rows: int
) -> Approval:
    """Ask for other terms; the regulator signs.

    Raises:
        ApprovalOpen: Others await their signature.
    """
    payload = {"buffer_permille": buffer_permille, "sample_rows": sample_rows}
    return ask(session, asking, SET, OBJECT, payload, scope=Scope.UNITS_ISSUE)


def set_terms(session: Session, payload: Payload, signing: Signing) -> None:
    """Set them, and open the buffer where there is none."""
    assert signing.keys is not None, "the desk has the keys"
    open_buffer(session, signing.keys, at=signing.at)
    values = (payload["buffer_permille"], payload["sample_rows"])
    people = (signing.asked_by, signing.signed_by, signing.at)
    driver(session).execute(_SET, (*values, *people))
    note_act(session, signing.signed_by, SET, OBJECT, at=signing.at, **payload)


def open_buffer(session: Session, keys: Keys, *, at: datetime) -> int:
    """Give the owner in the books that holds the buffer's units, opening it once."""
    connection = driver(session)
    connection.execute(_LOCK)
    row = connection.execute(_BUFFER).fetchone()
    if row is None:
        (owner,) = open_owners(connection, keys, AccountKind.BUFFER, 1, at=at)
        connection.execute(_OPEN, (owner, at))
        return owner
    return row[0]


def buffer_of(session: Session) -> int:
    """Give the owner in the books that holds the buffer's units.

    Raises:
        TermsUnset: It was not opened, since nobody has set terms.
    """
    row = driver(session).execute(_BUFFER).fetchone()
    if row is None:
        raise TermsUnset
    return row[0]


DEEDS: Final[Mapping[str, Deed]] = {SET: set_terms}
