"""Statements over HTTP (结算接口): read, checked and contested; answered and paid by two clerks."""

import csv
import io
import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.city import City
from app.cli.verify import commands
from app.kernel.clock import now
from app.kernel.ids import new_id
from app.kernel.scopes import Role
from app.kernel.tokens import Principal
from app.settlements import close_windows, is_signed
from ledger.settlement import SettlementUntrue, check_settlement
from tests.support.acts import TODAY, one
from tests.support.desk import clerk
from tests.support.mall import merchant
from tests.support.orders import DAY
from tests.support.settlements import settle, sold
from tests.web.counter import Counter

OWN = "/v1/merchant/settlements"
DESK = "/v1/admin/settlements"
CHANGED = 40
"""Places of a document that are changed, one at a time."""


class Payee(Counter):
    """The counter, its owner at the console, and two operators of the desk."""

    def __init__(self, app: FastAPI, client: TestClient, city: City) -> None:
        super().__init__(app, client, city)
        self.first, self.second = (
            clerk(app, client, city, Role.OPERATOR, login) for login in ("o1", "o2")
        )

    def own(
        self,
        path: str = "",
        body: object = None,
        *,
        key: str | None = None,
        as_: Principal | None = None,
    ) -> Response:
        """Ask as the owner: a POST if there is a body."""
        token = self.app.state.tokens.issue(as_ or self.shop.principal(), at=now())
        headers = {"authorization": f"Bearer {token}", "idempotency-key": key or new_id().hex}
        method = "GET" if body is None else "POST"
        return self.client.request(method, f"{OWN}{path}", json=body, headers=headers)

    def sold(self, points: int = 70) -> str:
        """Sell to somebody new; gives the redemption."""
        someone = self.person(y2099=points)
        order = self.order(someone, price_points=points)
        made = self.redeem(self.shown(someone, order)["qr"])
        assert made.status_code == 201, made.text
        return made.json()["id"]

    def agreed(self, path: str, body: Mapping[str, object]) -> Response:
        """Ask for something at the desk, and have it signed by another."""
        asked = self.first.post(path, body)
        assert asked.status_code == 201, asked.text
        return self.second.sign(asked.json()["id"])


@pytest.fixture
def payee(app: FastAPI, client: TestClient, city: City) -> Payee:
    return Payee(app, client, city)


def public_of(payee: Payee) -> Ed25519PublicKey:
    return payee.city.keys.receipt.public_key()


def test_a_merchant_reads_a_statement_in_every_form(payee: Payee) -> None:
    payee.street.run("update merchant set fee_permille = 15 where id = %s", payee.shop.merchant.id)
    redemption = payee.sold()
    payee.post(f"/v1/merchant/redemptions/{payee.sold(30)}/reverse")
    settlement = payee.settled()
    (told,) = payee.own().json()["data"]
    assert (told["id"], told["state"], told["lines"]) == (settlement, "open", 3)
    assert (told["gross_fen"], told["fee_fen"], told["net_fen"]) == (70, 1, 69)

    answer = payee.own(f"/{settlement}")
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert document["settlement"] == told
    stated = check_settlement(document, partial(is_signed, public_of(payee)))
    assert (stated["settlement"], stated["net_fen"]) == (settlement, 69)
    assert [line["fen"] for line in document["lines"]] == [70, 30, -30]

    table = payee.own(f"/{settlement}.csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    read = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))))
    lines = [{name: str(each or "") for name, each in row.items()} for row in document["lines"]]
    assert [row | {"place": row["place"]} for row in read] == [
        line | {"place": str(number)} for number, line in enumerate(lines)
    ]

    printed = payee.own(f"/{settlement}.pdf")
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.content.startswith(b"%PDF-1.")
    assert b"NotoSansSC" in printed.content
    assert payee.own(f"/{settlement}.pdf").content == printed.content

    proof = payee.own(f"/{settlement}/redemptions/{redemption}/proof").json()
    assert [each["line"]["id"] for each in proof["proofs"]] == [redemption]
    assert check_settlement(proof, partial(is_signed, public_of(payee))) == stated


def test_a_statement_names_nobody(payee: Payee) -> None:
    """Whoever redeemed is in none of its forms."""
    payee.sold()
    settlement = payee.settled()
    (number,) = one(payee.city.db, "select account from subject")
    for path in ("", f"/{settlement}", f"/{settlement}.csv"):
        assert str(number) not in payee.own(path).text


def test_pages_of_statements(payee: Payee) -> None:
    till = payee.street.open_till(payee.shop.merchant.id)
    at = TODAY + timedelta(hours=12)  # a day is settled an hour after it at the earliest
    payee.street.at = at - 3 * DAY
    for days in (3, 2, 1):
        sold(payee.street, at=at - days * DAY, till=till)
    assert settle(payee.street, at) == 3
    first = payee.own("?limit=2").json()
    second = payee.own(f"?limit=2&cursor={first['next_cursor']}").json()
    days = [each["day"] for page in (first, second) for each in page["data"]]
    assert days == sorted(days, reverse=True)
    assert (len(first["data"]), len(set(days)), second["next_cursor"]) == (2, 3, None)
    desk = payee.first.get(f"{DESK}?limit=2").json()
    assert [each["day"] for each in desk["data"]] == days[:2]
    assert payee.first.get(f"{DESK}?payable=true").json()["data"] == []


def test_a_keeper_and_a_stranger_read_none(payee: Payee) -> None:
    payee.sold()
    settlement = payee.settled()
    keeper = payee.shop.principal(payee.shop.keeper)
    assert payee.own(f"/{settlement}", as_=keeper).json()["code"] == "auth.scope_missing"
    other = merchant(payee.city.db, payee.city.keys, 2).principal()
    redemption = payee.own(f"/{settlement}").json()["lines"][0]["id"]
    for path in (
        f"/{settlement}",
        f"/{settlement}.csv",
        f"/{settlement}.pdf",
        f"/{settlement}/redemptions/{redemption}/proof",
    ):
        assert payee.own(path, as_=other).json()["code"] == "settlement.unknown"
    assert payee.own(as_=other).json()["data"] == []
    unknown = f"/{settlement}/redemptions/rdm_{'0' * 26}/proof"
    assert payee.own(unknown).json()["code"] == "settlement.unknown"
    body = {"places": [0], "reason": "mine"}
    assert payee.own(f"/{settlement}/disputes", body, as_=other).status_code == 404
    assert one(payee.city.db, "select count(*) from settlement_dispute") == (0,)


def test_a_dispute_is_answered_by_two_and_granted_in_the_next_statement(payee: Payee) -> None:
    payee.sold(70)
    settlement = payee.settled()
    body = {"places": [0], "reason": "短付三分"}
    opened = payee.own(f"/{settlement}/disputes", body, key="once")
    assert opened.status_code == 201, opened.text
    again = payee.own(f"/{settlement}/disputes", body, key="once")
    assert (again.content, again.headers["idempotent-replayed"]) == (opened.content, "true")
    assert payee.own(f"/{settlement}/disputes", body).json()["code"] == "settlement.dispute_open"
    assert payee.own(f"/{settlement}").json()["settlement"]["state"] == "disputed"

    dispute = opened.json()["id"]
    (told,) = payee.first.get("/v1/admin/settlement-disputes?open=true").json()["data"]
    assert told == opened.json()
    answer = f"/v1/admin/settlement-disputes/{dispute}/answer"
    said = {
        "answer": "核对属实",
        "reason": "小票",
        "adjustments": [{"programme": "green", "fen": 3}],
    }
    asked = payee.first.post(answer, said)
    assert asked.status_code == 201, asked.text
    assert payee.first.sign(asked.json()["id"]).json()["code"] == "approvals.own"
    assert payee.own(f"/{settlement}").json()["disputes"][0]["answer"] is None
    assert payee.second.sign(asked.json()["id"]).status_code == 200
    document = payee.own(f"/{settlement}").json()
    assert document["settlement"]["state"] == "resolved"
    assert document["disputes"][0]["adjustments"] == [{"programme": "green", "fen": 3}]
    assert payee.first.post(answer, said).json()["code"] == "settlement.dispute_answered"

    assert settle(payee.street, now() + 2 * DAY + timedelta(hours=2)) == 1
    (newest, _) = payee.own().json()["data"]
    assert (newest["lines"], newest["gross_fen"]) == (1, 3)
    (line,) = payee.own(f"/{newest['id']}").json()["lines"]
    assert (line["kind"], line["id"], line["fen"]) == ("adjustment", dispute, 3)


def test_a_final_statement_is_paid_once_by_two(payee: Payee) -> None:
    payee.sold(70)
    settlement = payee.settled()
    path = f"{DESK}/{settlement}/payout"
    body = {"reference": "20261122-000123", "reason": "网银回单"}
    assert payee.first.post(path, body).json()["code"] == "settlement.not_final"
    close_windows(payee.city.db, at=now() + 9 * DAY)
    assert [each["id"] for each in payee.first.get(f"{DESK}?payable=true").json()["data"]] == [
        settlement
    ]
    signed = payee.agreed(path, body)
    assert signed.status_code == 200, signed.text
    told = payee.own().json()["data"][0]
    assert (told["state"], told["bank_reference"]) == ("paid", body["reference"])
    assert payee.first.post(path, body).json()["code"] == "settlement.paid"
    assert payee.first.get(f"{DESK}/{settlement}").json()["settlement"] == told
    acts = "select count(*) from audit_entry where act = 'settlements.pay'"
    assert one(payee.city.db, acts) == (1,)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"places": [0], "reason": " "}, 422),
        ({"places": [-1], "reason": "x"}, 422),
        ({"places": [True], "reason": "x"}, 422),
        ({"places": [9], "reason": "x"}, 422),
        ({"places": [0] * 201, "reason": "x"}, 422),
        ({"reason": "x"}, 422),
        ({"places": [], "reason": "one is missing"}, 201),
        ({"places": [0, 0], "reason": "twice"}, 201),
    ],
    ids=str,
)
def test_what_a_dispute_may_say(payee: Payee, body: dict[str, object], status: int) -> None:
    payee.sold()
    assert payee.own(f"/{payee.settled()}/disputes", body).status_code == status


@pytest.mark.parametrize(
    "adjustments",
    [
        [{"programme": "green", "fen": 0}],
        [{"programme": "green", "fen": 1}, {"programme": "green", "fen": 2}],
        [{"programme": "green", "fen": 10**12}],
        [{"programme": "green", "fen": 1.5}],
    ],
    ids=["nothing", "twice", "too much", "half"],
)
def test_what_an_answer_may_not_grant(payee: Payee, adjustments: list[dict[str, object]]) -> None:
    body = {"answer": "a", "reason": "b", "adjustments": adjustments}
    path = f"/v1/admin/settlement-disputes/dsp_{'0' * 26}/answer"
    assert payee.first.post(path, body).status_code == 422


def test_a_statement_is_verified_from_the_command_line(payee: Payee, tmp_path: Path) -> None:
    """True as it is handed out; false or unreadable whatever is changed; only for this key."""
    payee.sold(70)
    redemption = payee.sold(30)
    settlement = payee.settled()
    document = payee.own(f"/{settlement}").json()
    proof = payee.own(f"/{settlement}/redemptions/{redemption}/proof").json()
    key: str = payee.client.get("/v1/public/receipt-key").json()["key"]
    assert document["public_key"] == key
    file = tmp_path / "statement.json"

    def verified(text: str, by: str = key) -> int:
        file.write_text(text)
        return CliRunner().invoke(commands, ["settlement", str(file), "--key", by]).exit_code

    for told in (document, proof):
        text = json.dumps({name: told[name] for name in told if name != "public_key"})
        assert verified(text) == 0
        places = [n for n, sign in enumerate(text) if sign.isdigit()]
        kept = text.find('"settlement": {') if "settlement" in told else len(text)
        end = text.find('"lines": [', kept) if kept < len(text) else len(text)
        for n in places[:: max(1, len(places) // CHANGED)]:
            if not kept <= n < end:
                other = "1" if text[n] != "1" else "2"
                assert verified(text[:n] + other + text[n + 1 :]) in {1, 2}, text[n - 30 : n + 30]
    assert verified(json.dumps(document), by=key[:8] + "AAAA" + key[12:]) in {1, 2}
    for text in ("", "{}", "[]", "\0", "[" * 9999, '{"statement": 1, "statement": 2}'):
        assert verified(text) == 2
    assert CliRunner().invoke(commands, ["settlement", "nowhere", "--key", key]).exit_code == 2


def test_whatever_is_changed_in_a_line_is_found(payee: Payee) -> None:
    payee.sold(70)
    document = payee.own(f"/{payee.settled()}").json()
    verify = partial(is_signed, public_of(payee))
    assert b64decode(document["signature"])
    for name, was in document["lines"][0].items():
        changed = json.loads(json.dumps(document))
        changed["lines"][0][name] = was + 1 if isinstance(was, int) else f"{was}x"
        with pytest.raises(SettlementUntrue):
            check_settlement(changed, verify)
