"""The register of personal data (个人信息清单): of every table, what goes and what stays.

``FORGETS`` are the statements of an erasure, run in one transaction by the worker; they name the
owner, and the public ids under which the desk wrote of them. ``exports`` has what a person gets.
Whoever adds a table that names an owner adds it here: a test holds this register to the catalogue
of the database. What is kept, and why, stands in ``KEPT``: rows that name a number which leads to
nobody once the rest is gone.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, LiteralString

FORGETS: Final[tuple[LiteralString, ...]] = (
    # First, and waiting for whoever writes as them: what comes next sees that, and nobody follows.
    "delete from subject where bucket = %(bucket)s and account = %(account)s",
    "delete from login where bucket = %(bucket)s and account = %(account)s",
    "delete from session where bucket = %(bucket)s and account = %(account)s",
    "delete from profile where bucket = %(bucket)s and account = %(account)s",
    "delete from citizen_answer where bucket = %(bucket)s and account = %(account)s",
    "delete from citizen_setting where bucket = %(bucket)s and account = %(account)s",
    "delete from guardian_code where bucket = %(bucket)s and account = %(account)s",
    "delete from consent where bucket = %(bucket)s and account = %(account)s",
    "delete from instrument where bucket = %(bucket)s and account = %(account)s",
    "delete from act_window where bucket = %(bucket)s and account = %(account)s",
    """
update activity set inputs = null, place = null, source_occurred_at = null
 where bucket = %(bucket)s and account = %(account)s
   and (inputs is not null or place is not null or source_occurred_at is not null)""",
    "delete from corrected_input where bucket = %(bucket)s and account = %(account)s",
    """
update project
   set ended_for = 'erased', ended_by = 'erasure',
       ended_at = coalesce(ended_at, now()),
       last_day = case when registered_at is not null
                       then coalesce(last_day, (now() at time zone 'Asia/Shanghai')::date) end
 where bucket = %(bucket)s and account = %(account)s and ended_for is distinct from 'erased'""",
    """
update project_revision set design = null, words = null, note = ''
 where bucket = %(bucket)s and account = %(account)s and design is not null""",
    "update project_review set comment = '' where bucket = %(bucket)s and account = %(account)s",
    "update project_exclusion set reason = '' where bucket = %(bucket)s and account = %(account)s",
    """
update monitoring_report
   set readings = null, papers = '[]', salt = null, sent_by = 'erased', finding = left(finding, 0)
 where bucket = %(bucket)s and account = %(account)s""",
    """
update project_day set inputs = null
 where bucket = %(bucket)s and account = %(account)s and inputs is not null""",
    """
update appeal set reason = null, answer = null, correction = null
 where bucket = %(bucket)s and account = %(account)s""",
    # What the desk wrote of their projects and appeals, and was answered of them.
    """
update approval
   set reason = 'erased', payload = payload - '{reason,answer,order,inputs}'::text[],
       decided_by = coalesce(decided_by, 'erasure'), decided_at = coalesce(decided_at, now()),
       is_signed = coalesce(is_signed, false)
 where object = any(%(objects)s)""",
    "delete from desk_answer where convert_from(body, 'UTF8') like any(%(mentions)s::text[])",
    "delete from team_member where bucket = %(bucket)s and account = %(account)s",
    "delete from challenge_entry where bucket = %(bucket)s and account = %(account)s",
    "delete from offer_person where bucket = %(bucket)s and account = %(account)s",
    "delete from claim_opening where bucket = %(bucket)s and account = %(account)s",
    "delete from benefit_choice where bucket = %(bucket)s and account = %(account)s",
    "delete from voucher_place where bucket = %(bucket)s and account = %(account)s",
    "delete from notice where bucket = %(bucket)s and account = %(account)s",
    "delete from leaderboard_entrant where bucket = %(bucket)s and account = %(account)s",
    "delete from statement_check where bucket = %(bucket)s and account = %(account)s",
    """
update statement set purpose = '', audience = ''
 where bucket = %(bucket)s and account = %(account)s""",
)

KEPT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "account": "its number and its bucket; the account key is destroyed",
        "account_secret": "destroyed by the books, as `balance` is, which is empty by then",
        "balance": "see `account_secret`",
        "transfer": "the books: a number, amounts and days",
        "log_note": "the log: that this number was erased",
        "activity": "what is left says provider, methodology, mode, day and amount of a number",
        "activity_key": "that this record was told, until the acceptance window ends (R3)",
        "accrual_day": "sums of a day, which caps go by; purged with the acceptance window",
        "act_merge": "which acts counted: ids alone",
        "act_change": "what was added or taken back: ids and amounts",
        "act_correction": "what an act came to be worth: ids, amounts, a commitment",
        "organisation": "its owner in the books is no person",
        "project": "that a number had a project: methodology, days, keyed hashes of its meters",
        "project_review": "how reviewers voted; their words are gone",
        "project_exclusion": "days that did not count; why is gone",
        "project_accrual": "the books: amounts of months",
        "merchant": "an organisation: its owner in the books is no person",
        "month_settlement": "days and amount of a month",
        "erasure": "the receipt, which names nobody",
        "guardianship": "deleted from both sides by the erasure itself",
        "lot_row": "the registry: which acts a lot is of; their leaves open to nobody any more",
        "issued_row": "the registry: which milligrams of a series are of an act",
        "issued_shortfall": "the books: amounts that a correction took",
        "buffer_owner": "the buffer's owner in the books is no person",
        "exchange": "the books: amounts and days",
        "exchange_class": "the books: amounts",
        "exchange_recovery": "the books: amounts",
        "points_debt": "the books: amounts; nothing of it is owed any more",
        "behaviour_act": "the books: points of an act",
        "behaviour_day": "the books: points of a day",
        "mall_order": "the books: what a number ordered of whom, amounts and times",
        "order_part": "the books: amounts",
        "redemption": "the books: what a merchant may claim",
        "reversal": "the books: that a claim was given up",
        "reversal_request": "who of a merchant asked for it",
        "settlement": "an organisation's, as what follows: what it is owed",
        "settlement_line": "ids of redemptions and amounts; which of them were whose is not there",
        "settlement_share": "amounts",
        "settlement_dispute": "an organisation's words",
        "settlement_adjustment": "amounts",
        "settlement_final": "an instant",
        "settlement_payout": "the bank's reference of a payment to an organisation",
        "cancellation": "the books: what was cancelled, and for which purpose; words are gone",
        "cancellation_part": "the books: milligrams of classes",
        "certificate": "a proof that others hold: commitments that nobody can open any more",
        "benefit_gift": "the books: milligrams of a night, for a public cause",
        "benefit_order": "the books: which order a night's donation is",
        "gathering": "an organisation's: its owner in the books is no person",
        "gathering_gift": "the books: milligrams of a day, for a gathering",
        "claim_side": "whose a trip's milligrams are: an act of a number, and a gathering",
        "appeal": "that there was one, and how it was decided; all words are gone",
        "webhook_endpoint": "an organisation's: where it is told things",
        "webhook_message": "to an organisation, thin: ids and amounts, gone after thirty days",
        "statement": "that it was revoked, for whoever holds it; purpose and audience are gone",
    }
)
