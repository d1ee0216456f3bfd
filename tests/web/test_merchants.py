"""Merchants over HTTP (商户接口): from an application to an open shift, and stopped at once."""

from base64 import b32decode, b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import now
from app.kernel.ids import new_id, parse_public_id
from app.kernel.scopes import Role
from app.merchants import Till
from app.staff.credentials import commitment, new_enrolment
from ledger.accounts import AccountKind
from tests.support.anchoring import rows_of
from tests.support.clerks import PASSWORD, code_of
from tests.support.desk import Person, clerk
from tests.support.mall import TestTill, registration

Json = dict[str, Any]
TERMS = {"fee_permille": 20, "offline_cap_points": 500, "reason": "Visited"}
BANK_NUMBER = "6222000000000000017"


@dataclass
class Worker:
    """Somebody of a merchant, with a password and an authenticator."""

    client: TestClient
    login: str
    totp: bytes
    token: str = ""

    def code(self, *, steps: int = 0) -> str:
        return code_of(self.totp, now(), steps=steps)

    def log_in(self, *, steps: int = 0, password: str = PASSWORD) -> Response:
        body = {"login": self.login, "password": password, "code": self.code(steps=steps)}
        return self.client.post("/v1/merchant/tokens", json=body)

    def logged_in(self, *, steps: int = 0) -> "Worker":
        answer = self.log_in(steps=steps)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        return self

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Response:  # noqa: ANN401 -- JSON
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key or new_id().hex}
        return self.client.request(method, path, json=body, headers=headers)

    def shift_at(self, till: TestTill, *, steps: int = 0) -> Response:
        body = {"login": self.login, "password": PASSWORD, "code": self.code(steps=steps)}
        return sent(self.client, till, "POST", "/v1/merchant/shifts", body)


def sent(client: TestClient, till: TestTill, method: str, path: str, body: Any = None) -> Response:  # noqa: ANN401 -- JSON
    request = client.build_request(method, path, json=body)
    headers = till.sign(method, path, body=request.content)
    return client.request(method, path, content=request.content, headers=headers)


def application(number: int, secret: str, **changes: object) -> Json:
    owner = {
        "login": f"owner.{number}",
        "name": "李安",
        "enrolment_sha256": commitment(secret).hex(),
    }
    return {
        "kind": "business",
        "name_zh": f"咖啡{number}",
        "name_en": f"Coffee {number}",
        "registration": registration(number),
        "contact": {"name": "李安", "phone": "+86 755 8888 0000", "email": "an@coffee.example"},
        "bank": {"holder": "咖啡有限公司", "bank": "某某银行", "number": BANK_NUMBER},
        "owner": owner,
        **changes,
    }


def applied(client: TestClient, number: int) -> tuple[str, str]:
    """Apply; gives the id and the owner's secret."""
    secret = new_enrolment()
    answer = client.post("/v1/merchant-applications", json=application(number, secret))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], secret


def enrolled(client: TestClient, login: str, secret: str) -> Worker:
    body = {"login": login, "secret": secret, "password": PASSWORD}
    answer = client.post("/v1/merchant/enrolments", json=body)
    assert answer.status_code == 201, answer.text
    uri: str = answer.json()["otpauth_uri"]
    told = parse_qs(urlsplit(uri).query)["secret"][0]
    return Worker(client, login, b32decode(told))


@pytest.fixture
def operators(app: FastAPI, client: TestClient, city: City) -> tuple[Person, Person]:
    return (
        clerk(app, client, city, Role.OPERATOR, "o1"),
        clerk(app, client, city, Role.OPERATOR, "o2"),
    )


def decided(operators: tuple[Person, Person], path: str, body: Json) -> Response:
    """Ask as one, sign as the other."""
    first, second = operators
    asked = first.post(path, body)
    assert asked.status_code == 201, asked.text
    own = first.sign(asked.json()["id"])
    assert own.json()["code"] == "approvals.own"
    return second.sign(asked.json()["id"])


@dataclass
class Shop:
    """A merchant that applied and was approved, and its owner, logged in."""

    id: str
    owner: Worker

    def take_in(self, login: str, role: str = "keeper") -> tuple[str, Worker]:
        secret = new_enrolment()
        body = {
            "login": login,
            "name": "王波",
            "role": role,
            "enrolment_sha256": commitment(secret).hex(),
        }
        made = self.owner.ask("POST", "/v1/merchant/users", body)
        assert made.status_code == 201, made.text
        return made.json()["id"], enrolled(self.owner.client, login, secret)

    def till(self) -> TestTill:
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        body = {"label": "前台", "public_key": b64encode(public).decode()}
        made = self.owner.ask("POST", "/v1/merchant/tills", body)
        assert made.status_code == 201, made.text
        id_ = parse_public_id("til", made.json()["id"])
        assert id_ is not None
        return TestTill(Till(id_, new_id(), "前台", public, now()), key)


def opened(client: TestClient, operators: tuple[Person, Person], number: int) -> Shop:
    id_, secret = applied(client, number)
    path = f"/v1/admin/merchant-applications/{id_}/approval"
    assert decided(operators, path, TERMS).status_code == 200
    return Shop(id_, enrolled(client, f"owner.{number}", secret).logged_in(steps=-1))


@pytest.fixture
def shop(client: TestClient, operators: tuple[Person, Person]) -> Shop:
    return opened(client, operators, 1)


class TestApplication:
    """Anybody may send one; two clerks make a merchant of it."""

    def test_approved_it_is_a_merchant_with_an_owner_in_the_books(
        self, shop: Shop, city: City, operators: tuple[Person, Person]
    ) -> None:
        told = shop.owner.ask("GET", "/v1/merchant").json()
        assert (told["id"], told["fee_permille"], told["offline_cap_points"]) == (shop.id, 20, 500)
        assert told == operators[0].get(f"/v1/admin/merchants/{shop.id}").json()
        assert told in operators[0].get("/v1/admin/merchants").json()["data"]
        held = "select (a.id >> 1) & 7 from merchant m join account a on a.id = m.account"
        assert rows_of(city.db, held) == [(AccountKind.MERCHANT,)]

    def test_sent_again_it_is_the_first_and_changed_it_is_refused(self, client: TestClient) -> None:
        body = application(1, new_enrolment())
        first, again = (client.post("/v1/merchant-applications", json=body) for _ in range(2))
        assert first.status_code == 201
        assert first.json() == again.json()
        for change in ({"name_en": "Tea"}, {"bank": {**body["bank"], "number": "6222000000"}}):
            other = client.post("/v1/merchant-applications", json={**body, **change})
            assert other.json()["code"] == "merchants.application_changed"

    @pytest.mark.parametrize("code", ["91350100M000100Y44", "913501O0M000100Y43", ""])
    def test_a_code_that_fails_its_check_is_refused(self, client: TestClient, code: str) -> None:
        body = application(1, new_enrolment(), registration=code)
        assert client.post("/v1/merchant-applications", json=body).status_code == 422

    def test_one_network_sends_few(self, client: TestClient) -> None:
        for number in range(10):
            applied(client, number)
        body = application(11, new_enrolment())
        refused = client.post("/v1/merchant-applications", json=body)
        assert (refused.status_code, refused.json()["code"]) == (429, "limits.exceeded")

    def test_before_it_is_approved_nobody_enrols(self, client: TestClient) -> None:
        _, secret = applied(client, 1)
        body = {"login": "owner.1", "secret": secret, "password": PASSWORD}
        answer = client.post("/v1/merchant/enrolments", json=body)
        assert answer.json()["code"] == "staff.enrolment_invalid"

    def test_refused_it_forgets_whom_to_reach(
        self, client: TestClient, city: City, operators: tuple[Person, Person]
    ) -> None:
        id_, _ = applied(client, 1)
        path = f"/v1/admin/merchant-applications/{id_}"
        assert operators[0].get(f"{path}/contact").json()["bank"]["number"] == BANK_NUMBER
        assert decided(operators, f"{path}/refusal", {"reason": "Unknown"}).status_code == 200
        assert operators[0].get(path).json()["state"] == "refused"
        assert operators[0].get(f"{path}/contact").status_code == 404
        assert rows_of(city.db, "select contact, person from merchant_application") == [
            (None, None)
        ]
        again = operators[0].post(f"{path}/approval", TERMS)
        assert again.json()["code"] == "merchants.application_decided"

    def test_of_two_with_one_registration_one_is_approved(
        self, client: TestClient, operators: tuple[Person, Person], shop: Shop
    ) -> None:
        body = application(1, new_enrolment())
        body["owner"]["login"] = "else"
        id_ = client.post("/v1/merchant-applications", json=body).json()["id"]
        path = f"/v1/admin/merchant-applications/{id_}/approval"
        answer = decided(operators, path, TERMS)
        assert (answer.status_code, answer.json()["code"]) == (409, "merchants.registration_taken")
        listed = operators[0].get("/v1/admin/merchant-applications?open=true").json()["data"]
        assert [each["id"] for each in listed] == [id_]
        assert shop.id != id_

    def test_contact_and_bank_are_sealed_and_each_reading_is_logged(
        self, shop: Shop, city: City, operators: tuple[Person, Person]
    ) -> None:
        operators[0].get(f"/v1/admin/merchant-applications/{shop.id}/contact")
        stored = repr(rows_of(city.db, "select a::text from merchant_application a"))
        assert BANK_NUMBER not in stored
        assert BANK_NUMBER.encode().hex() not in stored
        logged = rows_of(city.db, "select actor, act, object from audit_entry")
        assert (operators[0].who.name, "merchants.read_contact", shop.id) in logged
        assert BANK_NUMBER not in repr(rows_of(city.db, "select detail::text from audit_entry"))


class TestPeople:
    """An owner keeps the merchant's affairs; a keeper opens tills."""

    def test_a_code_opens_once(self, shop: Shop) -> None:
        assert shop.owner.log_in(steps=-1).status_code == 401
        assert shop.owner.log_in().status_code == 200
        assert shop.owner.log_in().status_code == 401

    def test_five_wrong_passwords_make_the_right_one_wait(self, shop: Shop) -> None:
        for _ in range(5):
            assert shop.owner.log_in(password="not the one").status_code == 401
        assert shop.owner.log_in().json()["code"] == "staff.login_refused"

    def test_a_session_is_refreshed_until_its_holder_is_suspended(self, shop: Shop) -> None:
        id_, keeper = shop.take_in("keeper.1")
        shown = keeper.log_in().json()
        refreshed = keeper.client.post(
            "/v1/auth/tokens/refresh", json={"refresh_token": shown["refresh_token"]}
        )
        assert refreshed.json()["who"] == id_
        assert shop.owner.ask("POST", f"/v1/merchant/users/{id_}/suspension").status_code == 200
        ended = keeper.client.post(
            "/v1/auth/tokens/refresh", json={"refresh_token": refreshed.json()["refresh_token"]}
        )
        assert ended.json()["code"] == "auth.session_ended"
        assert keeper.log_in(steps=1).status_code == 401

    def test_a_keeper_may_nothing_of_the_owners(self, shop: Shop) -> None:
        id_, keeper = shop.take_in("keeper.1")
        keeper.logged_in()
        for method, path in (
            ("GET", "/v1/merchant"),
            ("GET", "/v1/merchant/users"),
            ("POST", "/v1/merchant/users"),
            ("POST", f"/v1/merchant/users/{id_}/reset"),
            ("GET", "/v1/merchant/tills"),
            ("POST", "/v1/merchant/tills"),
        ):
            answer = keeper.ask(method, path, {} if method == "POST" else None)
            assert answer.json()["code"] == "auth.scope_missing", path

    def test_nobody_suspends_or_resets_themselves(self, shop: Shop) -> None:
        (me,) = shop.owner.ask("GET", "/v1/merchant/users").json()["data"]
        for what, body in (
            ("suspension", None),
            ("reset", {"enrolment_sha256": commitment(new_enrolment()).hex()}),
        ):
            answer = shop.owner.ask("POST", f"/v1/merchant/users/{me['id']}/{what}", body)
            assert (answer.status_code, answer.json()["code"]) == (409, "merchants.user_self")

    def test_whoever_was_suspended_comes_back_by_a_new_secret(self, shop: Shop) -> None:
        id_, keeper = shop.take_in("keeper.1")
        shop.owner.ask("POST", f"/v1/merchant/users/{id_}/suspension")
        secret = new_enrolment()
        body = {"enrolment_sha256": commitment(secret).hex()}
        back = shop.owner.ask("POST", f"/v1/merchant/users/{id_}/reset", body)
        assert back.json()["suspended_at"] is None
        assert keeper.log_in().status_code == 401
        assert enrolled(keeper.client, "keeper.1", secret).log_in().status_code == 200

    def test_a_lost_owner_is_reset_by_two_of_the_desk(
        self, shop: Shop, operators: tuple[Person, Person]
    ) -> None:
        listed = operators[0].get(f"/v1/admin/merchants/{shop.id}/users").json()["data"]
        secret = new_enrolment()
        body = {"enrolment_sha256": commitment(secret).hex(), "reason": "Lost"}
        path = f"/v1/admin/merchants/{shop.id}/users/{listed[0]['id']}/reset"
        assert decided(operators, path, body).status_code == 200
        assert shop.owner.log_in().status_code == 401
        assert enrolled(shop.owner.client, "owner.1", secret).log_in().status_code == 200

    def test_the_same_key_takes_in_one_person(self, shop: Shop) -> None:
        body = {
            "login": "keeper.1",
            "name": "王波",
            "role": "keeper",
            "enrolment_sha256": commitment(new_enrolment()).hex(),
        }
        first, again = (
            shop.owner.ask("POST", "/v1/merchant/users", body, key="k-1") for _ in range(2)
        )
        assert first.json() == again.json()
        assert again.headers["idempotent-replayed"] == "true"
        taken = shop.owner.ask("POST", "/v1/merchant/users", body)
        assert taken.json()["code"] == "staff.login_taken"

    def test_another_merchant_sees_and_changes_nothing(
        self, shop: Shop, client: TestClient, operators: tuple[Person, Person]
    ) -> None:
        other = opened(client, operators, 2).owner
        user, keeper = shop.take_in("keeper.1")
        till = shop.till()
        body = {"enrolment_sha256": commitment(new_enrolment()).hex()}
        for method, path, sent_body in (
            ("POST", "/v1/merchant/users/{}/suspension", None),
            ("POST", "/v1/merchant/users/{}/reset", body),
            ("DELETE", "/v1/merchant/tills/{}", None),
        ):
            own = till.till.public if "tills" in path else user
            nobodys = own.partition("_")[0] + "_" + "0" * 26
            foreign = other.ask(method, path.format(own), sent_body)
            none = other.ask(method, path.format(nobodys), sent_body)
            assert foreign.status_code == none.status_code == 404
            assert foreign.json()["code"] == none.json()["code"]
        assert user not in other.ask("GET", "/v1/merchant/users").text
        assert till.till.public not in other.ask("GET", "/v1/merchant/tills").text
        assert keeper.shift_at(till).status_code == 201, "and nothing was changed"


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
