"""Cancellations, audited (自愿注销审计): held to their transfers, their claims, their certificates.

A cancellation that was posted has one transfer a class, with the commitment to its claim, which its
rows alone give again; one that was not has none. One that is final has a certificate, and what a
certificate says is what was posted.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.cancellations.posting import claim_of
from app.cancellations.queries import COLUMNS, CancelledPart, reduction_of, row_of
from app.kernel.db import Connection
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.certificate import canonical, claim_commit
from ledger.chart import Code

_MOVED: Final = """
with due as (
  select c.bucket, p.transfer, c.id, c.account, p.asset, p.mg, c.posted_on
    from cancellation c
    join cancellation_part p
      on p.bucket = c.bucket and p.account = c.account and p.cancellation = c.id
   where c.posted_at is not null),
moved as (
  select t.bucket, t.id as transfer, t.cause, t.source, t.asset, t.amount, t.recorded_on
    from transfer t where t.code = %s and t.target = %s and t.evidence is not null)
select coalesce('cancellation ' || d.id, 'transfer ' || transfer),
       case when d.id is null then 'gives up what nobody asked for'
            when m.cause is null then 'was posted, and lacks a transfer'
            else 'and its transfer are not of the same grams, day or owner' end
  from due d full join moved m using (bucket, transfer)
 where (d.id, d.account, d.asset, d.mg, d.posted_on)
       is distinct from (m.cause, m.source, m.asset, m.amount, m.recorded_on)"""
_SUMS: Final = """
select 'cancellation ' || c.id, 'is of ' || c.mg || ' mg; its parts come to '
       || coalesce(sum(p.mg), 0)
  from cancellation c
  left join cancellation_part p
    on p.bucket = c.bucket and p.account = c.account and p.cancellation = c.id
 group by c.bucket, c.account, c.id having c.mg <> coalesce(sum(p.mg), 0)"""
_ISSUED: Final = """
with final as (select bucket, id from cancellation where finalized_at is not null),
issued as (select bucket, id from certificate where kind = 'reduction')
select case when f.id is null then 'certificate ' || id else 'cancellation ' || id end,
       case when f.id is null then 'is of no cancellation that is final'
            else 'is final, and has no certificate' end
  from final f full join issued i using (bucket, id) where f.id is null or i.id is null"""
_POSTED: Final = f"""
select {", ".join(f"c.{name.strip()}" for name in COLUMNS.split(","))},
       p.asset, x.methodology, x.version, x.scenario, x.grade, x.vintage, p.mg, p.transfer, p.salt,
       t.evidence, i.claim
  from cancellation c
  join cancellation_part p
    on p.bucket = c.bucket and p.account = c.account and p.cancellation = c.id
  join asset x on x.id = p.asset
  left join transfer t
    on t.bucket = c.bucket and t.recorded_on = c.posted_on and t.id = p.transfer
  left join certificate i on i.bucket = c.bucket and i.id = c.id
 where c.posted_at is not null order by c.id, x.vintage, p.asset"""  # noqa: S608 -- columns of our own
_ROW: Final = COLUMNS.count(",") + 1


def check_cancellations(connection: Connection, sheet: Sheet) -> None:
    """Hold cancellations to their transfers, their claims and their certificates."""
    moved = (int(Code.CANCEL), SYSTEM_ACCOUNTS["cancelled"])
    for statement, values in ((_MOVED, moved), (_SUMS, ()), (_ISSUED, ())):
        for where, detail in stream(connection, lambda *row: row, statement, *values):
            sheet.find(Kind.CANCELLATION, where, detail)
    posted = groupby(stream(connection, lambda *row: row, _POSTED), itemgetter(0))
    for id_, rows in sheet.counted("cancellations", posted):
        for fault in _faults([*rows]):
            sheet.find(Kind.CANCELLATION, f"cancellation {id_}", fault)


def _faults(rows: list[tuple[Any, ...]]) -> Iterator[str]:
    """Say what of one that was posted is not what its rows give."""
    parts = [
        CancelledPart(asset, reduction_of(*of), mg, transfer, bytes(salt))
        for asset, *of, mg, transfer, salt in (row[_ROW:-2] for row in rows)
    ]
    claim = claim_of(row_of(*rows[0][:_ROW]), parts)
    for part, row in zip(parts, rows, strict=True):
        if row[-2] != claim_commit(part.salt, claim):
            yield "its transfers do not carry its claim"
    if rows[0][-1] not in {None, canonical(claim).decode()}:
        yield "its certificate says something else"
