"""Redeeming (核销): a till reads a voucher, and its points are the merchant's claim.

One call of the schema's ``redeem_voucher`` does all of it. It may be asked as often as a till
likes: a voucher that this merchant redeemed before is told with its first time, to every till the
same; another merchant's looks unknown.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.limits import Limit, LimitExceeded, look, take
from app.kernel.once import KEPT
from app.kernel.secrets import Keys
from app.mall.order_errors import (
    CodeMistyped,
    RedemptionUnknown,
    TriesSpent,
    VoucherUnknown,
    refusal_of,
)
from app.mall.vouchers import Shown, code_hash, is_fresh, is_genuine, key_of, read_printed
from app.merchants.errors import TillClosed

TRIES: Final = Limit("till.tries", 10, timedelta(hours=1))
"""Printed codes that do not exist, by one till."""
REDEEM: Final = """
select outcome, voucher, offer, title_zh, title_en, quantity, points, fen, claim_fen, redeemed_at,
       till
  from redeem_voucher(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_OPEN: Final = """
select t.merchant from till t join merchant m on m.id = t.merchant
 where t.id = %s and t.revoked_at is null and t.shift_ends_at > %s and m.suspended_at is null"""
_PLACE: Final = "select bucket, account from voucher_place where voucher = %s"
_FIND: Final = """
select o.state, r.id, o.offer, o.title_zh, o.title_en, o.quantity, o.points, o.fen, r.claim_fen,
       r.redeemed_at, r.till
  from redemption r
  join mall_order o
    on o.bucket = r.bucket and o.account = r.account and o.id = r.mall_order
 where r.bucket = %s and r.account = %s and r.id = %s and r.merchant = %s"""


class Asked(NamedTuple):
    """A till's request: who asks, under which key, and what makes it the same request."""

    till: UUID
    name: str
    """The till's public id."""
    key: str | None
    request: bytes | None


class Redemption(NamedTuple):
    """A redeemed voucher, as its merchant may see it."""

    outcome: str
    """``redeemed`` now, or ``before``; where it is looked up, the order's state."""
    id: UUID
    offer: UUID
    title_zh: str
    title_en: str
    quantity: int
    points: int
    fen: int
    """To be paid at the till besides."""
    claim_fen: int
    redeemed_at: datetime
    till: UUID | None


def facts_of_shown(
    keys: Keys, asked: Asked, shown: Shown, *, moved: UUID, at: datetime
) -> tuple[object, ...]:
    """Give the arguments of ``REDEEM`` for a QR text; ``moved`` is the id of its transfers.

    Raises:
        VoucherUnknown: Whoever made it did not know the voucher's key.
    """
    if not is_genuine(key_of(keys, shown.voucher), shown):
        raise VoucherUnknown
    return facts_of(asked, moved, at, voucher=shown.voucher, is_fresh=is_fresh(shown, at))


def redeem_printed(
    session: Session, keys: Keys, asked: Asked, text: str, *, moved: UUID, at: datetime
) -> tuple[object, ...]:
    """Redeem by a printed code, unless this till has guessed too often; count what was a guess.

    Raises:
        CodeMistyped, TriesSpent: See their own words.
    """
    code = read_printed(text)
    if code is None:
        raise CodeMistyped
    use = (TRIES, keys.voucher_hash("till", asked.till.bytes))
    try:
        look(session, use, at=at)
    except LimitExceeded as error:
        raise TriesSpent(retry_after_s=error.left.reset_s) from None
    facts = facts_of(asked, moved, at, code=code_hash(keys, code))
    row = driver(session).execute(REDEEM, facts).fetchone()
    assert row is not None
    if row[0] == VoucherUnknown.code:
        take(session, [use], at=at)
    return row


def facts_of(
    asked: Asked,
    moved: UUID,
    at: datetime,
    *,
    voucher: UUID | None = None,
    code: bytes | None = None,
    is_fresh: bool = True,
    offline_at: datetime | None = None,
) -> tuple[object, ...]:
    """Put the arguments of ``redeem_voucher`` in their order."""
    return (
        *(voucher, code, is_fresh, asked.till, asked.name, asked.key, asked.request),
        *(moved, at, day_of(at), at + KEPT, offline_at),
    )


def told(row: tuple[object, ...]) -> Redemption:
    """Give what came of it.

    Raises:
        Refusal: Of the code that the function gave.
    """
    if row[0] not in {"redeemed", "before"}:
        raise refusal_of(str(row[0]))
    return Redemption(*row)  # type: ignore[arg-type] -- columns of the function's row


def find_redemption(session: Session, till: UUID, redemption: UUID, *, at: datetime) -> Redemption:
    """Find a redemption for an open till of its merchant.

    Raises:
        TillClosed, RedemptionUnknown: See their own words.
    """
    connection = driver(session)
    merchant = connection.execute(_OPEN, (till, at)).fetchone()
    if merchant is None:
        raise TillClosed
    place = connection.execute(_PLACE, (redemption,)).fetchone()
    facts = (*(place or (None, None)), redemption, *merchant)
    row = connection.execute(_FIND, facts).fetchone()
    if row is None:
        raise RedemptionUnknown
    return Redemption(*row)
