"""Webhooks (网络回调): told with the deed, sent at least once, by nobody's delay but one's own."""

import json
import threading
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from app.figures import figures_of
from app.kernel.clock import now, wall
from app.kernel.db import Database
from app.kernel.ids import new_id, public_id
from app.kernel.scopes import Scope
from app.partners.registry import Partner, PartnerKey, add_partner, suspend_partner
from app.staff.credentials import seal_owner
from app.webhooks import News, NewsKind, merchant_owner, partner_owner, tell
from app.webhooks.delivering import LEASE, Courier, Try, claim, note, sweep_messages
from app.webhooks.endpoints import (
    Endpoint,
    EndpointChanges,
    change_endpoint,
    delete_endpoint,
    rotate_secret,
)
from app.webhooks.errors import EndpointUnknown, MessageUnknown
from app.webhooks.log import deliveries, replay_message, replay_since
from app.webhooks.rules import WAITS, Reach
from app.webhooks.sending import Outcome, Sender
from tests.support.acts import one, rows
from tests.support.receivers import Receiver, receiver
from tests.support.webhooks import HOUR, REDEEMED, Post


@pytest.fixture
def owner() -> str:
    return merchant_owner(new_id())


def test_what_is_told_is_sent_to_who_asked_for_it(post: Post, shop: Receiver, owner: str) -> None:
    post.endpoint(owner, shop.url)
    post.endpoint(owner, shop.url + "/offers", NewsKind.OFFER_APPROVED)
    message = post.tell(owner)
    assert post.send() == 1
    (got,) = shop.received
    assert got.path == "/hook"
    assert got.headers["webhook-id"] == public_id("msg", message)
    told = json.loads(got.body)
    assert (told["type"], told["data"]) == ("voucher.redeemed", {"n": "1"})
    assert datetime.fromisoformat(told["timestamp"]).tzinfo is not None
    assert post.states() == [("delivered", 1)]
    assert post.send() == 0


def test_nothing_is_told_where_nobody_listens_or_the_deed_is_undone(post: Post, owner: str) -> None:
    post.tell(owner)
    assert rows(post.db, "select id from webhook_message") == []
    post.endpoint(owner, "http://127.0.0.1:1/")

    def undone(session: Session) -> None:
        tell(session, [News(new_id(), owner, REDEEMED, "1", {}, now())])
        raise LookupError

    with pytest.raises(LookupError):
        post.db.transact(undone)
    assert rows(post.db, "select id from webhook_message") == []


def test_one_cause_is_told_once(post: Post, shop: Receiver, owner: str) -> None:
    post.endpoint(owner, shop.url)
    first = post.tell(owner)
    post.tell(owner)
    post.tell(owner, kind=NewsKind.OFFER_APPROVED)
    assert post.send() == 1
    assert shop.messages == [public_id("msg", first)]


def test_what_fails_is_tried_by_the_schedule_under_the_same_id(
    post: Post, shop: Receiver, owner: str
) -> None:
    endpoint, shop.status = post.endpoint(owner, shop.url), 503
    message, later = post.tell(owner), timedelta(0)
    assert post.send() == 1
    for wait in WAITS:
        (due,) = one(post.db, "select due_at from webhook_delivery")
        assert wait <= due - (wall() + later) + timedelta(seconds=5) <= wait * 1.2 + HOUR / 100
        assert post.send(later=due - wall() - timedelta(seconds=1)) == 0
        later = due - wall()
        assert post.send(later=later + timedelta(seconds=1)) == 1
    assert set(shop.messages) == {public_id("msg", message)}
    assert len(shop.messages) == len(WAITS) + 1
    stamps = {got.headers["webhook-timestamp"] for got in shop.received}
    assert len(stamps) == len(WAITS) + 1
    assert post.states() == [("failed", len(WAITS) + 1)]
    off = post.found(endpoint)
    assert off.off_for == "failing"
    (shown,) = post.db.read(deliveries, endpoint, before=None, limit=5)
    assert [(each.number, each.status) for each in shown.tried] == [(n, 503) for n in range(1, 11)]


def test_one_failed_message_puts_no_endpoint_off_that_took_another_since(
    post: Post, shop: Receiver, owner: str
) -> None:
    endpoint, shop.status = post.endpoint(owner, shop.url), 500
    post.tell(owner)
    (first,) = post.worker_db.transact(claim, 1, at=wall())
    shop.status = 200
    post.tell(owner, "2")
    post.send()
    fail_at_last(post, first)
    assert post.states() == [("failed", 10), ("delivered", 1)]
    assert post.found(endpoint).off_at is None


@pytest.mark.parametrize("days", [-20, 20], ids=["replayed", "by a sandbox's clock"])
def test_what_an_endpoint_took_is_held_against_when_it_was_first_tried(
    post: Post, shop: Receiver, owner: str, days: int
) -> None:
    endpoint, shop.status = post.endpoint(owner, shop.url), 500
    post.tell(owner, later=timedelta(days=days))
    post.run("update webhook_delivery set due_at = %s", wall())
    (first,) = post.worker_db.transact(claim, 1, at=wall())
    answered = "update webhook_endpoint set answered_at = %s"
    post.run(answered, wall() + HOUR)
    fail_at_last(post, first)
    assert post.found(endpoint).off_at is None
    post.run(answered, wall() - HOUR)
    fail_at_last(post, first)
    assert post.found(endpoint).off_for == "failing"


def fail_at_last(post: Post, first: Try) -> None:
    """Note that the last of a round's tries failed."""
    last = first._replace(step=len(WAITS), number=first.number + len(WAITS))
    post.run("update webhook_delivery set tries = %s where message = %s", last.number, last.message)
    post.worker_db.transact(note, last, Outcome(status=500), 0, at=wall())


def test_410_puts_an_endpoint_off_until_its_owner_puts_it_on(
    post: Post, shop: Receiver, owner: str
) -> None:
    endpoint, shop.status = post.endpoint(owner, shop.url), 410
    post.tell(owner)
    post.send()
    assert post.found(endpoint).off_for == "gone"
    post.tell(owner, "2")
    assert post.send(later=9 * HOUR) == 0
    shop.status = 200
    put_on = EndpointChanges(None, None, is_on=True)
    post.db.transact(change_endpoint, owner, endpoint.id, put_on, at=now())
    assert post.send() == 0
    replayed = post.db.transact(replay_since, post.found(endpoint), now() - HOUR)
    assert replayed.messages == 2
    assert post.send() == 2
    assert {state for state, _ in post.states()} == {"delivered"}


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_a_worker_that_dies_while_sending_is_followed_by_another(
    post: Post, shop: Receiver, owner: str, landed: bool
) -> None:
    post.endpoint(owner, shop.url)
    message = post.tell(owner)
    (tried,) = post.worker_db.transact(claim, 9, at=wall())
    if landed:
        dead = Courier(post.worker_db, post.keys, Sender(Reach(plain=True, loopback=True)))
        assert dead.send(tried).is_taken
    # Here it dies: what came of the try is not written.
    assert one(post.db, "select number, ended_at from webhook_attempt") == (1, None)
    assert post.send(later=LEASE - timedelta(seconds=10)) == 0
    assert post.send(later=LEASE + timedelta(seconds=10)) == 1
    assert shop.messages == [public_id("msg", message)] * (1 + landed)
    assert post.states() == [("delivered", 2)]


def test_who_was_given_up_for_dead_says_nothing_any_more(
    post: Post, shop: Receiver, owner: str
) -> None:
    post.endpoint(owner, shop.url)
    post.tell(owner)
    (late,) = post.worker_db.transact(claim, 9, at=wall())
    assert post.send(later=LEASE + timedelta(seconds=10)) == 1
    post.worker_db.transact(note, late, Outcome(fault="timeout"), 0, at=wall())
    assert post.states() == [("delivered", 2)]


def test_two_workers_never_claim_the_same(post: Post) -> None:
    others = [merchant_owner(new_id()) for _ in range(4)]
    for each in others:
        post.endpoint(each, "http://127.0.0.1:1/")
        post.tell(each)
    at, claimed = wall(), list[UUID]()

    def first(session: Session) -> None:
        claimed.extend(each.message for each in claim(session, 2, at=at))
        claimed.extend(each.message for each in post.worker_db.transact(claim, 9, at=at))

    post.worker_db.transact(first)
    assert len(claimed) == len(set(claimed)) == 4


def test_who_answers_slowly_has_two_lines_and_delays_nobody_else(
    post: Post, shop: Receiver, owner: str
) -> None:
    release, waiting = threading.Event(), threading.Semaphore(0)

    def wait_for_it(handler: BaseHTTPRequestHandler) -> None:
        waiting.release()
        release.wait(20)
        handler.send_response(200)
        handler.end_headers()

    with receiver(act=wait_for_it) as slow:
        post.endpoint(owner, slow.url)
        post.endpoint(owner, slow.url + "/2")
        for cause in range(5):
            post.tell(owner, str(cause))
        running = threading.Thread(target=post.send)
        running.start()
        try:
            assert waiting.acquire(timeout=10)
            assert waiting.acquire(timeout=10)
            other = merchant_owner(new_id())
            post.endpoint(other, shop.url)
            post.tell(other)
            for _ in range(100):
                if shop.received:
                    break
                threading.Event().wait(0.05)
            assert len(shop.received) == 1
            assert len(slow.received) == 2
        finally:
            release.set()
            running.join()
        assert len(slow.received) == 10


def test_during_a_rotation_messages_have_both_signatures_and_never_three(
    post: Post, shop: Receiver, owner: str
) -> None:
    endpoint = post.endpoint(owner, shop.url)
    for number in (1, 2):
        secret = post.keys.seal(bytes([number]) * 32, owner=seal_owner(endpoint.id))
        post.db.transact(rotate_secret, owner, endpoint.id, secret, old_until=wall() + HOUR)
    post.tell(owner)
    post.send()
    post.tell(owner, "2")
    post.send(later=2 * HOUR)
    counts = [len(got.headers["webhook-signature"].split(" ")) for got in shop.received]
    assert counts == [2, 1]


def test_a_suspended_partner_is_told_nothing(post: Post, shop: Receiver) -> None:
    id_ = new_id()
    partner = Partner(id_, "Bank", frozenset({Scope.WEBHOOKS_MANAGE}), now())
    key = PartnerKey("k1", "EdDSA", b"\0" * 44, now())
    post.db.transact(add_partner, partner, key)
    post.endpoint(partner_owner(id_), shop.url, NewsKind.POINTS_EXPIRING)
    post.db.transact(suspend_partner, id_, at=now())
    post.tell(partner_owner(id_), kind=NewsKind.POINTS_EXPIRING)
    assert post.send() == 0


def test_what_is_anothers_is_nobodys(post: Post, shop: Receiver, owner: str) -> None:
    endpoint, stranger = post.endpoint(owner, shop.url), merchant_owner(new_id())
    foreign = post.endpoint(stranger, shop.url + "/2")
    message = post.tell(owner)
    for who, which in ((stranger, endpoint.id), (owner, new_id()), (owner, None)):
        with pytest.raises(EndpointUnknown):
            post.db.transact(delete_endpoint, who, which)
    with pytest.raises(MessageUnknown):
        post.db.transact(replay_message, foreign, message)
    assert post.db.transact(replay_since, foreign, now() - HOUR).messages == 0
    assert post.db.read(deliveries, foreign, before=None, limit=9) == []
    forged = Endpoint(endpoint.id, *_rest(foreign))
    assert post.db.read(deliveries, forged, before=None, limit=9) == []
    post.send()
    assert [got.path for got in shop.received] == ["/hook"]


def _rest(endpoint: Endpoint) -> tuple[Any, ...]:
    return (endpoint.owner, endpoint.url, endpoint.kinds, endpoint.scheme, b"", None, None, now())


def test_a_deleted_endpoint_takes_its_log_along_and_old_messages_go(
    post: Post, shop: Receiver, owner: str
) -> None:
    endpoint = post.endpoint(owner, shop.url)
    post.tell(owner)
    post.send()
    post.db.transact(delete_endpoint, owner, endpoint.id)
    assert rows(post.db, "select number from webhook_attempt") == []
    assert post.worker_db.transact(sweep_messages, at=now() + 29 * 24 * HOUR) == 0
    assert post.worker_db.transact(sweep_messages, at=now() + 31 * 24 * HOUR) == 1


def test_the_figure_is_the_age_of_what_is_due(post: Post, owner: str) -> None:
    endpoint = post.endpoint(owner, "http://127.0.0.1:1/")
    post.tell(owner)
    audit_db = Database(post.db.url, role="tanpu_audit")
    assert 0 < audit_db.read(figures_of, at=now()).webhook_age_s < 60
    off = EndpointChanges(None, None, is_on=False)
    post.db.transact(change_endpoint, owner, endpoint.id, off, at=now())
    assert audit_db.read(figures_of, at=now()).webhook_age_s == 0
    audit_db.dispose()
