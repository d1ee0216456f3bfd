"""Acts, audited (行为审计): every act once, with the transfers that its row implies.

An act's first accrual has the act's own id; what was added or taken back later is a row of
``act_change`` a transfer; a month that settles at once is a row of ``month_settlement``, and what
a project's report accrues a row of ``project_accrual``, which ``projects`` holds to it. What
an owner's day comes to is the capped sum, whatever order the acts arrived in (R9), less what
corrections took: that stays in the sum, so no other act takes its place under the cap.
"""

from typing import Final

from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.catalogue import library_over
from app.kernel.db import Connection
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.chart import Code

_KEY: Final = "(t.bucket, t.recorded_on, t.id) = ({0}.bucket, {0}.recorded_on, {0}.id)"
_TWICE: Final = """
select 'provider ' || provider || ', record ' || encode(external_hash, 'hex'),
       'told once, taken ' || count(*) || ' times'
  from activity group by provider, external_hash having count(*) > 1"""
_KEYS: Final = """
select 'provider ' || k.provider || ', record ' || encode(k.external_hash, 'hex'),
       'its key names act ' || k.activity || ', the record is act ' || a.id
  from activity_key k
  join activity a on (a.provider, a.external_hash) = (k.provider, k.external_hash)
 where (a.bucket, a.account, a.recorded_on, a.id)
       <> (k.bucket, k.account, k.recorded_on, k.activity)
union all
select 'provider ' || k.provider || ', record ' || encode(k.external_hash, 'hex'),
       'commits to another content than its accrual'
  from activity_key k join transfer t on (t.bucket, t.recorded_on, t.id)
                                       = (k.bucket, k.recorded_on, k.activity)
 where t.evidence is not null and t.evidence <> k.content"""
# Or, for an owner who was erased, to nobody (R20).
_LAPSED: Final = f"""(t.code = {int(Code.LAPSE)} and t.target = {SYSTEM_ACCOUNTS["cancelled"]}
         and exists (select from account o where o.bucket = {{0}}.bucket
                        and o.id = {{0}}.account and o.akey is null))"""  # bandit: S608 -- ours
_FIRST: Final = f"""
select 'act ' || a.id, 'its accrual ' || t.amount || ' of asset ' || t.asset || ' to account '
       || t.target || ' is not what the act was worth'
  from activity a join transfer t on {_KEY.format("a")}
 where not (t.code = %s and t.target = a.account or {_LAPSED.format("a")})
    or (t.occurred_on, t.cause) <> (a.occurred_on, a.id)
    or t.asset is distinct from a.asset or t.amount > coalesce(a.raw_mg, 0)"""  # noqa: S608 -- constants of this file
_CHANGED: Final = f"""
select 'act ' || c.activity, 'its change ' || c.id || ' of ' || c.amount_mg
       || case when t.id is null then ' has no transfer' else ' moved ' || t.amount end
  from act_change c left join transfer t on {_KEY.format("c")}
 where t.id is null or t.amount <> abs(c.amount_mg)
    or t.code <> case when c.amount_mg > 0 then %s else %s end
       and not (c.amount_mg > 0 and {_LAPSED.format("c")})
    or c.amount_mg > 0 and t.cause <> c.activity"""  # noqa: S608 -- constants of this file
_MONTHS: Final = f"""
select 'account ' || m.account || ', month ' || m.month, 'settled for ' || m.reduction_mg
       || case when t.id is null then ', and has no transfer' else ', moved ' || t.amount end
  from month_settlement m left join transfer t on {_KEY.format("m")}
 where m.reduction_mg <> coalesce(t.amount, 0)
    or t.id is not null and t.cause <> m.id
    or t.id is not null
       and not (t.code = %s and t.target = m.account or {_LAPSED.format("m")})"""  # noqa: S608 -- constants of this file
_DAYS: Final = f"""
with granted as (
  select a.bucket, a.account, a.occurred_on as day, a.asset, t.amount as mg
    from activity a join transfer t on {_KEY.format("a")}
  union all
  select a.bucket, a.account, a.occurred_on, a.asset, c.amount_mg
    from act_change c
    join activity a on (a.bucket, a.account, a.id) = (c.bucket, c.account, c.activity)),
net as (
  select bucket, account, day, asset, sum(mg) as mg from granted
   where asset is not null group by bucket, account, day, asset),
fate as (
  select distinct on (bucket, account, activity) bucket, account, activity, counted
    from act_merge order by bucket, account, activity, id desc),
corrected as (
  select bucket, account, activity, (array_agg(raw_mg order by id desc))[1] as raw_mg,
         sum(lost_mg) as lost_mg
    from act_correction group by bucket, account, activity),
worth as (
  select a.bucket, a.account, a.occurred_on as day, a.asset, coalesce(sum(c.lost_mg), 0) as lost_mg,
         coalesce(sum(coalesce(c.raw_mg, a.raw_mg)) filter (where f.counted is null), 0)
         + coalesce(sum(c.lost_mg), 0) as raw_mg
    from activity a
    left join fate f on (f.bucket, f.account, f.activity) = (a.bucket, a.account, a.id)
    left join corrected c on (c.bucket, c.account, c.activity) = (a.bucket, a.account, a.id)
   where a.asset is not null group by 1, 2, 3, 4),
published as (
  select x.id as asset, p.cap_mg
    from asset x
    join unnest(%s::text[], %s::int4[], %s::int8[]) as p (methodology, version, cap_mg)
      on (p.methodology, p.version) = (x.methodology, x.version)),
cell as (
  select bucket, account, day, asset, coalesce(w.raw_mg, 0) as raw_mg, d.raw_mg as told_mg,
         d.cap_mg as told_cap, p.asset is not null as is_published,
         coalesce(p.cap_mg, case when p.asset is null then d.cap_mg end) as cap_mg,
         coalesce(n.mg, 0) as mg, coalesce(w.lost_mg, 0) as lost_mg
    from worth w
    full join accrual_day d using (bucket, account, day, asset)
    full join net n using (bucket, account, day, asset)
    left join published p using (asset))
select 'account ' || account || ', day ' || day || ', asset ' || asset,
       'its acts come to ' || raw_mg || ', its row says ' || coalesce(told_mg::text, 'nothing')
       || '; counts ' || least(raw_mg, cap_mg) - lost_mg || ', was granted ' || mg
  from cell
 where mg <> least(raw_mg, cap_mg) - lost_mg and (is_published or told_mg is not null)
    or told_mg <> raw_mg
    or is_published and told_mg is not null and told_cap is distinct from cap_mg"""  # noqa: S608 -- constants of this file
_UNMET: Final = f"""
select (select count(*) from activity),
       (select count(*) from activity_key k where not exists (
          select from activity a where (a.bucket, a.account, a.recorded_on, a.id)
                                     = (k.bucket, k.account, k.recorded_on, k.activity))),
       (select count(*) from transfer t where t.code = %s
           and not exists (select from activity a where {_KEY.format("a")})
           and not exists (select from act_change c where {_KEY.format("c")})
           and not exists (select from month_settlement m where {_KEY.format("m")})
           and not exists (select from project_accrual p where {_KEY.format("p")}))"""  # noqa: S608 -- constants of this file


def check_acts(connection: Connection, sheet: Sheet) -> None:
    """Hold acts, keys, days and months to the transfers that they name."""
    accrue, correct = int(Code.ACCRUE), int(Code.CORRECT)
    for statement, values in (
        (_TWICE, ()),
        (_KEYS, ()),
        (_FIRST, (accrue,)),
        (_CHANGED, (accrue, correct)),
        (_MONTHS, (accrue,)),
        (_DAYS, _caps(connection)),
    ):
        for where, detail in stream(connection, lambda *row: row, statement, *values):
            sheet.find(Kind.ACT, where, detail)
    acts, keys, accruals = connection.execute(_UNMET, (accrue,)).fetchall()[0]
    sheet.checked["acts"] = acts
    if keys:
        sheet.note(Kind.ACT, "activity_key", f"{keys} keys without an act: a retry takes them up")
    if accruals:
        # Books that were never told an act have none to name: a ledger without ingest.
        say = sheet.find if acts or keys else sheet.note
        say(Kind.ACT, "transfer", f"{accruals} accruals that no act names")


def _caps(connection: Connection) -> tuple[list[object], ...]:
    """Give the published versions with their caps: the row's own word for a cap is no proof."""
    documents = library_over(connection).values()
    return (
        [each.code for each in documents],
        [each.version for each in documents],
        [each.cap_mg for each in documents],
    )
