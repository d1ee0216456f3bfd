"""The catalogue of offers over HTTP (商品目录接口): found, paged, cached."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.kernel.ids import public_id
from app.mall.offers_api import SEARCHES
from tests.support.offers import Console, Market

CATALOGUE = "/v1/offers"


@pytest.fixture
def shop(market: Market) -> Console:
    return market.console()


def found(client: TestClient, **query: Any) -> list[str]:  # noqa: ANN401 -- a query's values
    answer = client.get(CATALOGUE, params=query)
    assert answer.status_code == 200, answer.text
    return [each["title_en"] for each in answer.json()["data"]]


def test_words_are_found_in_titles_texts_and_names(
    market: Market, shop: Console, client: TestClient
) -> None:
    market.published(shop, title_zh="冰拿铁 100%", title_en="Iced", text_en="Milk under_score")
    market.published(shop, title_zh="门票", title_en="Zoo", text_zh="熊猫馆", text_en="back\\slash")
    for words, titles in {
        "拿铁": ["Iced"],
        "熊猫": ["Zoo"],
        "iced": ["Iced"],
        "MILK 冰": ["Iced"],
        "milk 熊猫": [],
        "商户1": ["Zoo", "Iced"],
        "merchant 门": ["Zoo"],
        "100%": ["Iced"],
        "%": ["Iced"],
        "_": ["Iced"],
        "\\": ["Zoo"],
        "r_sc": ["Iced"],
        "rxsc": [],
        "' or 1=1 --": [],
        "": ["Zoo", "Iced"],
        "  ": ["Zoo", "Iced"],
        "a b c d e f g h zzz": [],
    }.items():
        assert found(client, q=words) == titles, words


def test_filters_narrow_together(market: Market, shop: Console, client: TestClient) -> None:
    other = market.console(2)
    market.published(shop, title_en="A", price_points=10)
    market.published(shop, title_en="B", price_points=20, kind="ticket", category="culture")
    market.published(other, title_en="C", price_points=30, kind="ticket")
    assert found(client, kind="ticket") == ["C", "B"]
    assert found(client, category="food") == ["C", "A"]
    assert found(client, kind="ticket", category="food") == ["C"]
    assert found(client, merchant=public_id("mer", shop.merchant)) == ["B", "A"]
    assert found(client, merchant="mer_zzzzzzzzzzzzzzzzzzzzzzzzzz") == []
    assert found(client, price_points_min=20, price_points_max=20) == ["B"]
    assert found(client, price_points_min=21) == ["C"]
    assert found(client, price_points_max=9) == []
    for wrong in ({"kind": "x"}, {"category": "x"}, {"merchant": "x"}, {"price_points_min": 0}):
        assert client.get(CATALOGUE, params=wrong).status_code == 422
    assert client.get(CATALOGUE, params={"q": "x" * 101}).status_code == 422
    assert client.get(CATALOGUE, params={"q": "\0"}).status_code == 422
    assert client.get(CATALOGUE, params={"cursor": "W10"}).status_code == 422


def test_pages_follow_one_another_without_gap_or_repeat(
    market: Market, shop: Console, client: TestClient
) -> None:
    for number in range(5):
        market.published(shop, title_en=str(number))
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get(CATALOGUE, params=query).json()
        seen += [each["title_en"] for each in page["data"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (["4", "3", "2", "1", "0"], None)


def test_what_a_reader_has_is_not_sent_again_until_it_changes(
    market: Market, shop: Console, client: TestClient
) -> None:
    offer = market.published(shop)["id"]
    for path in (CATALOGUE, f"{CATALOGUE}/{offer}", "/v1/offer-categories"):
        first = client.get(path)
        assert first.headers["cache-control"] == "public, max-age=30"
        assert first.headers["access-control-allow-origin"] == "*"
        tag = first.headers["etag"]
        assert not tag.startswith("W/")
        again = client.get(path, headers={"If-None-Match": f'"other", {tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    tag = client.get(f"{CATALOGUE}/{offer}").headers["etag"]
    shop.change(offer, stocked=11)
    changed = client.get(f"{CATALOGUE}/{offer}", headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["left"]) == (200, 11)


def test_a_missing_offer_is_kept_by_no_cache(client: TestClient) -> None:
    for path in (f"{CATALOGUE}/off_{'0' * 26}", f"{CATALOGUE}/x"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")


def test_categories_are_listed_in_both_languages(client: TestClient) -> None:
    told = client.get("/v1/offer-categories").json()["data"]
    assert {"code": "food", "title_zh": "餐饮食品", "title_en": "Food and drink"} in told


def test_searches_of_a_network_are_bounded_and_lists_are_not(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.mall.offers_api.SEARCHES", replace(SEARCHES, most=2))
    assert [found(client, q="latte"), found(client, q="tea")] == [[], []]
    third = client.get(CATALOGUE, params={"q": "cake"})
    assert (third.status_code, third.json()["code"]) == (429, "limits.exceeded")
    assert 0 < int(third.headers["retry-after"]) <= SEARCHES.window.total_seconds() * 1.1
    assert [found(client), found(client, category="food"), found(client, q=" ")] == [[], [], []]
