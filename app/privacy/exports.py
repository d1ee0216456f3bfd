"""What a person takes away (个人信息导出清单): the questions of the export, by (bucket, account).

Whoever adds a table that names an owner asks it here, or says in ``register`` why it is kept.
"""

from typing import Final, LiteralString, NamedTuple


class Export(NamedTuple):
    """One part of an export: its name, and the question with ``bucket`` and ``account``."""

    name: str
    query: LiteralString
    sealed: str = ""
    """The column that is sealed for its owner, if any; it is JSON, and opened."""


EXPORTS: Final = (
    Export(
        "consents",
        """
select p.code as provider, c.scene, c.valid_from, c.valid_to, c.basis
  from consent c join provider p on p.id = c.provider
 where c.bucket = %(bucket)s and c.account = %(account)s order by p.code, c.scene, c.valid_from""",
    ),
    Export(
        "links",
        """
select p.code as provider, i.number as number_hash, i.linked_from, i.linked_to
  from instrument i join provider p on p.id = i.provider
 where i.bucket = %(bucket)s and i.account = %(account)s order by p.code, i.linked_from""",
    ),
    Export(
        "logins",
        """
select kind, number as number_hash, linked_at from login
 where bucket = %(bucket)s and account = %(account)s order by linked_at""",
    ),
    Export(
        "sessions",
        """
select label, opened_at, rotated_at, ends_at, closed_at, closed_for
  from session where bucket = %(bucket)s and account = %(account)s order by opened_at""",
    ),
    Export(
        "settings",
        """
select automatic_exchange, language from citizen_setting
 where bucket = %(bucket)s and account = %(account)s""",
    ),
    Export(
        "guardianships",
        """
select id, is_guardian, since, until from guardianship
 where bucket = %(bucket)s and account = %(account)s order by since""",
    ),
    Export(
        "activities",
        """
select a.id, p.code as provider, m.code as methodology, m.version, a.occurred_on, a.recorded_on,
       a.evidence, a.mode, a.raw_mg, a.reason, a.inputs, a.source_occurred_at, a.place,
       t.amount as first_granted_mg
  from activity a
  join provider p on p.id = a.provider
  left join methodology_version m on m.id = a.methodology
  left join transfer t on t.bucket = a.bucket and t.recorded_on = a.recorded_on and t.id = a.id
 where a.bucket = %(bucket)s and a.account = %(account)s order by a.recorded_on, a.id""",
    ),
    Export(
        "activity-merges",
        """
select activity, counted, reason, recorded_on from act_merge
 where bucket = %(bucket)s and account = %(account)s order by id""",
    ),
    Export(
        "activity-changes",
        """
select activity, amount_mg, recorded_on, corrects from act_change
 where bucket = %(bucket)s and account = %(account)s order by id""",
    ),
    Export(
        "activity-corrections",
        """
select c.activity, c.reason, c.recorded_on, c.is_withdrawn, c.raw_mg, c.change_mg, i.inputs
  from act_correction c
  left join corrected_input i
    on i.bucket = c.bucket and i.account = c.account and i.correction = c.id
 where c.bucket = %(bucket)s and c.account = %(account)s order by c.id""",
    ),
    Export(
        "activity-times",
        """
select activity, started_at, ended_at, vehicle as vehicle_hash, station as station_hash
  from act_window where bucket = %(bucket)s and account = %(account)s order by activity""",
    ),
    Export(
        "month-settlements",
        """
select m.code as methodology, s.month, s.days, s.reduction_mg, s.recorded_on
  from month_settlement s join methodology_version m on m.id = s.methodology
 where s.bucket = %(bucket)s and s.account = %(account)s order by s.month""",
    ),
    Export(
        "transfers",
        """
select t.id, t.recorded_at, t.occurred_on, t.code,
       coalesce(f.name, case when t.source & 1 = 1 then 'held' else 'mine' end) as source,
       coalesce(g.name, case when t.target & 1 = 1 then 'held' else 'mine' end) as target,
       coalesce(x.methodology, x.programme) as asset, x.version, x.scenario, x.grade, x.vintage,
       x.expires, t.amount, t.cause, t.corrects, t.evidence
  from transfer t
  join asset x on x.id = t.asset
  left join system_account f on f.id = t.source
  left join system_account g on g.id = t.target
 where t.bucket = %(bucket)s
   and (t.source in (%(account)s, %(account)s + 1) or t.target in (%(account)s, %(account)s + 1))
 order by t.recorded_on, t.id""",
    ),
    Export(
        "balances",
        """
select case when b.account & 1 = 1 then 'held' else 'mine' end as place,
       coalesce(x.methodology, x.programme) as asset, x.version, x.scenario, x.grade, x.vintage,
       x.expires, b.credits, b.debits, b.credits - b.debits as amount
  from balance b join asset x on x.id = b.asset
 where b.bucket = %(bucket)s and b.account in (%(account)s, %(account)s + 1)
 order by b.account, b.asset""",
    ),
    Export(
        "log-notes",
        """
select id, recorded_on, code, cause from log_note
 where bucket = %(bucket)s and account = %(account)s order by recorded_on, id""",
    ),
    Export(
        "lot-rows",
        """
select lot, activity, mg, act_mg, evidence, occurred_on, excluded, leaf from lot_row
 where bucket = %(bucket)s and account = %(account)s order by lot, activity""",
    ),
    Export(
        "units-of-mine",
        """
select i.lot, i.activity, i.batch, b.number as batch_number, lower(i.place) as series_from_mg,
       upper(i.place) as series_to_mg, lower(b.series) as batch_from_mg
  from issued_row i join issue_batch b on b.id = i.batch
 where i.bucket = %(bucket)s and i.account = %(account)s order by i.lot, i.activity""",
    ),
    Export(
        "issued-shortfalls",
        """
select id, batch, mg, recorded_on from issued_shortfall
 where bucket = %(bucket)s and account = %(account)s order by id""",
    ),
    Export(
        "exchanges",
        """
select e.id, p.code as programme, e.night, e.recorded_at, e.reduction_mg, e.points
  from exchange e join programme p on p.id = e.programme
 where e.bucket = %(bucket)s and e.account = %(account)s order by e.id""",
    ),
    Export(
        "exchange-classes",
        """
select c.exchange, x.methodology, x.version, x.scenario, x.grade, x.vintage, c.mg, c.mg_per_point,
       c.points
  from exchange_class c join asset x on x.id = c.asset
 where c.bucket = %(bucket)s and c.account = %(account)s order by c.exchange, c.asset""",
    ),
    Export(
        "exchange-recoveries",
        """
select exchange, cause, mg, points, recorded_on from exchange_recovery
 where bucket = %(bucket)s and account = %(account)s order by id""",
    ),
    Export(
        "debts",
        """
select id, cause, points, paid, forgiven, opened_on from points_debt
 where bucket = %(bucket)s and account = %(account)s order by id""",
    ),
    Export(
        "behaviours",
        """
select activity, day, points from behaviour_act
 where bucket = %(bucket)s and account = %(account)s order by day, activity""",
    ),
    Export(
        "behaviour-days",
        """
select day, reward, worth, granted from behaviour_day
 where bucket = %(bucket)s and account = %(account)s order by day, reward""",
    ),
    Export(
        "orders",
        """
select o.id, o.voucher, o.state, o.offer, o.offer_version, o.kind, o.title_zh, o.title_en,
       m.name_zh as merchant_zh, m.name_en as merchant_en, o.quantity, o.points, o.fen,
       o.placed_at, o.ends_at, o.ended_at, o.offline_until
  from mall_order o join merchant m on m.id = o.merchant
 where o.bucket = %(bucket)s and o.account = %(account)s order by o.id""",
    ),
    Export(
        "order-points",
        """
select p.mall_order as order, x.programme, x.expires, p.points
  from order_part p join asset x on x.id = p.asset
 where p.bucket = %(bucket)s and p.account = %(account)s order by p.mall_order, p.asset""",
    ),
    Export(
        "offers-taken",
        """
select offer, taken from offer_person
 where bucket = %(bucket)s and account = %(account)s order by offer""",
    ),
    Export(
        "vouchers",
        """
select voucher, mall_order as order, code as code_hash from voucher_place
 where bucket = %(bucket)s and account = %(account)s order by voucher""",
    ),
    Export(
        "redemptions",
        """
select id, mall_order as order, points, claim_fen, redeemed_at, offline_at from redemption
 where bucket = %(bucket)s and account = %(account)s order by redeemed_at, id""",
    ),
    Export(
        "reversals",
        """
select id, redemption, reversed_at from reversal
 where bucket = %(bucket)s and account = %(account)s order by reversed_at, id""",
    ),
    Export(
        "reversal-requests",
        """
select redemption, asked_at from reversal_request
 where bucket = %(bucket)s and account = %(account)s order by asked_at, redemption""",
    ),
    Export(
        "benefit-choice",
        """
select cancellation, offer, chosen_at from benefit_choice
 where bucket = %(bucket)s and account = %(account)s""",
    ),
    Export(
        "benefit-gifts",
        """
select g.id, g.night, g.cancellation, g.mg, x.methodology, x.version, x.scenario, x.grade, x.vintage
  from benefit_gift g join asset x on x.id = g.asset
 where g.bucket = %(bucket)s and g.account = %(account)s order by g.night, g.asset""",
    ),
    Export(
        "benefit-donations",
        """
select night, mall_order as order from benefit_order
 where bucket = %(bucket)s and account = %(account)s order by night""",
    ),
    Export(
        "gathering-gifts",
        """
select g.id, h.title_zh, h.title_en, g.given_on, g.mg, g.counts, x.methodology, x.version,
       x.scenario, x.grade, x.vintage
  from gathering_gift g join gathering h on h.id = g.gathering join asset x on x.id = g.asset
 where g.bucket = %(bucket)s and g.account = %(account)s order by g.id, g.asset""",
    ),
    Export(
        "trip-sides",
        """
select s.activity, h.title_zh, h.title_en, s.side, s.mg, s.chosen_on
  from claim_side s join gathering h on h.id = s.gathering
 where s.bucket = %(bucket)s and s.account = %(account)s order by s.chosen_on, s.activity""",
    ),
    Export(
        "cancellations",
        """
select c.id, c.purpose, c.period, c.requested_at, c.due_at, c.reverted_at, c.reason, c.posted_at,
       c.finalized_at, p.mg, x.methodology, x.version, x.scenario, x.grade, x.vintage, p.transfer
  from cancellation c
  join cancellation_part p
    on p.bucket = c.bucket and p.account = c.account and p.cancellation = c.id
  join asset x on x.id = p.asset
 where c.bucket = %(bucket)s and c.account = %(account)s order by c.id, x.vintage, p.asset""",
    ),
    Export(
        "cancellation-texts",
        """
select subject, name, words, is_public, salt from claim_opening
 where bucket = %(bucket)s and account = %(account)s order by subject, name""",
    ),
    Export(
        "certificates",
        """
select id, issued_at, claim, parts from certificate
 where bucket = %(bucket)s and account = %(account)s order by id""",
    ),
    Export(
        "projects",
        """
select id, code, version, applied_at, revision, lower(crediting) as crediting_since,
       upper(crediting) - 1 as crediting_until, registered_at, last_day, ended_for, ended_at
  from project where bucket = %(bucket)s and account = %(account)s order by id""",
    ),
    Export(
        "project-designs",
        """
select project, number, design, words, note, revised_at from project_revision
 where bucket = %(bucket)s and account = %(account)s order by project, number""",
        sealed="words",
    ),
    Export(
        "project-reviews",
        """
select project, revision, vote, comment, reviewed_at from project_review
 where bucket = %(bucket)s and account = %(account)s order by project, reviewed_at""",
    ),
    Export(
        "project-exclusions",
        """
select project, meter, lower(days) as first, upper(days) - 1 as last, reason, excluded_at
  from project_exclusion
 where bucket = %(bucket)s and account = %(account)s order by id""",
    ),
    Export(
        "monitoring-reports",
        """
select id, project, lower(days) as first, upper(days) - 1 as last, readings, papers,
       salt, commitment, sent_at, is_accepted, finding, decided_at
  from monitoring_report where bucket = %(bucket)s and account = %(account)s order by id""",
    ),
    Export(
        "monitored-days",
        """
select d.report, d.day, d.inputs, x.methodology, x.version, x.grade, d.mg, d.reason
  from project_day d left join asset x on x.id = d.asset
 where d.bucket = %(bucket)s and d.account = %(account)s order by d.report, d.day""",
    ),
    Export(
        "project-accruals",
        """
select report, month, mg, recorded_on, id as transfer from project_accrual
 where bucket = %(bucket)s and account = %(account)s order by recorded_on, id""",
    ),
    Export(
        "notices",
        """
select id, kind, subject, facts, noted_at, read_at from notice
 where bucket = %(bucket)s and account = %(account)s order by id""",
    ),
    Export(
        "appeals",
        """
select id, activity, contests, reason, raised_at, due_at, decided_at, is_upheld, answer, correction
  from appeal where bucket = %(bucket)s and account = %(account)s order by id""",
    ),
    Export(
        "teams",
        """
select t.name, m.joined_at, m.left_at from team_member m join team t on t.id = m.team
 where m.bucket = %(bucket)s and m.account = %(account)s order by m.joined_at""",
    ),
    Export(
        "challenges",
        """
select c.title_zh, c.title_en, e.joined_at
  from challenge_entry e join challenge c on c.id = e.challenge
 where e.bucket = %(bucket)s and e.account = %(account)s order by e.joined_at""",
    ),
    Export(
        "leaderboards",
        """
select pseudonym, since from leaderboard_entrant
 where bucket = %(bucket)s and account = %(account)s""",
    ),
    Export(
        "statements",
        """
select id, purpose, audience, kg_at_least, score_at_least, issued_at, expires_at, revoked_at
  from statement where bucket = %(bucket)s and account = %(account)s order by issued_at""",
    ),
    Export(
        "statement-checks",
        """
select statement, minute, verifier, outcome, times from statement_check
 where bucket = %(bucket)s and account = %(account)s order by minute, statement""",
    ),
)
"""Beside the profile, which is opened and not asked for."""
