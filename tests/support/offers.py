"""Offers in tests (商品样例): a merchant at its console, a clerk at the desk, what is sold."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from httpx2 import Response
from PIL import Image
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import now
from app.kernel.ids import new_id
from app.kernel.scopes import Role
from app.mall.categories import Category
from app.mall.offer_rules import Content, OfferKind
from app.merchants import MerchantKind
from tests.support.desk import Person, clerk
from tests.support.mall import Shop, merchant

OFFERS = "/v1/merchant/offers"
DAY = timedelta(days=1)


def wish(**changes: object) -> dict[str, Any]:
    """Write an offer as JSON says it."""
    at = now()
    said = {
        "kind": "goods",
        "category": "food",
        "title_zh": "拿铁一杯",
        "title_en": "A latte",
        "price_points": 30,
        "stocked": 10,
        "sale_from": (at - DAY).isoformat(),
        "sale_to": (at + 30 * DAY).isoformat(),
        "voucher_days": 7,
    }
    return said | changes


def content(at: datetime, **changes: Any) -> Content:  # noqa: ANN401 -- fields
    """Give the same as a value."""
    said: dict[str, Any] = {
        "kind": OfferKind.GOODS,
        "category": Category.FOOD,
        "title_zh": "拿铁一杯",
        "title_en": "A latte",
        "text_zh": "",
        "text_en": "",
        "price_points": 30,
        "price_fen": 0,
        "per_person": None,
        "per_day": None,
        "sale_from": at - DAY,
        "sale_to": at + 30 * DAY,
        "voucher_days": 7,
    }
    return Content(**said | changes)


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), **how: Any) -> bytes:  # noqa: ANN401 -- Pillow's
    """Draw a picture as a phone would send one."""
    out = BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, **how)
    return out.getvalue()


@dataclass
class Console:
    """A merchant's owner at the console."""

    client: TestClient
    shop: Shop
    headers: dict[str, str] = field(repr=False)

    @property
    def merchant(self) -> UUID:
        return self.shop.merchant.id

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401 -- JSON, or bytes
        key: str | None = None,
        **headers: str,
    ) -> Response:
        said = {"Idempotency-Key": key or new_id().hex, **self.headers, **headers}
        if isinstance(body, bytes):
            return self.client.request(method, path, content=body, headers=said)
        return self.client.request(method, path, json=body, headers=said)

    def added(self, **changes: object) -> dict[str, Any]:
        made = self.ask("POST", OFFERS, wish(**changes))
        assert made.status_code == 201, made.text
        return made.json()

    def submitted(self, **changes: object) -> dict[str, Any]:
        made = self.added(**changes)
        sent = self.ask("POST", f"{OFFERS}/{made['id']}/submission")
        assert sent.status_code == 200, sent.text
        return sent.json()

    def change(self, offer: str, **changes: object) -> Response:
        """Change an offer as it is now."""
        tag = self.ask("GET", f"{OFFERS}/{offer}").headers["etag"]
        return self.ask("PATCH", f"{OFFERS}/{offer}", changes, **{"If-Match": tag})


@dataclass
class Market:
    """A desk, and the merchants that come to it."""

    app: FastAPI
    client: TestClient
    city: City
    clerk: Person = field(init=False)

    def __post_init__(self) -> None:
        self.clerk = clerk(self.app, self.client, self.city, Role.OPERATOR, "offers")

    def console(self, number: int = 1, kind: MerchantKind = MerchantKind.BUSINESS) -> Console:
        shop = merchant(self.city.db, self.city.keys, number, kind=kind)
        token = self.app.state.tokens.issue(shop.principal(), at=now())
        return Console(self.client, shop, {"Authorization": f"Bearer {token}"})

    def decide(self, offer: dict[str, Any], what: str = "approval", **said: object) -> Response:
        path = f"/v1/admin/offers/{offer['id']}/{what}"
        return self.clerk.post(path, {"version": offer["version"], **said})

    def published(self, console: Console, **changes: object) -> dict[str, Any]:
        """Write an offer, submit it and have it approved."""
        made = self.decide(console.submitted(**changes))
        assert made.status_code == 200, made.text
        return made.json()
