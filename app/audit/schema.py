"""The schema, audited (结构审计): the guards that make the laws hold between two audits.

Triggers and grants that keep rows append-only, on every partition; the chart of accounts in
the database against the one in the core; partitions for the month to come.
"""

import re
from collections.abc import Iterator
from typing import Final

from app.audit.report import Kind, Sheet
from app.books.places import chart_keys
from app.kernel.db import Connection
from app.migrations import functions, triggers
from ledger.accounts import SYSTEM_NAMES

APPEND_ONLY: Final = frozenset(
    {"system_account", "asset", "transfer", "log_note"}
    | {"epoch_cut", "epoch", "log_entry", "log_edge", "account_leaf", "cell", "supply"}
    | {"submission", "registry_submission", "methodology_version"}
    | {"upload", "upload_chunk", "upload_receipt"}
    | {"act_correction", "correction_batch", "sandbox_advance"}
    | {"act_merge", "act_change", "month_settlement", "audit_entry"}
    | {"exchange", "exchange_class", "exchange_recovery", "behaviour_act", "debt_total"}
    | {"methodology_document", "methodology_withdrawal", "methodology_anchor", "factor_correction"}
    | {"factor_correction_part", "factor_correction_report", "methodology_proposal"}
    | {"methodology_standing", "closed_asset"}
    | {"proposal_revision", "proposal_review", "shadow_run", "shadow_part"}
    | {
        "team",
        "challenge",
        "offer_published",
        "order_part",
        "redemption",
        "reversal",
        "reversal_request",
    }
    | {"settlement", "settlement_line", "settlement_share", "settlement_adjustment"}
    | {"settlement_final", "settlement_payout", "settlement_day", "bank_payment"}
    | {"public_cancellation", "programme_sponsor"}
    | {"quote", "payment", "batch_share", "proceeds", "proceeds_payout"}
    | {"project_accrual"}
    | {"purpose_passport", "surrender_ratio", "surrender_obligation"}
    | {"campaign_simulation", "campaign_outcome", "benefit_gift", "benefit_order"}
    | {"cancellation_part", "certificate", "claim_takedown", "conservation"}
    | {"recall", "recall_batch", "recall_sweep", "recall_used"}
    | {"recall_void", "recall_told", "recall_given"}
    | {"issuance_terms", "buffer_owner", "lot_leaf", "lot_tile", "lot_report", "lot_sample"}
    | {"sampled_row", "lot_finding", "lot_decision", "replacement"}
    | {"lot_row", "issued_row", "issued_shortfall"}
    | {"inventory", "gathering_plan", "gathering_action", "survey_ticket"}
    | {"true_up", "neutrality_statement", "share_issue", "gathering_gift", "claim_side"}
    | {"side_ticket"}
)
FORGET_ONLY: Final = frozenset({"activity"})
"""Append-only, except that erasure forgets quantities."""
ROLES: Final = ("tanpu_app", "tanpu_worker", "tanpu_audit")

FORGETTABLE: Final = ("inputs", "place", "source_occurred_at")
"""What the worker may empty of an act."""
HELD: Final = (
    ("account", "account_check"),
    ("activity_key", "activity_key_pkey"),
    ("approval", "approval_four_eyes"),
    ("asset", "asset_key_key"),
    ("balance", "balance_not_overdrawn"),
    ("citizen_answer", "citizen_answer_pkey"),
    ("desk_answer", "desk_answer_pkey"),
    ("budget_slice", "budget_slice_not_overdrawn"),
    ("debt_total", "debt_total_not_overpaid"),
    ("exchange", "exchange_pkey"),
    ("exchange_class", "exchange_class_check"),
    ("instrument", "instrument_one_owner_at_a_time"),
    ("mall_order", "mall_order_pkey"),
    ("month_settlement", "month_settlement_pkey"),
    ("offer_stock", "offer_stock_not_oversold"),
    ("points_debt", "points_debt_not_overpaid"),
    ("provider_answer", "provider_answer_pkey"),
    ("provider_nonce", "provider_nonce_pkey"),
    ("redemption", "redemption_pkey"),
    ("reversal", "reversal_pkey"),
    ("settlement", "settlement_bucket_account_day_key"),
    ("settlement_line", "settlement_line_once"),
    ("settlement_payout", "settlement_payout_pkey"),
    ("transfer", "transfer_amount_check"),
    ("transfer", "transfer_in_chart"),
    ("transfer", "transfer_one_owner"),
    ("transfer", "transfer_pkey"),
    ("upload_chunk", "upload_chunk_pkey"),
    ("voucher_place", "voucher_place_pkey"),
)
"""Constraints that keep value from being made, taken or told twice."""

_TRIGGERS: Final = """
select c.relname, p.relname,
       coalesce(bool_or(t.tgname in ('append_only', 'forget_only') and t.tgenabled in ('O', 'A')
                        and t.tgfoid = 'refuse_change'::regproc and t.tgtype & 56 = 56 - 16
                            + case t.tgname when 'append_only' then 16 else 0 end
                        and t.tgqual is null and t.tgattr = ''), false),
       coalesce(bool_or(t.tgname = 'forget_only_rows' and t.tgenabled in ('O', 'A')
                        and t.tgfoid = 'forget_only'::regproc and t.tgqual is null
                        and t.tgattr = ''), false)
  from pg_class c
  left join pg_inherits i on i.inhrelid = c.oid
  left join pg_class p on p.oid = i.inhparent
  left join pg_trigger t on t.tgrelid = c.oid
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
   and coalesce(p.relname, c.relname) = any(%s)
 group by 1, 2"""
_GRANTS: Final = """
select c.relname, r.name, p.name
  from pg_class c
  left join pg_inherits i on i.inhrelid = c.oid
  left join pg_class above on above.oid = i.inhparent
 cross join unnest(%s::text[]) as r (name)
 cross join unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) as p (name)
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
   and coalesce(above.relname, c.relname) = any(%s)
   and has_table_privilege(r.name, c.oid, p.name)"""
_COLUMN_GRANTS: Final = """
select c.relname, r.name, a.attname
  from pg_class c
  left join pg_inherits i on i.inhrelid = c.oid
  left join pg_class above on above.oid = i.inhparent
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 cross join unnest(%s::text[]) as r (name)
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
   and coalesce(above.relname, c.relname) = any(%s)
   and has_column_privilege(r.name, c.oid, a.attnum, 'UPDATE')
   and not has_table_privilege(r.name, c.oid, 'UPDATE')
   and not (r.name = 'tanpu_worker' and coalesce(above.relname, c.relname) = any(%s)
            and a.attname = any(%s))"""
_STRANGE: Final = """
select c.relname, 'row security hides rows of it'
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relrowsecurity
union all
select c.relname, 'rule ' || w.rulename || ' rewrites what is asked of it'
  from pg_class c join pg_rewrite w on w.ev_class = c.oid
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')"""
_MORE: Final = """
select c.relname, t.tgname, p.proname, t.tgenabled in ('O', 'A') and t.tgqual is null
  from pg_class c
  join pg_trigger t on t.tgrelid = c.oid
  join pg_proc p on p.oid = t.tgfoid
 where c.relnamespace = 'public'::regnamespace and not t.tgisinternal and t.tgparentid = 0
   and t.tgname not in ('append_only', 'forget_only')"""
_FUNCTIONS: Final = """
select p.proname, p.prosrc, p.prosecdef,
       p.proconfig is not distinct from
         case when p.prosecdef then '{"search_path=public, pg_temp"}'::text[] end
  from pg_proc p
 where p.pronamespace = 'public'::regnamespace
   and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
 order by p.proname"""
_HELD: Final = """
select w.name, w.held
  from unnest(%s::text[], %s::text[]) as w (name, held)
 where not exists (
   select from pg_constraint k join pg_class c on c.oid = k.conrelid
    where c.relnamespace = 'public'::regnamespace and c.relname = w.name and k.conname = w.held
      and k.convalidated and k.conenforced)"""
_CHART: Final = """
select c.relname, k.convalidated and k.conenforced, pg_get_constraintdef(k.oid)
  from pg_class c
  left join pg_constraint k on k.conrelid = c.oid and k.conname = 'transfer_in_chart'
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
   and (c.relname = 'transfer' or exists (
     select from pg_inherits i where i.inhrelid = c.oid and i.inhparent = 'transfer'::regclass))"""
_AHEAD: Final = """
select c.relname || to_char(month, '"_"YYYYMM')
  from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
 cross join lateral (
   select date_trunc('month', now() at time zone 'Asia/Shanghai') + make_interval(months => ahead)
     from generate_series(0, 1) as g (ahead)) as m (month)
 where p.partstrat = 'r' and c.relnamespace = 'public'::regnamespace
   and not exists (select from pg_inherits i join pg_class part on part.oid = i.inhrelid
                    where i.inhparent = c.oid
                      and part.relname = c.relname || to_char(month, '"_"YYYYMM'))"""
_NUMBER: Final = re.compile(r"\d{9,}")


def check_the_schema(connection: Connection, sheet: Sheet) -> None:
    """Hold the database's own guards to what the migrations made."""
    for where, detail in (
        *_unguarded(connection, sheet),
        *_granted(connection),
        *connection.execute(_STRANGE).fetchall(),
        *_gutted(connection),
        *_hung(connection),
        *_released(connection),
        *_chart(connection),
        *_systems(connection),
        *(
            (name, "this month's or the next one's partition is not there")
            for name in _ahead(connection)
        ),
    ):
        sheet.find(Kind.SCHEMA, where, detail)


def _unguarded(connection: Connection, sheet: Sheet) -> Iterator[tuple[str, str]]:
    expected = APPEND_ONLY | FORGET_ONLY
    rows = connection.execute(_TRIGGERS, (sorted(expected),)).fetchall()
    sheet.checked["guarded_tables"] = len(rows)
    for table, parent, is_guarded, is_forget_only in rows:
        if not is_guarded or ((parent or table) in FORGET_ONLY and not is_forget_only):
            yield table, "its append-only trigger is gone or off"
    for table in sorted(expected - {row[0] for row in rows}):
        yield table, "the table is gone"


def _granted(connection: Connection) -> Iterator[tuple[str, str]]:
    values = (list(ROLES), sorted(APPEND_ONLY | FORGET_ONLY))
    for table, role, privilege in connection.execute(_GRANTS, values):
        yield table, f"{role} may {privilege}"
    for table, role, privilege in connection.execute(_GRANTS, (["tanpu_app"], ["activity_key"])):
        yield table, f"{role} may {privilege}"
    of_columns = (*values, sorted(FORGET_ONLY), list(FORGETTABLE))
    for table, role, column in connection.execute(_COLUMN_GRANTS, of_columns):
        yield table, f"{role} may UPDATE its {column}"


def _gutted(connection: Connection) -> Iterator[tuple[str, str]]:
    """Name what differs of functions: a guard, or a deed, is worth no more than its body."""
    expected = functions()
    for name, body, is_definer, is_set in connection.execute(_FUNCTIONS):
        if expected.pop(name, None) != (body, is_definer) or not is_set:
            yield name, "is not the function of the migrations, or one more of its name"
    for name in expected:
        yield name, "the function is gone"


def _hung(connection: Connection) -> Iterator[tuple[str, str]]:
    """Name what differs of triggers that keep more than rows as they are."""
    expected = triggers()
    found = {(table, name, by) for table, name, by, is_on in connection.execute(_MORE) if is_on}
    for table, name, _ in sorted(found - expected):
        yield table, f"trigger {name} is not of the migrations"
    for table, name, _ in sorted(expected - found):
        yield table, f"its trigger {name} is gone or off"


def _released(connection: Connection) -> Iterator[tuple[str, str]]:
    tables, constraints = zip(*HELD, strict=True)
    for table, constraint in connection.execute(_HELD, (list(tables), list(constraints))):
        yield table, f"its constraint {constraint} is gone or off"


def _chart(connection: Connection) -> Iterator[tuple[str, str]]:
    expected = set(chart_keys())
    for table, is_enforced, definition in connection.execute(_CHART):
        found = {int(number) for number in _NUMBER.findall(definition or "")}
        if not is_enforced or found != expected:
            yield table, "its chart of accounts is not the core's"


def _systems(connection: Connection) -> Iterator[tuple[str, str]]:
    found = dict(connection.execute("select id, name from system_account").fetchall())
    for number in sorted(found.items() ^ SYSTEM_NAMES.items()):
        yield f"system account {number[0]}", "is not the core's"


def _ahead(connection: Connection) -> list[str]:
    return [name for (name,) in connection.execute(_AHEAD)]
