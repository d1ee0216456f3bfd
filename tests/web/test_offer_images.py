"""Pictures of offers over HTTP (商品图片接口): made anew, bounded, and served for good."""

from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from app.city import City
from app.mall.images import BODY_MAX
from app.mall.object_store import FileStore
from app.mall.offer_uploads_api import UPLOADS
from app.mall.pictures import hold_pictures, sweep_pictures
from tests.support.offers import OFFERS, Console, Market, picture
from tests.support.tripwire import Crash, Tripwire

PUBLIC = "/v1/public/images"


@pytest.fixture
def shop(market: Market) -> Console:
    return market.console()


def sent(shop: Console, offer: str, data: bytes, key: str | None = None) -> list[str]:
    answer = shop.ask("POST", f"{OFFERS}/{offer}/images", data, key)
    assert answer.status_code == 201, answer.text
    return answer.json()["images"]


def on_sale(market: Market, shop: Console) -> tuple[dict[str, Any], str]:
    """Publish an offer with a picture; gives both."""
    offer = shop.added()["id"]
    (name,) = sent(shop, offer, picture())
    waiting = shop.ask("POST", f"{OFFERS}/{offer}/submission").json()
    return market.decide(waiting).json(), name


def test_a_picture_is_served_by_its_hash_and_kept_for_good(
    market: Market, shop: Console, client: TestClient
) -> None:
    _, name = on_sale(market, shop)
    served = client.get(f"{PUBLIC}/{name}")
    assert sha256(served.content).hexdigest() == name
    assert served.headers["content-type"] == "image/webp"
    assert served.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert served.headers["x-content-type-options"] == "nosniff"
    with Image.open(BytesIO(served.content)) as shown:
        assert (shown.format, shown.size) == ("WEBP", (64, 48))
    tag = served.headers["etag"]
    assert client.get(f"{PUBLIC}/{name}", headers={"If-None-Match": tag}).status_code == 304


def test_a_new_picture_goes_to_the_desk_and_is_public_once_it_is_approved(
    market: Market, shop: Console, client: TestClient
) -> None:
    """Whoever has its name alone sees nothing; owner and desk do, by the offer."""
    offer = market.published(shop)["id"]
    (name,) = sent(shop, offer, picture())
    own = shop.ask("GET", f"{OFFERS}/{offer}").json()
    assert (own["state"], own["version"]) == ("draft", 2)
    waiting = shop.ask("POST", f"{OFFERS}/{offer}/submission").json()
    hidden = client.get(f"{PUBLIC}/{name}")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "offers.image_unknown")
    assert hidden.headers["cache-control"] == "no-store"
    path, desk = f"{OFFERS}/{offer}/images/{name}", f"/v1/admin/offers/{offer}/images/{name}"
    for shown in (shop.ask("GET", path), market.clerk.get(desk)):
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
        assert sha256(shown.content).hexdigest() == name
        assert shown.headers["cache-control"] == "no-store"
        assert shown.headers["x-content-type-options"] == "nosniff"
    assert client.get(path).status_code == client.get(desk).status_code == 401
    other = shop.added()["id"]
    for foreign in (path.replace(offer, other), path.replace(name, "0" * 64)):
        assert shop.ask("GET", foreign).json()["code"] == "offers.image_unknown"
    market.decide(waiting)
    assert client.get(f"{PUBLIC}/{name}").status_code == 200
    shop.ask("POST", f"{OFFERS}/{offer}/withdrawal")
    assert client.get(f"{PUBLIC}/{name}").status_code == 404


def test_pictures_are_ordered_and_dropped_and_never_borrowed(shop: Console, market: Market) -> None:
    offer, other = shop.added()["id"], market.console(2)
    first, second = sent(shop, offer, picture()), sent(shop, offer, picture("PNG", (9, 9)))
    assert second[:1] == first
    assert shop.change(offer, images=second[::-1]).json()["images"] == second[::-1]
    assert shop.change(offer, images=second[:1]).json()["images"] == first
    theirs = other.added()["id"]
    borrowed = other.change(theirs, images=first)
    assert (borrowed.status_code, borrowed.json()["code"]) == (422, "offers.image_foreign")
    twice = shop.change(offer, images=first * 2)
    assert twice.status_code == 422


def test_the_same_picture_again_is_one(shop: Console) -> None:
    offer = shop.added()["id"]
    assert sent(shop, offer, picture()) == sent(shop, offer, picture())
    assert sent(shop, offer, picture("PNG"), "k") == sent(shop, offer, picture("PNG"), "k")
    reused = shop.ask("POST", f"{OFFERS}/{offer}/images", picture(), "k")
    assert reused.json()["code"] == "idempotency.key_reused"


def test_an_offer_has_at_most_eight_pictures(shop: Console) -> None:
    offer = shop.added()["id"]
    for number in range(1, 9):
        assert len(sent(shop, offer, picture("PNG", (number, 1)))) == number
    ninth = shop.ask("POST", f"{OFFERS}/{offer}/images", picture("PNG", (9, 1)))
    assert (ninth.status_code, ninth.json()["code"]) == (409, "offers.images_many")


def test_more_than_five_megabytes_are_not_read(shop: Console) -> None:
    offer = shop.added()["id"]
    path = f"{OFFERS}/{offer}/images"
    large = shop.ask("POST", path, b"\xff\xd8" + bytes(BODY_MAX))
    assert (large.status_code, large.json()["code"]) == (413, "request.too_large")
    most = shop.ask("POST", path, b"\xff\xd8" + bytes(BODY_MAX - 2))
    assert (most.status_code, most.json()["code"]) == (422, "offers.image_invalid")
    elsewhere = shop.ask("POST", f"{OFFERS}/{offer}/submission", bytes(300_000))
    assert elsewhere.status_code == 413


def test_a_merchant_sends_a_bounded_number_of_pictures(
    shop: Console, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer, other = shop.added()["id"], market.console(2)
    monkeypatch.setattr("app.mall.offer_uploads_api.UPLOADS", replace(UPLOADS, most=2))
    for number in (1, 2):
        sent(shop, offer, picture("PNG", (number, 1)))
    third = shop.ask("POST", f"{OFFERS}/{offer}/images", picture("PNG", (3, 1)))
    assert (third.status_code, third.json()["code"]) == (429, "limits.exceeded")
    assert sent(other, other.added()["id"], picture())


def test_a_name_is_a_hash_and_no_path(client: TestClient) -> None:
    for name in ("..%2f..%2fetc%2fpasswd", "A" * 64, "0" * 63, "0" * 64 + ".webp"):
        assert client.get(f"{PUBLIC}/{name}").status_code in {404, 422}
    assert client.get(f"{PUBLIC}/{'0' * 64}").json()["code"] == "offers.image_unknown"


def test_what_no_offer_shows_is_not_served(app: FastAPI, client: TestClient) -> None:
    name = app.state.pictures.put(b"lost when its request was")
    assert client.get(f"{PUBLIC}/{name}").status_code == 404


def test_a_picture_that_the_disk_lost_is_missing_and_no_defect(
    market: Market, shop: Console, client: TestClient, city: City
) -> None:
    _, name = on_sale(market, shop)
    path = city.settings.images_path / name[:2] / name
    assert client.get(f"{PUBLIC}/{name}").status_code == 200
    path.write_bytes(path.read_bytes()[:-1])
    assert client.get(f"{PUBLIC}/{name}").status_code == 404
    path.unlink()
    assert client.get(f"{PUBLIC}/{name}").status_code == 404


def test_what_no_offer_shows_any_more_is_swept(app: FastAPI, shop: Console, city: City) -> None:
    offer, store = shop.added()["id"], app.state.pictures
    kept, dropped = sent(shop, offer, picture()), sent(shop, offer, picture("PNG", (9, 9)))[1]
    shop.change(offer, images=kept)
    draft = city.settings.images_path / dropped[:2] / f".{dropped}.1"
    draft.write_bytes(b"of a crash")
    assert sweep_pictures(city.worker_db, store) == 2
    assert list(store.names()) == kept
    assert sweep_pictures(city.worker_db, store) == 0


def test_a_sweep_that_stops_anywhere_is_ended_by_the_next(city: City) -> None:
    store = FileStore(city.settings.images_path)
    for step in (1, 2, 3):
        for landed in (False, True):
            for number in range(3):
                store.put(bytes([number]))
            wire = Tripwire(step, landed=landed)
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(store, "delete", wire.wrap(store.delete))
                with pytest.raises(Crash):
                    sweep_pictures(city.worker_db, store)
            left = 3 - step + (not landed)
            assert sweep_pictures(city.worker_db, store) == left
            assert list(store.names()) == []


def test_a_picture_that_is_being_added_is_not_swept(
    app: FastAPI, shop: Console, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are there and its row is not committed: the sweep leaves all for its next run."""
    offer, store = shop.added()["id"], app.state.pictures
    put, found = store.put, list[int]()

    def put_and_swept(data: bytes) -> str:
        name = put(data)
        found.append(sweep_pictures(city.worker_db, store))
        return name

    monkeypatch.setattr(store, "put", put_and_swept)
    (name,) = sent(shop, offer, picture())
    assert found == [0]
    assert store.get(name) is not None
    assert sweep_pictures(city.worker_db, store) == 0
    with psycopg.connect(city.worker_db.url, autocommit=True) as backup:
        put(b"nobody's")
        hold_pictures(backup)
        assert sweep_pictures(city.worker_db, store) == 0
    assert sweep_pictures(city.worker_db, store) == 1
