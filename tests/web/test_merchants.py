"""Merchants over HTTP (商户接口): from an application to people who work there."""

from datetime import timedelta

import psycopg
import pytest
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import now
from app.staff.credentials import commitment, new_enrolment
from app.ticks import lapse_applications
from ledger.accounts import AccountKind
from tests.support.anchoring import rows_of
from tests.support.clerks import PASSWORD
from tests.support.desk import Person
from tests.web.shops import (
    BANK_NUMBER,
    TERMS,
    Shop,
    application,
    applied,
    decided,
    enrolled,
    opened,
)

OTHER_NUMBER = "6222000000000000099"
PLACES = ("merchants", "merchant-applications")


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

    def test_what_nobody_decides_is_refused_in_the_end(
        self, client: TestClient, city: City, shop: Shop, operators: tuple[Person, Person]
    ) -> None:
        id_, _ = applied(client, 2)
        path = f"/v1/admin/merchant-applications/{id_}"
        days = timedelta(days=city.settings.application_days)
        lapse_applications(city, now() + days - timedelta(hours=1))
        assert operators[0].get(path).json()["state"] == "open"
        asked = operators[0].post(f"{path}/approval", TERMS).json()["id"]
        lapse_applications(city, now() + days + timedelta(hours=1))
        assert operators[0].get(path).json()["state"] == "refused"
        assert operators[0].get(f"{path}/contact").status_code == 404
        assert operators[1].sign(asked).json()["code"] == "merchants.application_decided"
        approved = f"/v1/admin/merchant-applications/{shop.id}"
        assert operators[0].get(approved).json()["state"] == "approved"
        logged = rows_of(city.db, "select actor, object from audit_entry where act like '%.lapse'")
        assert logged == [("worker", id_)]

    def test_contact_and_bank_are_changed_by_two_who_read_them(
        self, shop: Shop, city: City, operators: tuple[Person, Person]
    ) -> None:
        first, second = operators
        path, now_at = (f"/v1/admin/{at}/{shop.id}/contact" for at in PLACES)
        reach = {name: application(1, "")[name] for name in ("contact", "bank")}
        other = {**reach, "bank": {**reach["bank"], "number": OTHER_NUMBER}}
        assert first.get(path).status_code == 404
        asked = first.post(path, {**other, "reason": "Letter of 3 May"})
        assert asked.status_code == 201, asked.text
        again = second.post(path, {**reach, "reason": "Another letter"})
        assert (again.status_code, again.json()["code"]) == (409, "approvals.open")
        assert second.get(path).json() == other
        assert second.get(now_at).json() == reach
        assert first.sign(asked.json()["id"]).json()["code"] == "approvals.own"
        assert second.sign(asked.json()["id"]).status_code == 200
        assert second.get(now_at).json() == other
        assert second.get(path).status_code == 404
        kept = "select a::text from merchant_application a union all select p::text from approval p"
        told = "select a::text from audit_entry a union all select d::text from desk_answer d"
        assert OTHER_NUMBER not in repr(rows_of(city.db, f"{kept} union all {told}"))

    def test_what_was_signed_is_what_comes_into_force(
        self, shop: Shop, city: City, operators: tuple[Person, Person]
    ) -> None:
        first, second = operators
        path = f"/v1/admin/merchants/{shop.id}/contact"
        body = {name: application(1, "")[name] for name in ("contact", "bank")}
        asked = first.post(path, {**body, "reason": "Letter"}).json()["id"]
        with psycopg.connect(city.owner_url, autocommit=True) as connection:
            connection.execute("update merchant_application set wished = contact")
        assert second.sign(asked).json()["code"] == "merchants.application_unknown"

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
