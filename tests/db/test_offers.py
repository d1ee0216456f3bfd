"""Offers and their states (商品状态): every command in every state, and two at once."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.problems import Refusal
from app.kernel.secrets import Keys
from app.mall.offer_errors import OffersMany, OfferStuck, TagStale
from app.mall.offer_rules import Offer, OfferState
from app.mall.offers import (
    add_image,
    add_offer,
    add_offers,
    approve,
    change,
    find_offer,
    refuse,
    submit,
    withdraw,
)
from tests.support.acts import rows
from tests.support.mall import merchant
from tests.support.offers import content

DRAFT, SUBMITTED, PUBLISHED, REFUSED, WITHDRAWN = OfferState
Command = Callable[[Session, Offer], Offer]


@pytest.fixture
def shop(db: Database, keys: Keys) -> UUID:
    return merchant(db, keys).merchant.id


def added(db: Database, shop: UUID, at: datetime) -> Offer:
    return db.transact(add_offer, new_id(), shop, content(at), 10, at=at)


COMMANDS: dict[str, Command] = {
    "change": lambda session, o: change(
        session, o.id, o.merchant, frozenset({o.tag}), {"price_points": 31}
    ),
    "restock": lambda session, o: change(
        session, o.id, o.merchant, frozenset({o.tag}), {"stocked": 11}
    ),
    "image": lambda session, o: add_image(session, o.id, o.merchant, "0" * 64),
    "submit": lambda session, o: submit(session, o.id, o.merchant),
    "withdraw": lambda session, o: withdraw(session, o.id, o.merchant),
    "approve": lambda session, o: approve(session, o.id, o.version, at=now()),
    "refuse": lambda session, o: refuse(session, o.id, o.version, "no"),
}
WAYS: dict[OfferState, tuple[str, ...]] = {
    DRAFT: (),
    SUBMITTED: ("submit",),
    PUBLISHED: ("submit", "approve"),
    REFUSED: ("submit", "refuse"),
    WITHDRAWN: ("submit", "withdraw"),
}
"""How an offer comes into each state."""
ALWAYS = dict.fromkeys(OfferState, DRAFT)
TABLE: dict[str, dict[OfferState, OfferState]] = {
    "change": ALWAYS,
    "image": ALWAYS,
    "restock": {state: state for state in OfferState},
    "submit": {DRAFT: SUBMITTED, WITHDRAWN: SUBMITTED},
    "withdraw": {SUBMITTED: WITHDRAWN, PUBLISHED: WITHDRAWN},
    "approve": {SUBMITTED: PUBLISHED},
    "refuse": {SUBMITTED: REFUSED, PUBLISHED: REFUSED},
}
"""Where each command leads from each state; a state that is not named refuses it."""


@pytest.mark.parametrize("state", list(OfferState))
@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_command_in_every_state(
    db: Database, shop: UUID, name: str, state: OfferState
) -> None:
    offer = added(db, shop, now())
    for step in WAYS[state]:
        offer = db.transact(COMMANDS[step], offer)
    assert offer.state is state
    before = db.read(find_offer, offer.id)
    assert before == offer
    if state not in TABLE[name]:
        with pytest.raises(OfferStuck):
            db.transact(COMMANDS[name], offer)
        assert db.read(find_offer, offer.id) == before
        return
    after = db.transact(COMMANDS[name], offer)
    assert db.read(find_offer, offer.id) == after
    assert after.state is TABLE[name][state]
    assert after.version - before.version == (name in {"change", "image"})
    assert (after.reason is not None) == (after.state is REFUSED)
    assert after.tag != before.tag


def test_a_table_is_added_whole_or_not_at_all(db: Database, shop: UUID) -> None:
    at = now()
    good, bad = content(at), replace(content(at), sale_to=at - (at - content(at).sale_from) * 2)
    with pytest.raises(Refusal):
        db.transact(add_offers, shop, [(new_id(), good, 1), (new_id(), bad, 1)], at=at)
    assert rows(db, "select from offer") == []


def test_a_merchants_bound_holds_for_two_who_add_at_once(
    db: Database, shop: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.mall.offers.OFFERS_MAX", 5)
    at, refused = now(), list[Refusal]()

    def add() -> None:
        try:
            db.transact(add_offers, shop, [(new_id(), content(at), 1) for _ in range(3)], at=at)
        except OffersMany as error:
            refused.append(error)

    together(*[add] * 4)
    assert rows(db, "select count(*) from offer") == [(3,)]
    assert len(refused) == 3


def test_of_two_changes_to_what_both_read_one_is_made(db: Database, shop: UUID) -> None:
    offer, late = added(db, shop, now()), list[Refusal]()
    tags = frozenset({offer.tag})

    def edit(price: int) -> Callable[[], None]:
        def run() -> None:
            try:
                db.transact(change, offer.id, shop, tags, {"price_points": price})
            except TagStale as error:
                late.append(error)

        return run

    together(*(edit(price) for price in range(100, 108)))
    assert len(late) == 7
    assert db.read(find_offer, offer.id).version == 2


def test_an_approval_and_a_change_at_once_publish_only_what_was_read(
    db: Database, shop: UUID
) -> None:
    for _ in range(10):
        offer = db.transact(COMMANDS["submit"], added(db, shop, now()))

        def run(name: str, offer: Offer = offer) -> Callable[[], None]:
            def tried() -> None:
                try:
                    db.transact(COMMANDS[name], offer)
                except Refusal as error:
                    assert error.code in {"offers.changed", "offers.stuck", "offers.tag_stale"}  # noqa: PT017 -- in a thread

            return tried

        together(run("approve"), run("change"))
        found = db.read(find_offer, offer.id)
        assert (found.state, found.version, found.content.price_points) in {
            (PUBLISHED, 1, 30),
            (DRAFT, 2, 31),
        }


def together(*deeds: Callable[[], None]) -> None:
    """Run all at once."""
    start = threading.Barrier(len(deeds))
    failed: list[BaseException] = []

    def run(deed: Callable[[], None]) -> None:
        start.wait(timeout=10)
        try:
            deed()
        except BaseException as error:  # noqa: BLE001 -- told to the test
            failed.append(error)

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=30)
    assert failed == []
