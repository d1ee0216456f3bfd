"""A crash at the one effect of an order, a redemption, a reversal: lost, or landed and untold.

Goal: whoever asks again with the same request finds it done once. Method: a wire across the commit
or the call; the request ends without an answer, and is sent again.
"""

from collections.abc import Callable
from datetime import datetime
from inspect import iscoroutinefunction

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.city import City
from tests.support.acts import one
from tests.support.tripwire import Tripwire, unanswered
from tests.web.counter import REDEMPTIONS, Counter


@pytest.fixture
def counter(app: FastAPI, client: TestClient, city: City) -> Counter:
    return Counter(app, client, city)


def through_a_crash(
    of: object, effect: str, ask: Callable[[], Response], *, landed: bool, number: int = 1
) -> Response:
    """Ask, lose the answer with or without what it did, and ask again.

    ``number`` says which of the request's effects it is: an order is counted before it is placed.
    """
    wire, whole = Tripwire(number, landed=landed), getattr(of, effect)
    is_awaited = iscoroutinefunction(whole)
    crossed = wire.wrap_awaited(whole) if is_awaited else unanswered(wire.wrap(whole))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(of, effect, crossed)
        # The client is told 500 here; a process that is gone says nothing at all.
        assert ask().status_code == 500
    assert wire.passed == number
    return ask()


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_an_order_is_placed_once(counter: Counter, *, landed: bool) -> None:
    ann = counter.person(y2027=100)
    wanted = counter.wanted(counter.street.offer())

    def ask() -> Response:
        return ann.ask("POST", "/v1/orders", wanted, key="k")

    answer = through_a_crash(counter.city.db, "transact", ask, landed=landed, number=2)
    assert answer.status_code == 201, answer.text
    assert ("idempotent-replayed" in answer.headers) is landed
    assert [each["id"] for each in ann.get("/v1/orders")["data"]] == [answer.json()["id"]]
    assert counter.street.held(ann.citizen.number) == {2027: 30}


def still(_at: datetime) -> int:
    """Let a code's 30 s stand still: asked twice it is one request, however slow the machine is."""
    return 58_000_000


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_a_voucher_is_redeemed_once(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, *, landed: bool
) -> None:
    ann = counter.person(y2027=100)
    monkeypatch.setattr("app.mall.vouchers.step_at", still)
    qr = counter.shown(ann, counter.order(ann))["qr"]

    def ask() -> Response:
        return counter.redeem(qr, key="k")

    answer = through_a_crash(counter.app.state.calls, "call", ask, landed=landed)
    assert answer.status_code == (200 if landed else 201), answer.text
    assert ("idempotent-replayed" in answer.headers) is landed
    assert one(counter.city.db, "select count(*), sum(points)::int from redemption") == (1, 30)
    assert counter.street.held(ann.citizen.number) == {}


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_a_redemption_is_reversed_once(counter: Counter, *, landed: bool) -> None:
    ann = counter.person(y2027=100)
    done = counter.redeem(counter.shown(ann, counter.order(ann))["qr"]).json()
    path = f"{REDEMPTIONS}/{done['id']}/reverse"

    def ask() -> Response:
        return counter.post(path, key="k")

    answer = through_a_crash(counter.city.db, "call", ask, landed=landed)
    assert answer.status_code == (200 if landed else 201), answer.text
    assert one(counter.city.db, "select count(*) from reversal") == (1,)
    assert counter.street.own(ann.citizen.number) == {2027: 100}
