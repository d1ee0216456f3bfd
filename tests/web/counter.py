"""A shop's counter over HTTP (柜台): tills that sign, and a street of customers."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.citizens import Citizen
from app.city import City
from app.kernel.clock import now
from app.kernel.ids import public_id
from app.kernel.tokens import Principal
from app.settlements import SettlementSeal, settle_days
from ledger.accounts import bucket_of
from tests.support.acts import one
from tests.support.mall import Shop, TestTill, merchant, till
from tests.support.orders import Street
from tests.web.neighbours import Neighbour, neighbour

REDEMPTIONS = "/v1/merchant/redemptions"


class Counter:
    """A shop's counter: tills that sign, and a street of customers."""

    def __init__(self, app: FastAPI, client: TestClient, city: City) -> None:
        self.app, self.client, self.city = app, client, city
        self.street = Street(city.db, city.keys)
        self.shop: Shop = merchant(city.db, city.keys, 1, offline_cap_points=100)
        self.till: TestTill = till(city.db, self.shop)
        self.street.shop = self.shop.merchant.id

    def person(self, **classes: int) -> Neighbour:
        (owner,) = self.street.people(1, **classes)
        return neighbour(self.app, self.client, Citizen(bucket_of(owner), owner))

    def order(self, who: Neighbour, key: str | None = None, **terms: Any) -> dict[str, Any]:  # noqa: ANN401 -- columns
        """Order a new offer."""
        answer = who.ask("POST", "/v1/orders", self.wanted(self.street.offer(**terms)), key=key)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def wanted(self, of: UUID, **changes: object) -> dict[str, object]:
        """Write what an order of an offer sends."""
        found = one(self.city.db, "select version, price_points from offer where id = %s", of)
        said = {"offer": public_id("off", of), "version": found[0], "price_points": found[1]}
        return said | changes

    def shown(self, who: Neighbour, order: dict[str, Any]) -> dict[str, Any]:
        """Give the voucher of an order, as the phone has it."""
        return who.get(f"/v1/vouchers/{order['voucher']}")

    def post(
        self, path: str, body: object = None, *, at: TestTill | None = None, key: str | None = None
    ) -> Response:
        """Send a request as a till signs it."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = (at or self.till).sign("POST", path, body=content, key=key)
        return self.client.post(path, content=content, headers=headers)

    def redeem(self, code: str, *, at: TestTill | None = None, key: str | None = None) -> Response:
        """Redeem at a till."""
        return self.post(REDEMPTIONS, {"code": code}, at=at, key=key)

    def settled(self) -> str:
        """Settle today, as the job does tomorrow; gives the newest statement."""
        seal = SettlementSeal(self.city.keys.receipt, self.city.settings.origin)
        settle_days(self.city.db, seal, at=now() + timedelta(days=1, hours=2))
        (made,) = one(self.city.db, "select id from settlement order by id desc limit 1")
        return public_id("set", made)

    def get(self, path: str, *, at: TestTill | None = None) -> Response:
        """Ask as a till."""
        return self.client.get(path, headers=(at or self.till).sign("GET", path))

    def ask_as(self, who: Principal, path: str, key: str) -> Response:
        """Post as a person of the merchant."""
        token = self.app.state.tokens.issue(who, at=now())
        headers = {"authorization": f"Bearer {token}", "idempotency-key": key}
        return self.client.post(path, headers=headers)
