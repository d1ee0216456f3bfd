"""Tills over HTTP (终端接口): a person opens a shift, and the desk stops it at once."""

from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.testclient import TestClient

from app.city import City
from tests.support.anchoring import rows_of
from tests.support.clerks import PASSWORD
from tests.support.desk import Person
from tests.support.mall import TestTill
from tests.web.shops import Shop, decided, opened, sent


class TestTills:
    """A till signs; a person opens a shift at it."""

    def test_a_shift_opens_and_ends(self, shop: Shop) -> None:
        id_, keeper = shop.take_in("keeper.1")
        till = shop.till()
        opened_ = keeper.shift_at(till)
        assert opened_.status_code == 201, opened_.text
        shift = opened_.json()
        assert (shift["keeper"], shift["till"]) == (id_, till.till.public)
        (shown,) = shop.owner.ask("GET", "/v1/merchant/tills").json()["data"]
        assert (shown["keeper"], shown["shift_ends_at"]) == (id_, shift["ends_at"])
        path = f"/v1/merchant/shifts/{shift['id']}"
        assert sent(keeper.client, till, "DELETE", path).status_code == 204
        assert sent(keeper.client, till, "DELETE", path).json()["code"] == "till.shift_unknown"
        assert shop.owner.ask("GET", "/v1/merchant/tills").json()["data"][0]["keeper"] is None

    def test_a_recorded_end_ends_no_later_shift(self, shop: Shop) -> None:
        _, keeper = shop.take_in("keeper.1")
        till = shop.till()
        first = keeper.shift_at(till, steps=-1).json()["id"]
        path = f"/v1/merchant/shifts/{first}"
        headers = till.sign("DELETE", path)
        assert keeper.client.delete(path, headers=headers).status_code == 204
        second = keeper.shift_at(till).json()
        assert keeper.client.delete(path, headers=headers).status_code == 404
        (shown,) = shop.owner.ask("GET", "/v1/merchant/tills").json()["data"]
        assert shown["shift_ends_at"] == second["ends_at"]

    def test_no_other_till_ends_it(
        self, shop: Shop, client: TestClient, operators: tuple[Person, Person]
    ) -> None:
        stranger = opened(client, operators, 2)
        _, keeper = shop.take_in("keeper.1")
        till, beside = shop.till(), shop.till()
        path = f"/v1/merchant/shifts/{keeper.shift_at(till).json()['id']}"
        for other in (beside, stranger.till()):
            answer = sent(client, other, "DELETE", path)
            assert (answer.status_code, answer.json()["code"]) == (404, "till.shift_unknown")
        assert sent(client, till, "DELETE", path).status_code == 204

    def test_a_code_opens_one_shift_or_one_session(self, shop: Shop) -> None:
        _, keeper = shop.take_in("keeper.1")
        till = shop.till()
        assert keeper.log_in().status_code == 200
        assert keeper.shift_at(till).json()["code"] == "staff.login_refused"

    def test_nobody_of_another_merchant_opens_one(
        self, shop: Shop, client: TestClient, operators: tuple[Person, Person]
    ) -> None:
        stranger = opened(client, operators, 2).owner
        refused = stranger.shift_at(shop.till())
        assert (refused.status_code, refused.json()["code"]) == (401, "staff.login_refused")

    def test_without_the_tills_key_there_is_no_shift(self, shop: Shop) -> None:
        _, keeper = shop.take_in("keeper.1")
        till = shop.till()
        forged = TestTill(till.till, Ed25519PrivateKey.generate())
        assert keeper.shift_at(forged).json()["code"] == "signature.invalid"
        body = {"login": "keeper.1", "password": PASSWORD, "code": keeper.code()}
        bare = keeper.client.post("/v1/merchant/shifts", json=body)
        assert bare.json()["code"] == "signature.missing"

    def test_a_providers_tag_opens_no_till(self, shop: Shop) -> None:
        till = shop.till()
        path = "/v1/merchant/shifts"
        headers = till.sign("POST", path, body=b"{}", tag="ingest")
        answer = shop.owner.client.post(path, content=b"{}", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["code"].startswith("signature.")

    def test_one_till_tries_few_times_and_the_next_is_not_held_up(self, shop: Shop) -> None:
        _, keeper = shop.take_in("keeper.1")
        till, beside = shop.till(), shop.till()
        body = {"login": "no.one", "password": PASSWORD, "code": "000000"}
        answers = [
            sent(keeper.client, till, "POST", "/v1/merchant/shifts", body) for _ in range(21)
        ]
        assert {each.status_code for each in answers[:20]} == {401}
        assert answers[20].json()["code"] == "limits.exceeded"
        assert keeper.shift_at(beside).status_code == 201

    def test_a_revoked_till_opens_no_shift_and_its_own_ends(self, shop: Shop) -> None:
        _, keeper = shop.take_in("keeper.1")
        till = shop.till()
        assert keeper.shift_at(till, steps=-1).status_code == 201
        path = f"/v1/merchant/tills/{till.till.public}"
        gone = shop.owner.ask("DELETE", path).json()
        assert (gone["keeper"], gone["revoked_at"] is None) == (None, False)
        assert keeper.shift_at(till).json()["code"] == "till.closed"
        assert shop.owner.ask("DELETE", path).status_code == 404

    def test_one_key_is_one_till(self, shop: Shop) -> None:
        public = shop.till().till.public_key
        body = {"label": "二号", "public_key": b64encode(public).decode()}
        taken = shop.owner.ask("POST", "/v1/merchant/tills", body)
        assert (taken.status_code, taken.json()["code"]) == (409, "merchants.till_key_taken")

    def test_a_suspended_keepers_shift_ends(self, shop: Shop) -> None:
        id_, keeper = shop.take_in("keeper.1")
        assert keeper.shift_at(shop.till()).status_code == 201
        shop.owner.ask("POST", f"/v1/merchant/users/{id_}/suspension")
        (shown,) = shop.owner.ask("GET", "/v1/merchant/tills").json()["data"]
        assert shown["keeper"] is None


class TestStanding:
    """What the desk changes is so at the next request."""

    def test_suspended_it_stops_at_once_and_two_let_it_return(
        self, shop: Shop, city: City, operators: tuple[Person, Person]
    ) -> None:
        _, keeper = shop.take_in("keeper.1")
        till = shop.till()
        assert keeper.shift_at(till, steps=-1).status_code == 201
        path = f"/v1/admin/merchants/{shop.id}"
        stopped = operators[0].post(f"{path}/suspension", {"reason": "Complaints"})
        assert stopped.json()["suspended_at"] is not None
        assert rows_of(city.db, "select keeper from till") == [(None,)]
        refused = shop.owner.ask("GET", "/v1/merchant")
        assert (refused.status_code, refused.json()["code"]) == (403, "merchants.suspended")
        assert shop.owner.log_in().status_code == 401
        assert keeper.shift_at(till).json()["code"] == "staff.login_refused"
        back = decided(operators, f"{path}/resumption", {"reason": "Settled"})
        assert back.status_code == 200
        assert shop.owner.log_in(steps=1).status_code == 200
        assert rows_of(city.db, "select keeper from till") == [(None,)], "opened anew by a person"
        again = operators[0].post(f"{path}/resumption", {"reason": "Settled"})
        assert again.json()["code"] == "merchants.not_suspended"

    def test_terms_change_by_two(self, shop: Shop, operators: tuple[Person, Person]) -> None:
        body = {"fee_permille": 35, "offline_cap_points": 0, "reason": "Agreed"}
        path = f"/v1/admin/merchants/{shop.id}"
        asked = operators[0].post(f"{path}/terms", body).json()
        before = operators[0].get(path).json()
        assert before["fee_permille"] == 20
        assert operators[1].sign(asked["id"]).status_code == 200
        after = operators[0].get(path).json()
        assert after == {**before, "fee_permille": 35, "offline_cap_points": 0}

    def test_every_act_is_in_the_log(self, shop: Shop, city: City) -> None:
        id_, keeper = shop.take_in("keeper.1")
        till = shop.till()
        keeper.shift_at(till)
        shop.owner.ask("POST", f"/v1/merchant/users/{id_}/suspension")
        shop.owner.ask("DELETE", f"/v1/merchant/tills/{till.till.public}")
        (me,) = [
            each["id"]
            for each in shop.owner.ask("GET", "/v1/merchant/users").json()["data"]
            if each["role"] == "owner"
        ]
        logged = rows_of(
            city.db, "select actor, act from audit_entry where act like 'merchants.%%'"
        )
        assert logged == [
            (me, "merchants.enrol"),
            (me, "merchants.log_in"),
            (me, "merchants.add_user"),
            (id_, "merchants.enrol"),
            (me, "merchants.add_till"),
            (id_, "merchants.log_in"),
            (id_, "merchants.open_shift"),
            (me, "merchants.suspend_user"),
            (me, "merchants.revoke_till"),
        ]

    def test_no_kept_answer_and_no_log_holds_a_secret(self, shop: Shop, city: City) -> None:
        _, keeper = shop.take_in("keeper.1")
        keeper.shift_at(shop.till())
        kept = repr(rows_of(city.db, "select convert_from(body, 'utf8') from desk_answer"))
        logged = repr(rows_of(city.db, "select audit_entry::text from audit_entry"))
        for word in (PASSWORD, shop.owner.token, keeper.totp.hex()):
            assert word not in kept
            assert word not in logged
