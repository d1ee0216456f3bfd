"""Clients of the mall over HTTP (商城压测客户端), who never give up, and what they were told.

Each is a citizen and a till at once: it orders, redeems, cancels and reverses, with a key and a
body that stay the same until a definite answer comes. What was answered is what must hold
afterwards, no more and no less.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.client import HTTPConnection, HTTPException
from typing import Any, Final, NamedTuple
from uuid import UUID

from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id, public_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal, Tokens
from app.settlements import SettlementSeal, settle_days
from tests.support.acts import rows
from tests.support.auditing import assert_clean
from tests.support.mall import HOST, TestTill, merchant, till
from tests.support.orders import Street

CLIENTS: Final = 16
ORIGIN: Final = "tanpu.localhost/ledger/1"
WITHIN_S: Final = 60.0
"""For whatever a storm waits for."""
PATIENCE_S: Final = 60.0
"""A request that has no answer after so long is a finding."""
PAUSE_S: Final = 0.05
AWAY: Final = 503
REDEMPTIONS: Final = "/v1/merchant/redemptions"


class Asked(NamedTuple):
    """A request, frozen: sent again it is the same, but for a till's signature."""

    method: str
    path: str
    body: bytes = b""
    key: str = ""
    is_till: bool = False


class Told(NamedTuple):
    """What it was answered."""

    status: int
    body: bytes
    is_replayed: bool

    @property
    def json(self) -> Any:  # noqa: ANN401 -- JSON
        return json.loads(self.body)


class Goods(NamedTuple):
    """What an order names."""

    offer: UUID
    price_points: int


@dataclass
class Caller:
    """One client: what it may show, what it did, what it was told."""

    port: int
    owner: int
    token: str = field(repr=False)
    till: TestTill
    goods: Sequence[Goods]
    rng: random.Random
    told: list[tuple[Asked, Told]] = field(default_factory=list[tuple[Asked, Told]])
    states: dict[str, str] = field(default_factory=dict[str, str])
    """Of its orders, by id, as it was told."""
    points: dict[str, int] = field(default_factory=dict[str, int])
    """What each of them costs, likewise."""
    findings: list[str] = field(default_factory=list[str])
    broken: int = 0
    """Tries that ended without an answer, or with "away"."""
    _connection: HTTPConnection | None = None

    def live(self, stopped: threading.Event) -> None:
        """Go on until told to stop; whatever was begun is finished."""
        while not stopped.is_set():
            try:
                self.shop()
            except AssertionError as error:
                self.findings.append(f"{type(error).__name__}: {error}")

    def shop(self) -> None:
        """Order something, and do with it what people do."""
        goods = self.rng.choice(self.goods)
        wish = {
            "offer": public_id("off", goods.offer),
            "version": 1,
            "price_points": goods.price_points,
        }
        ordered = self.deed("/v1/orders", wish, expected={201, 409})
        if ordered.status != 201:
            return
        order = ordered.json
        self.states[order["id"]], self.points[order["id"]] = "reserved", order["points"]
        chance = self.rng.random()
        if chance < 0.25:
            self.deed(f"/v1/orders/{order['id']}/cancel", expected={200})
            self.states[order["id"]] = "cancelled"
        elif chance < 0.9:
            self.redeem(order, chance < 0.5)

    def redeem(self, order: dict[str, Any], then_reverse: bool) -> None:
        """Show the voucher to the till, and perhaps think better of it."""
        voucher = self.ask(Asked("GET", f"/v1/vouchers/{order['voucher']}"), expected={200}).json
        redeemed = self.deed(
            REDEMPTIONS, {"code": voucher["qr"]}, is_till=True, expected={200, 201}
        )
        self.states[order["id"]] = "redeemed"
        if then_reverse:
            path = f"{REDEMPTIONS}/{redeemed.json['id']}/reverse"
            self.deed(path, is_till=True, expected={200, 201})
            self.states[order["id"]] = "reversed"

    def deed(
        self, path: str, body: object = None, *, is_till: bool = False, expected: set[int]
    ) -> Told:
        """Ask for something that must be done once, and note the answer."""
        content = b"" if body is None else json.dumps(body).encode()
        asked = Asked("POST", path, content, new_id().hex, is_till)
        told = self.ask(asked, expected=expected)
        self.told.append((asked, told))
        return told

    def ask(self, asked: Asked, *, expected: set[int]) -> Told:
        """Ask until there is a definite answer."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                told = self._once(asked)
            except (OSError, HTTPException):
                self.close()
                self.broken += 1
                continue
            if told.status != AWAY:
                assert told.status in expected, f"{asked.path}: {told.status} {told.body[:300]!r}"
                return told
            self.broken += 1
            time.sleep(PAUSE_S)
        raise AssertionError(f"{asked.path}: no answer in {PATIENCE_S:.0f} s")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(self, asked: Asked) -> Told:
        if self._connection is None:
            self._connection = HTTPConnection("127.0.0.1", self.port, timeout=15)
        connection = self._connection
        if asked.is_till:
            headers = self.till.sign(asked.method, asked.path, body=asked.body, key=asked.key)
            headers["host"] = HOST.removeprefix("http://")
        else:
            headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
            if asked.key:
                headers["idempotency-key"] = asked.key
        connection.request(asked.method, asked.path, asked.body or None, headers)
        with connection.getresponse() as answer:
            return Told(answer.status, answer.read(), "idempotent-replayed" in answer.headers)


@dataclass
class Storm:
    """Sixteen clients at once, and whatever befalls their server meanwhile."""

    callers: Sequence[Caller]
    rng: random.Random
    faults: int = 0
    in_flight: int = 0
    """Faults that left somebody without an answer."""
    silence_s: float = 0.0
    """The longest time after a fault without one."""

    def __str__(self) -> str:
        """Report what a kill run has to (R32)."""
        return (
            f"{self.acknowledged} deeds acknowledged; {self.in_flight} of {self.faults} kills in"
            f" flight; longest silence {self.silence_s:.1f} s"
        )

    @property
    def acknowledged(self) -> int:
        """Deeds that were answered."""
        return sum(len(each.told) for each in self.callers)

    @property
    def findings(self) -> list[str]:
        return [finding for each in self.callers for finding in each.findings]

    @contextmanager
    def blowing(self) -> Generator[None]:
        """Let the clients go on while the body runs, and finish afterwards."""
        stopped = threading.Event()
        try:
            with ThreadPoolExecutor(len(self.callers)) as threads:
                running = [threads.submit(each.live, stopped) for each in self.callers]
                try:
                    yield
                finally:
                    stopped.set()
                for each in running:
                    each.result(2 * PATIENCE_S)
        finally:
            for each in self.callers:
                each.close()

    def until(self, more: int) -> None:
        """Wait for so many more deeds."""
        goal, until = self.acknowledged + more, time.monotonic() + WITHIN_S
        while self.acknowledged < goal:
            assert time.monotonic() < until, f"no {more} more deeds within {WITHIN_S:.0f} s"
            time.sleep(0.001)

    def strike(self, fault: Callable[[], None]) -> None:
        """Wait for a random moment of the work, and break something under it."""
        self.until(self.rng.randint(1, 16))
        time.sleep(self.rng.random() * 0.03)
        broken, begun = self._broken, time.monotonic()
        fault()
        self.until(1)
        self.silence_s = max(self.silence_s, time.monotonic() - begun)
        self.faults += 1
        self.in_flight += self._broken > broken

    @property
    def _broken(self) -> int:
        return sum(each.broken for each in self.callers)


def callers(db: Database, keys: Keys, port: int, rng: random.Random) -> list[Caller]:
    """Open a shop whose goods run out and are limited, or neither; give everybody points."""
    street, shop = Street(db, keys), merchant(db, keys, 1)
    street.shop = shop.merchant.id
    people = street.people(CLIENTS)
    street.give_all(people, 30_000, date(now().year + 1, 12, 31))
    street.give_all(people, 30_000, date(now().year + 2, 12, 31))
    offers = [
        Goods(street.offer(10**6, price_points=30), 30),
        Goods(street.offer(10**6, price_points=7), 7),
        Goods(street.offer(60, price_points=5), 5),
        Goods(street.offer(10**6, price_points=11, per_person=3), 11),
    ]
    tokens = Tokens(lambda: keys.access, ORIGIN)
    made: list[Caller] = []
    for owner in people:
        who = Principal("citizen", UUID(int=owner), SCOPES[Role.CITIZEN], owner)
        token = tokens.issue(who, at=now(), lifetime=timedelta(hours=9))
        counter = till(db, shop)
        made.append(Caller(port, owner, token, counter, offers, random.Random(rng.random())))
    return made


# afterwards -------------------------------------------------------------------------------------
_OWED: Final = """
select (select coalesce(sum(net_fen), 0)::int8 from settlement),
       (select coalesce(sum(b.credits - b.debits), 0)::int8
          from balance b join merchant m on m.account = b.account)"""
_ORDERS: Final = "select id, state from mall_order where account = %s"


def reconciled(storm: Storm, db: Database, keys: Keys, owner_url: str) -> list[str]:
    """Hold what is there to what was told; gives what differs: lost, doubled, told otherwise."""
    found = list(storm.findings)
    for each in storm.callers:
        there = {public_id("ord", id_): state for id_, state in rows(db, _ORDERS, each.owner)}
        found += [f"lost: {id_}" for id_ in each.states.keys() - there.keys()]
        found += [f"doubled: {id_} was told to nobody" for id_ in there.keys() - each.states.keys()]
        found += [
            f"told otherwise: {id_} is {there[id_]}, not {state}"
            for id_, state in each.states.items()
            if there.get(id_, state) != state
        ]
    found += unpaid(storm, db, keys)
    try:
        assert_clean(owner_url, keys, ORIGIN)
    except AssertionError as error:
        found.append(f"audit: {str(error)[:2000]}")
    return found


def unpaid(storm: Storm, db: Database, keys: Keys) -> list[str]:
    """Settle the day, and hold what the merchant is owed to what its tills were told."""
    tomorrow = now() + timedelta(days=1, hours=2)
    settle_days(db, SettlementSeal(keys.receipt, ORIGIN), at=tomorrow)
    owed = sum(
        each.points[id_]
        for each in storm.callers
        for id_, state in each.states.items()
        if state == "redeemed"
    )
    said, paid = rows(db, _OWED)[0]
    return [] if said == paid == owed else [f"unpaid: {owed} fen, stated {said}, posted {paid}"]


def replayed(storm: Storm) -> list[str]:
    """Send every deed again; gives those that are answered otherwise than the first time."""
    found: list[str] = []
    for each in storm.callers:
        for asked, told in each.told:
            again = each.ask(asked, expected={200, 201, 409})
            if asked.is_till:
                is_over = again.status == 409 and again.json["code"] == "voucher.reversed"
                if not is_over and _of_till(again) != _of_till(told):
                    found.append(f"{asked.path}: {told.body!r}, then {again.body!r}")
            elif (told.status, told.body) != (again.status, again.body) or not again.is_replayed:
                found.append(f"{asked.path}: {told.body!r}, then {again.body!r}")
        each.close()
    return found


def _of_till(told: Told) -> dict[str, Any]:
    """What a till is told, but for the words that say whether it is new."""
    return {name: value for name, value in told.json.items() if name != "message"}
