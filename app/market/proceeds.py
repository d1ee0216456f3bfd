"""Proceeds (收入): what a buyer pays reaches those whose milligrams were sold.

Units of the operator's are made of what citizens exchanged for points: the money goes to the
budgets of the programmes that paid those points, in proportion to their milligrams of the batch,
and so pays for the mall: the closed loop (闭环消纳). What came through no programme whose points
claim money is the operator's own. A reseller's money is the reseller's.

An owner's acts of one class are not told apart by programme: who exchanged through two has part
of each in every batch, as they exchanged (docs/decisions/0037).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.books import Row, asset_ids, post
from app.kernel.clock import day_of
from app.kernel.db import Connection, driver
from app.market.errors import SharesUntrue
from app.market.purchases import Purchase
from app.market.rules import split
from app.organisations import OrganisationKind, find_organisation
from app.points import fund, programmes
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.assets import MG_PER_KG, Money
from ledger.chart import Code

NewId = Callable[[], UUID]
SOURCE: Final = "减排量销售 Sale of units"
"""As the public figures of a programme name where the money came from."""
BANK: Final = SYSTEM_ACCOUNTS["bank"]
YUAN: Final = Money()
_SHARES: Final = """
select programme, mg from batch_share where batch = %s order by programme nulls last"""
_LOCK: Final = "select quantity_kg from issue_batch where id = %s for no key update"
_ISSUED: Final = """
select coalesce(sum(upper(r.place * b.series) - lower(r.place * b.series)), 0)::int8
  from issued_row r join issue_batch b on b.reduction = r.asset and b.series && r.place
 where b.id = %s"""
_WEIGHTS: Final = """
with held as (
  select r.bucket, r.account, sum(upper(r.place * b.series) - lower(r.place * b.series)) as mg
    from issued_row r join issue_batch b on b.reduction = r.asset and b.series && r.place
   where b.id = %(batch)s group by r.bucket, r.account),
through as (
  select k.bucket, k.account, e.programme, sum(k.mg) as mg
    from exchange_class k
    join exchange e on e.bucket = k.bucket and e.account = k.account and e.id = k.exchange
    join issue_batch b on b.reduction = k.asset
   where b.id = %(batch)s group by k.bucket, k.account, e.programme),
whole as (select bucket, account, sum(mg) as mg from through group by bucket, account)
select case when p.fen_per_point > 0 then p.id end as programme,
       round(sum(h.mg * coalesce(t.mg, 1) / coalesce(w.mg, 1)) * 1000)::numeric as weight
  from held h
  left join whole w on w.bucket = h.bucket and w.account = h.account
  left join through t on t.bucket = h.bucket and t.account = h.account
  left join programme p on p.id = t.programme
 group by 1 order by 1 nulls last"""
_KEEP: Final = """
insert into batch_share (batch, programme, mg) select %s, * from unnest(%s::int2[], %s::int8[])"""
_NOTE: Final = """
insert into proceeds (transfer, purchase, programme, organisation, mg, fen, recorded_on)
values (%s, %s, %s, %s, %s, %s, %s)"""


class BatchShare(NamedTuple):
    """Milligrams of a batch that were exchanged through one programme."""

    programme: int | None
    """None: through none whose points claim money."""
    mg: int


class Reached(NamedTuple):
    """What of a payment reaches whom."""

    programme: int | None
    mg: int
    fen: int


def shares_of(session: Session, batch: UUID) -> Sequence[BatchShare]:
    """Give through which programmes a batch was exchanged; counted once, and then kept.

    Raises:
        SharesUntrue: Its acts are not its milligrams; a defect, and nothing was done.
    """
    connection = driver(session)
    if found := _kept(connection, batch):
        return found
    ((quantity_kg,),) = connection.execute(_LOCK, (batch,)).fetchall()
    if found := _kept(connection, batch):
        return found
    whole = quantity_kg * MG_PER_KG
    ((issued_mg,),) = connection.execute(_ISSUED, (batch,)).fetchall()
    if issued_mg != whole:
        raise SharesUntrue(issued_mg=issued_mg, whole_mg=whole)
    weighed = connection.execute(_WEIGHTS, {"batch": batch}).fetchall()
    parts = split(whole, [int(weight) for _, weight in weighed])
    kept = [(programme, mg) for (programme, _), mg in zip(weighed, parts, strict=True) if mg]
    connection.execute(_KEEP, (batch, *map(list, zip(*kept, strict=True))))
    return [BatchShare(*each) for each in kept]


def reached(shares: Sequence[BatchShare], quantity_kg: int, fen: int) -> list[Reached]:
    """Split a payment over the shares of what was sold: the parts are the sum.

    >>> reached([BatchShare(1, 3), BatchShare(None, 1)], 2, 10)[1]
    Reached(programme=None, mg=500000, fen=2)
    """
    weights = [share.mg for share in shares]
    parts = zip(shares, split(quantity_kg * MG_PER_KG, weights), split(fen, weights), strict=True)
    return [Reached(share.programme, mg, part) for share, mg, part in parts]


def distribute(session: Session, purchase: Purchase, *, new_id: NewId, at: datetime) -> None:
    """Let what was paid reach whom it is due; the slices of budgets grow with it."""
    connection, seller = driver(session), find_organisation(session, purchase.seller)
    parts = [Reached(None, purchase.quantity_kg * MG_PER_KG, purchase.due_fen)]
    if seller.kind is OrganisationKind.OPERATOR:
        shares = shares_of(session, purchase.batch)
        parts = reached(shares, purchase.quantity_kg, purchase.due_fen)
    known = programmes(connection)
    for programme, mg, fen in parts:
        if fen == 0:
            continue
        transfer, organisation = new_id(), None
        if programme is None:
            organisation = seller.id
            _earn(connection, seller.owner, fen, transfer=transfer, purchase=purchase.id, at=at)
        else:
            fund(session, known[programme].code, fen, cause=transfer, at=at, sponsor=SOURCE)
        told = (transfer, purchase.id, programme, organisation, mg, fen, day_of(at))
        connection.execute(_NOTE, told)


def _earn(
    connection: Connection,
    owner: int,
    fen: int,
    *,
    transfer: UUID,
    purchase: UUID,
    at: datetime,
) -> None:
    """Take in what an organisation earned."""
    asset, today = asset_ids(connection, [YUAN])[YUAN], day_of(at)
    story = (asset, fen, int(Code.FUND), purchase, today)
    post(connection, [Row(bucket_of(owner), today, transfer, BANK, owner, *story)])


def _kept(connection: Connection, batch: UUID) -> list[BatchShare]:
    return [BatchShare(*row) for row in connection.execute(_SHARES, (batch,)).fetchall()]
