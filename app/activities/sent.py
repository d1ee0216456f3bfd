"""What a provider sent (已发批次): its own uploads, the newest first."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.activities.outcomes import OUTCOMES, Outcome
from app.kernel.db import driver
from app.providers import Provider

_PAGE: Final = """
select u.id, u.methodology, u.opened_at, s.counts, s.reduction_mg, s.corrected_mg,
       exists (select from upload_receipt r where r.upload = u.id),
       (select count(*) from correction_batch b where b.upload = u.id)
  from (select id, methodology, opened_at from upload
         where provider = %(provider)s and (opened_at, id) < (%(before_at)s, %(before)s)
         order by opened_at desc, id desc limit %(limit)s) u
 cross join lateral (
   select array(select coalesce(sum(n.lines), 0)::int8 from upload_chunk c
                 cross join unnest(c.counts) with ordinality as n (lines, place)
                 where c.upload = u.id group by n.place order by n.place) as counts,
          (select coalesce(sum(c.reduction_mg), 0)::int8 from upload_chunk c
            where c.upload = u.id) as reduction_mg,
          (select coalesce(sum(c.corrected_mg), 0)::int8 from upload_chunk c
            where c.upload = u.id) as corrected_mg) s
 order by u.opened_at desc, u.id desc"""


class Sent(NamedTuple):
    """One upload, without its lines."""

    id: UUID
    methodology: str
    opened_at: datetime
    counts: Mapping[Outcome, int]
    reduction_mg: int
    corrected_mg: int
    has_receipt: bool
    corrections: int


def sent_by(
    session: Session, provider: Provider, *, before: tuple[datetime, UUID], limit: int
) -> list[Sent]:
    """Give a provider's uploads that were opened before one of them, the newest first."""
    facts = {
        "provider": provider.id,
        "before_at": before[0],
        "before": before[1],
        "limit": limit,
    }
    return [
        Sent(upload, code, at, dict(zip(OUTCOMES, counts, strict=False)), *rest)
        for upload, code, at, counts, *rest in driver(session).execute(_PAGE, facts)
    ]
