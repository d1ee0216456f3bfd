"""Withdrawing words (撤回与下架): by their owner, without a trace, or by the desk, with one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.books.openings import withdraw_texts
from app.certificates.errors import CertificateUnknown, TextUnknown
from app.certificates.takedowns import PREFIX, TakedownReason
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.once import blank
from app.kernel.tokens import Principal
from app.notices import Notice, NoticeKind, notify
from app.staff import note_act
from ledger.accounts import bucket_of

_OWNER: Final = "select account from certificate where id = %s"
_TAKE_DOWN: Final = """
insert into claim_takedown (subject, name, reason, taken_down_on) values (%s, %s, %s, %s)"""


def withdraw(session: Session, owner: int, certificate: UUID | None, names: Sequence[str]) -> None:
    """Destroy what opens texts of one's own cancellation or retirement, certificate or not yet.

    Raises:
        TextUnknown: There is nothing of it to withdraw.
    """
    if certificate is None or not withdraw_texts(driver(session), owner, certificate, names):
        raise TextUnknown
    (_, _, mention) = public_id(PREFIX, certificate).partition("_")
    blank(session, bucket_of(owner), owner, mention, names)


def take_down(
    session: Session,
    who: Principal,
    certificate: UUID | None,
    name: str,
    reason: TakedownReason,
    *,
    notice: UUID,
    at: datetime,
) -> None:
    """Withdraw a text in its owner's place, for anybody to see; note who did, and tell the owner.

    Raises:
        CertificateUnknown: There is none.
        TextUnknown: There is nothing of it to withdraw.
    """
    row = driver(session).execute(_OWNER, (certificate,)).fetchone()
    if row is None or certificate is None:
        raise CertificateUnknown
    (owner,) = row
    withdraw(session, owner, certificate, [name])
    public, place = public_id(PREFIX, certificate), (bucket_of(owner), owner)
    driver(session).execute(_TAKE_DOWN, (certificate, name, reason, day_of(at)))
    told = Notice(
        *place, notice, NoticeKind.CERTIFICATE_REDACTED, public, {"certificate": public}, at
    )
    notify(driver(session), [told])
    facts = {"text": name, "reason": reason.value}
    note_act(session, who.name, "certificates.take_down", public, at=at, **facts)
