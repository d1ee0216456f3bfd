"""Delivering (投递): what is due is claimed, sent by a few lines at once, and what came is noted.

The row of a try is committed before anything is sent. A worker that dies in between leaves it
without an end, and after the lease the message is sent again under the same ``webhook-id``: at
least once. One owner has two lines at most, so that whoever answers slowly delays nobody else.
"""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import randbelow
from time import monotonic
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import wall
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from app.staff.credentials import seal_owner
from app.webhooks.messages import public_message
from app.webhooks.rules import JITTER_PERMILLE, next_try
from app.webhooks.sending import GONE, Outcome, Sender
from app.webhooks.signing import Scheme, headers_of

LINES: Final = 16
PER_OWNER: Final = 2
LEASE: Final = timedelta(minutes=1)
"""More than a try may take: after it the delivery is anybody's again."""
GLANCE_S: Final = 1.0
KEPT: Final = timedelta(days=30)

_CLAIM: Final = """
with busy as (
  select e.owner, count(*) as sending
    from webhook_delivery d join webhook_endpoint e on e.id = d.endpoint
   where d.claimed_until > %(at)s group by e.owner),
ripe as (
  select e.id as endpoint, d.message, d.due_at,
         coalesce(b.sending, 0)
         + row_number() over (partition by e.owner order by d.due_at, d.message) as place
    from webhook_endpoint e
    left join busy b on b.owner = e.owner
   cross join lateral (
     select w.message, w.due_at from webhook_delivery w
      where w.endpoint = e.id and w.state = 'waiting' and w.due_at <= %(at)s
        and (w.claimed_until is null or w.claimed_until <= %(at)s)
      order by w.due_at, w.message limit %(each)s) d
   where e.off_at is null
     and not exists (select from partner p
                      where e.owner = 'partner:' || p.id and p.suspended_at is not null)),
mine as (
  select d.endpoint, d.message
    from webhook_delivery d join ripe r on r.endpoint = d.endpoint and r.message = d.message
   where r.place <= %(each)s and d.state = 'waiting'
     and (d.claimed_until is null or d.claimed_until <= %(at)s)
   order by r.due_at, d.message limit %(most)s
     for update of d skip locked),
taken as (
  update webhook_delivery d set tries = d.tries + 1, claimed_until = %(until)s
    from mine m where d.endpoint = m.endpoint and d.message = m.message
  returning d.endpoint, d.message, d.tries, d.step),
tried as (
  insert into webhook_attempt (endpoint, message, number, begun_at)
  select endpoint, message, tries, %(at)s from taken)
select t.endpoint, t.message, t.tries, t.step, m.body, e.url, e.scheme, e.secret,
       case when e.old_until > %(at)s then e.old_secret end
  from taken t
  join webhook_message m on m.id = t.message
  join webhook_endpoint e on e.id = t.endpoint"""
_END: Final = """
update webhook_attempt set ended_at = %s, status = %s, fault = %s
 where endpoint = %s and message = %s and number = %s"""
# Only the newest try says how it goes on: an older one may have been given up for dead.
_GO_ON: Final = """
update webhook_delivery
   set state = %(state)s, step = step + 1, due_at = coalesce(%(due)s, due_at), claimed_until = null
 where endpoint = %(endpoint)s and message = %(message)s and tries = %(number)s
returning 1"""
_ANSWERED: Final = "update webhook_endpoint set answered_at = %s where id = %s"
_GONE: Final = """
update webhook_endpoint set off_at = %s, off_for = 'gone' where id = %s and off_at is null"""
# It took nothing since this round of tries began; both instants are of the wall's clock.
_FAILING: Final = """
update webhook_endpoint e set off_at = %(at)s, off_for = 'failing'
  from webhook_attempt a
 where e.id = %(endpoint)s and e.off_at is null
   and a.endpoint = e.id and a.message = %(message)s and a.number = %(number)s - %(step)s
   and (e.answered_at is null or e.answered_at < a.begun_at)"""
_SWEEP: Final = "delete from webhook_message where told_at < %s"


class Try(NamedTuple):
    """A try of a delivery that was claimed."""

    endpoint: UUID
    message: UUID
    number: int
    step: int
    body: str
    url: str
    scheme: str
    secret: bytes
    old_secret: bytes | None


def claim(session: Session, most: int, *, at: datetime) -> list[Try]:
    """Take what is due, at most two at a time of an owner, and write that it is tried."""
    asked = {"at": at, "until": at + LEASE, "each": PER_OWNER, "most": most}
    return [Try(*row) for row in driver(session).execute(_CLAIM, asked).fetchall()]


def note(
    session: Session, tried: Try, outcome: Outcome, jitter_permille: int, *, at: datetime
) -> None:
    """Write what came of a try, and when the next one is; 410 puts the endpoint off."""
    connection = driver(session)
    place = (tried.endpoint, tried.message, tried.number)
    connection.execute(_END, (at, *outcome, *place))
    due = None if outcome.is_taken else next_try(tried.step, jitter_permille, at=at)
    is_over = due is None or outcome.status == GONE
    state = "delivered" if outcome.is_taken else "failed" if is_over else "waiting"
    named = {"endpoint": tried.endpoint, "message": tried.message, "number": tried.number}
    found = connection.execute(_GO_ON, {**named, "state": state, "due": due}).fetchone()
    if outcome.is_taken:
        connection.execute(_ANSWERED, (at, tried.endpoint))
    elif outcome.status == GONE:
        connection.execute(_GONE, (at, tried.endpoint))
    elif is_over and found is not None:
        connection.execute(_FAILING, {**named, "step": tried.step, "at": at})


def sweep_messages(session: Session, *, at: datetime) -> int:
    """Forget messages past their time, with what was tried of them."""
    return driver(session).execute(_SWEEP, (at - KEPT,)).rowcount


@dataclass(frozen=True)
class Courier:
    """Sends what is due, by the wall's clock."""

    db: Database
    keys: Keys
    sender: Sender
    clock: Callable[[], datetime] = wall

    def send_due(self, *, for_s: float) -> int:
        """Send until nothing is due, and begin nothing after ``for_s``; gives how many tries."""
        until, tries = monotonic() + for_s, 0
        sending: dict[Future[Outcome], Try] = {}
        with ThreadPoolExecutor(LINES) as lines:
            while True:
                if monotonic() < until and len(sending) < LINES:
                    most = LINES - len(sending)
                    for each in self.db.transact(claim, most, at=self.clock()):
                        sending[lines.submit(self.send, each)] = each
                if not sending:
                    return tries
                done, _ = wait(sending, GLANCE_S, FIRST_COMPLETED)
                for future in done:
                    self._note(sending.pop(future), future.result())
                tries += len(done)

    def send(self, tried: Try) -> Outcome:
        """Sign and send, whatever comes of it."""
        sealed = [each for each in (tried.secret, tried.old_secret) if each is not None]
        secrets = [self.keys.open(bytes(each), owner=seal_owner(tried.endpoint)) for each in sealed]
        message, body = public_message(tried.message), tried.body.encode()
        headers = headers_of(Scheme(tried.scheme), secrets, message, body, at=self.clock())
        return self.sender.post(tried.url, headers, body)

    def _note(self, tried: Try, outcome: Outcome) -> None:
        jitter_permille = randbelow(JITTER_PERMILLE + 1)
        self.db.transact(note, tried, outcome, jitter_permille, at=self.clock())
