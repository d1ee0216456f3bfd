"""Acts or settled months of a version, by page (行为扫描): what runs and corrections go over.

Buckets are gone through in 64 parts, each in the order of its keys, so that a part can be broken
off between any two pages and begun again. An act stands with the quantities and the worth that
it has now, after any correction; quantities that were forgotten are absent.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.activities.months import (
    MonthPlace,
    Recount,
    SettledMonth,
    recount,
    settled_months,
)
from app.activities.preparing import EVIDENCE_RANK
from app.kernel.db import driver
from methodologies import Document, Evidence, Ineligible, quantify_many

PARTS: Final = 64
BUCKETS_A_PART: Final = 16
PAGE_ROWS: Final = 2_000
PAGE_MONTHS: Final = 100
"""Each has some forty days of readings."""
_EVIDENCE: Final = {rank: evidence for evidence, rank in EVIDENCE_RANK.items()}
_PAGE: Final = """
select a.bucket, a.account, a.recorded_on, a.id, p.code, a.evidence, a.occurred_on,
       coalesce(i.inputs, a.inputs), x.grade, coalesce(c.raw_mg, a.raw_mg), a.reason
  from activity a
  join provider p on p.id = a.provider
  left join asset x on x.id = a.asset
  left join lateral (
    select h.raw_mg, h.is_withdrawn from act_correction h
     where h.bucket = a.bucket and h.account = a.account and h.activity = a.id
     order by h.id desc limit 1) c on true
  left join lateral (
    select n.inputs from act_correction h join corrected_input n
        on n.bucket = h.bucket and n.account = h.account and n.correction = h.id
     where h.bucket = a.bucket and h.account = a.account and h.activity = a.id
     order by h.id desc limit 1) i on true
 where a.bucket between %(first)s and %(last)s and a.recorded_on >= %(since)s
   and a.methodology = (select id from methodology_version
                         where code = %(code)s and version = %(version)s)
   and a.occurred_on between %(since)s and %(until)s
   and (a.bucket, a.account, a.recorded_on, a.id) > (%(bucket)s, %(owner)s, %(day)s, %(act)s)
   and not coalesce(c.is_withdrawn, false)
   and (select m.counted from act_merge m where m.bucket = a.bucket and m.account = a.account
           and m.activity = a.id order by m.id desc limit 1) is null
 order by a.bucket, a.account, a.recorded_on, a.id limit %(limit)s"""
Place = tuple[int, int, date, UUID]
"""(bucket, owner, recorded_on, act)."""
START: Final[Place] = (-1, 0, date.min, UUID(int=0))


class Period(NamedTuple):
    """Acts of a version, by the day on which they occurred; both days included."""

    code: str
    version: int
    since: date
    until: date


class Act(NamedTuple):
    """An act as it stands."""

    bucket: int
    owner: int
    recorded_on: date
    id: UUID
    provider: str
    evidence: Evidence
    day: date
    inputs: Mapping[str, str] | None
    grade: str | None
    """None where it records no reduction."""
    raw_mg: int | None
    """Before the cap of its day [mg]."""
    reason: str | None
    """Why it adds nothing."""

    @property
    def place(self) -> Place:
        """Where its row lies."""
        return (self.bucket, self.owner, self.recorded_on, self.id)


def page(session: Session, period: Period, part: int, after: Place) -> list[Act]:
    """Give the acts after a place, at most a page of them."""
    bucket, owner, day, last = after
    asked = {
        **period._asdict(),
        "first": part * BUCKETS_A_PART,
        "last": (part + 1) * BUCKETS_A_PART - 1,
        "bucket": bucket,
        "owner": owner,
        "day": day,
        "act": last,
        "limit": PAGE_ROWS,
    }
    rows = driver(session).execute(_PAGE, asked).fetchall()
    return [
        Act(bucket, owner, on, act, provider, _EVIDENCE[rank], *rest)
        for bucket, owner, on, act, provider, rank, *rest in rows
    ]


def page_of_months(
    session: Session, period: Period, part: int, after: MonthPlace, documents: Sequence[Document]
) -> list[tuple[SettledMonth, Recount]]:
    """Give the settled months after a place, at most a page, with what documents make of them.

    A month is of the period if its last day is.
    """
    facts = {
        **period._asdict(),
        "first": part * BUCKETS_A_PART,
        "last": (part + 1) * BUCKETS_A_PART - 1,
        "limit": PAGE_MONTHS,
    }
    months = settled_months(driver(session), facts, after)
    return list(zip(months, recount(driver(session), months, documents), strict=True))


def worth(document: Document, acts: list[Act]) -> list[int | None]:
    """Compute acts again from their quantities [mg]; None where those are forgotten.

    ``document`` is in force on the days of the acts.
    """
    names = document.input_names
    told = [each for each in acts if each.inputs is not None]
    rows = (([*map((each.inputs or {}).get, names)], each.evidence, each.day) for each in told)
    answers = quantify_many(document, rows)
    by_act = {
        each.id: 0 if isinstance(answer, Ineligible) else answer
        for each, answer in zip(told, answers, strict=True)
    }
    return [by_act.get(each.id) for each in acts]
