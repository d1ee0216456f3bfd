"""Settlements, audited (结算审计): lines held to what was redeemed, sums to lines, fen to sums.

Every redemption and reversal of a day that is closed is a line of one statement, worth what its
classes of points claim. A statement's programmes paid what it says, its merchant received it, and
its signed text is the one of its lines.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final, NamedTuple

from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from app.settlements import ClaimLine, LineKind, shown_line
from ledger.chart import Code
from ledger.settlement import SettlementUntrue, Verify, check_settlement

# The day after the last one takes what a slow clock recorded, so that day itself is not asked for.
_CLAIMED: Final = """
with claim as (
  select r.bucket, r.account, r.id, r.merchant, p.id as programme, r.recorded_on,
         sum(k.points) as points, sum(k.points * x.fen_per_point) as fen
    from redemption r
    join order_part k
      on (k.bucket, k.account, k.mall_order) = (r.bucket, r.account, r.mall_order)
    join asset x on x.id = k.asset
    join programme p on p.code = x.programme
   group by 1, 2, 3, 4, 5, 6),
due as (
  select 'redemption' as kind, id, merchant, programme, recorded_on, points, fen from claim
  union all
  select 'reversal', c.id, c.merchant, c.programme, v.recorded_on, -c.points, -c.fen
    from claim c
    join reversal v on (v.bucket, v.account, v.redemption) = (c.bucket, c.account, c.id)),
told as (
  select l.kind, l.subject as id, s.merchant, l.programme, l.points, l.fen
    from settlement_line l
    join settlement s on (s.bucket, s.account, s.id) = (l.bucket, l.account, l.settlement)
   where l.kind in ('redemption', 'reversal'))
select kind || ' of redemption ' || id, 'is worth ' || coalesce(d.fen, 0)
       || ' fen to its merchant; its statement says ' || coalesce(t.fen::text, 'nothing')
  from due d full join told t using (kind, id, merchant, programme)
 where (d.points, d.fen) is distinct from (t.points, t.fen)
   and (t.fen is not null or d.recorded_on < (select max(day) from settlement_day))"""
_ADJUSTED: Final = """
select 'adjustment of dispute ' || l.subject, 'is ' || l.fen || ' fen, signed were '
       || coalesce(a.fen, 0)
  from settlement_line l
  left join settlement_adjustment a
    on (a.bucket, a.account, a.dispute, a.programme)
     = (l.bucket, l.account, l.subject, l.programme)
 where l.kind = 'adjustment' and a.fen is distinct from l.fen
union all
select 'statement ' || b.settlement, 'brings ' || b.fen || ' fen that ' || b.subject
       || ' carried as ' || coalesce(c.fen, 0)
  from settlement_line b
  left join settlement_line c
    on (c.bucket, c.account, c.settlement, c.programme, c.kind)
     = (b.bucket, b.account, b.subject, b.programme, 'carried')
 where b.kind = 'brought' and c.fen is distinct from -b.fen"""
_SUMS: Final = """
with summed as (
  select bucket, account, settlement, programme, sum(fen) as gross,
         coalesce(sum(fen) filter (where kind in ('redemption', 'reversal')), 0) as claim,
         coalesce(sum(fen) filter (where kind = 'adjustment' and fen > 0), 0) as granted
    from settlement_line group by 1, 2, 3, 4)
select 'statement ' || settlement, 'programme ' || programme || ': its lines come to '
       || coalesce(l.gross, 0) || ', its share says ' || coalesce(s.gross_fen, 0)
  from summed l full join settlement_share s using (bucket, account, settlement, programme)
 where (l.gross, l.claim, l.granted)
       is distinct from (s.gross_fen, s.claim_fen, s.granted_fen)
union all
select 'statement ' || s.id, 'says ' || s.gross_fen || ' less ' || s.fee_fen
       || '; its shares come to ' || coalesce(sum(h.gross_fen), 0) || ' less '
       || coalesce(sum(h.fee_fen), 0)
  from settlement s
  left join settlement_share h
    on (h.bucket, h.account, h.settlement) = (s.bucket, s.account, s.id)
 group by s.bucket, s.account, s.id
having (s.gross_fen, s.fee_fen)
       is distinct from (coalesce(sum(h.gross_fen), 0), coalesce(sum(h.fee_fen), 0))"""
_PAID: Final = """
with due as (
  select h.settlement, p.budget as owner, h.gross_fen - h.fee_fen as fen
    from settlement_share h join programme p on p.id = h.programme
  union all
  select id, account, net_fen from settlement),
moved as (
  select cause as settlement, greatest(source, target) as owner, sum(amount) as fen
    from transfer where code = %s group by 1, 2)
select 'statement ' || settlement, 'account ' || owner || ' moved ' || coalesce(m.fen, 0)
       || ' fen for it; it says ' || coalesce(d.fen, 0)
  from due d full join moved m using (settlement, owner)
 where coalesce(d.fen, 0) <> coalesce(m.fen, 0)
   and (d.fen is not null or exists (select from settlement))"""
_PAID_OUT: Final = """
with due as (
  select p.settlement, p.account, p.transfer, s.net_fen as fen
    from settlement_payout p
    join settlement s on (s.bucket, s.account, s.id) = (p.bucket, p.account, p.settlement)),
moved as (
  select t.cause as settlement, t.source as account, t.id as transfer, t.amount as fen
    from transfer t join merchant m on m.account = t.source where t.code = %s)
select 'payout of ' || settlement, 'says ' || coalesce(d.fen, 0) || ' fen, its transfer moved '
       || coalesce(m.fen, 0)
  from due d full join moved m using (settlement, account, transfer)
 where d.fen is distinct from m.fen"""
_NOTED: Final = """
with paid as (
  select 'statement ' || settlement as what, reference, transfer from settlement_payout
  union all
  select 'an organisation', reference, transfer from proceeds_payout)
select coalesce(p.what, 'bank payment ' || b.known_as), 'transfer ' || transfer || ' was paid by '
       || coalesce(p.reference, 'nothing') || ', noted is ' || coalesce(b.known_as, 'nothing')
  from paid p full join bank_payment b using (transfer)
 where b.known_as is distinct from normal_reference(p.reference)"""
_LINES: Final = """
select s.id, s.statement, s.signature, p.code, l.place, l.kind, l.subject, l.programme, l.offer,
       l.at, l.points, l.fen
  from settlement s
  join settlement_line l on (l.bucket, l.account, l.settlement) = (s.bucket, s.account, s.id)
  join programme p on p.id = l.programme
 order by s.bucket, s.account, s.id, l.place"""


class _Told(NamedTuple):
    """A line beside the text that was signed."""

    settlement: object
    statement: bytes
    signature: bytes
    line: dict[str, Any]


def check_settlements(connection: Connection, sheet: Sheet, verify: Verify) -> None:
    """Hold statements to redemptions, to their own lines, to transfers and to their signature."""
    for statement, values in (
        (_CLAIMED, ()),
        (_ADJUSTED, ()),
        (_SUMS, ()),
        (_PAID, (int(Code.SETTLE),)),
        (_PAID_OUT, (int(Code.PAY_OUT),)),
        (_NOTED, ()),
    ):
        for where, detail in stream(connection, lambda *row: row, statement, *values):
            sheet.find(Kind.SETTLEMENT, where, detail)
    statements = groupby(stream(connection, _told, _LINES), key=lambda each: each[:3])
    for (settlement, text, signature), lines in sheet.counted("settlements", statements):
        for step in _untrue(text, signature, lines, verify):
            sheet.find(Kind.SETTLEMENT, f"statement {settlement}", f"its {step} is not true")


def _untrue(text: bytes, signature: bytes, lines: Iterable[_Told], verify: Verify) -> Iterator[str]:
    document = {
        "statement": bytes(text).decode(),
        "signature": b64encode(signature).decode(),
        "lines": [each.line for each in lines],
    }
    try:
        check_settlement(document, verify)
    except SettlementUntrue as verdict:
        yield str(verdict)
    except (KeyError, TypeError, ValueError):
        yield "text"


def _told(
    settlement: object,
    statement: bytes,
    signature: bytes,
    code: str,
    place: int,
    kind: str,
    *line: Any,  # noqa: ANN401 -- columns of the statement
) -> _Told:
    found = ClaimLine(LineKind(kind), *line)
    return _Told(settlement, statement, signature, shown_line(found, place, code))
