"""Cancellations and certificates over HTTP (自愿注销与证书): asked, shown, withdrawn, checked."""

import json
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.tokens import Principal
from app.settlements.statement import is_signed
from app.ticks import carry_out_cancellations
from ledger import verify_certificate
from ledger.receipt import Json
from ledger.verify_certificate import check, mirrored
from tests.support.acts import one
from tests.support.cancelling import DUE, Registrar, holder
from tests.support.desk import Person as Clerk
from tests.support.leaving import dump, found_in
from tests.support.organisations import organisation
from tests.support.owners import BUS, BUS_B, accrual, asset_number, post_all
from tests.support.points import citizens

NAME, MESSAGE = "乙 <b>图书馆</b> & 友", "愿山河常绿 <script>"
WISH: dict[str, Any] = {
    "co2e_mg": 1_200,
    "period": "2026",
    "beneficiary": {"words": NAME, "is_public": True},
    "message": {"words": MESSAGE},
}
ZEROES = "0" * 26


class Office:
    """Somebody with reductions, a stranger with others, and the worker."""

    def __init__(self, app: FastAPI, client: TestClient, city: City) -> None:
        self.app, self.client, self.city = app, client, city
        self.registrar = Registrar(
            city.db, city.worker_db, city.keys, city.settings.public_path.parent
        )
        self.a, self.b = (self.earn(owner) for owner in citizens(city.db, city.keys, 2))

    def earn(self, owner: int) -> Principal:
        amounts = {BUS: 1_000, BUS_B: 500}
        db: Database = self.city.db
        post_all(db, [accrual(owner, asset_number(db, of), mg) for of, mg in amounts.items()])
        return holder(owner)

    def ask(
        self, who: Principal, method: str, path: str, body: object = None, key: str = ""
    ) -> Response:
        token = self.app.state.tokens.issue(who, at=now())
        headers = {"authorization": f"Bearer {token}", "idempotency-key": key or new_id().hex}
        return self.client.request(method, path, json=body, headers=headers)

    def request(self, who: Principal, body: object = WISH) -> str:
        made = self.ask(who, "POST", "/v1/cancellations", body)
        assert made.status_code == 201, made.text
        return made.json()["id"]

    def work(self) -> None:
        """Let the cool-down pass, an epoch close and be anchored, and the worker run twice."""
        carry_out_cancellations(self.city, now() + DUE)
        self.registrar.close()
        carry_out_cancellations(self.city, now() + DUE)

    def certified(self, who: Principal, body: object = WISH) -> str:
        made = self.request(who, body)
        self.work()
        found = self.ask(who, "GET", f"/v1/cancellations/{made}").json()
        assert found["state"] == "finalized"
        return found["certificate"]

    def public(self, name: str, **headers: str) -> Response:
        return self.client.get(f"/v1/public/certificates/{name}", headers=headers)


@pytest.fixture
def office(app: FastAPI, client: TestClient, city: City) -> Office:
    return Office(app, client, city)


def test_it_is_asked_for_shown_and_reverted(office: Office) -> None:
    made = office.ask(office.a, "POST", "/v1/cancellations", WISH)
    assert made.status_code == 201
    found = made.json()
    assert (found["state"], found["reduction"]["co2e"]) == ("requested", "0.001200 kg")
    assert found["beneficiary"] == {"words": NAME, "is_public": True}
    assert found["message"] == {"words": MESSAGE, "is_public": False}
    path = f"/v1/cancellations/{found['id']}"
    assert office.ask(office.a, "GET", path).json() == found
    assert office.ask(office.a, "GET", "/v1/cancellations").json()["data"] == [found]
    reverted = office.ask(office.a, "POST", f"{path}/reversion")
    assert (reverted.json()["state"], reverted.json()["reason"]) == ("reverted", "owner")
    again = office.ask(office.a, "POST", f"{path}/reversion")
    assert (again.status_code, again.json()["code"]) == (409, "cancellations.posted")


REFUSED: list[tuple[Json, int]] = [
    ({"co2e_mg": None}, 422),
    ({"classes": [{"class_id": "9f" * 32}]}, 422),
    ({"co2e_mg": None, "classes": [{"class_id": "9f" * 32}] * 2}, 422),
    ({"co2e_mg": None, "classes": [{"class_id": "9f" * 32}]}, 409),
    ({"co2e_mg": 0}, 422),
    ({"co2e_mg": 1_501}, 409),
    ({"purpose": "ets_surrender"}, 422),
    ({"period": "next year"}, 422),
    ({"beneficiary": {"words": "x" * 101}}, 422),
    ({"beneficiary": {"words": " "}}, 422),
    ({"message": {"words": "x" * 301}}, 422),
]


def test_what_is_not_in_its_form_or_not_held_is_refused(office: Office) -> None:
    for change, status in REFUSED:
        answer = office.ask(office.a, "POST", "/v1/cancellations", WISH | change)
        assert answer.status_code == status, (change, answer.text)


def test_a_second_person_sees_and_changes_nothing(office: Office) -> None:
    """Another's looks as one that is not there, in every path that names one."""
    made = office.request(office.a)
    certificate = f"cert_{made.partition('_')[2]}"
    for method, path, of in (
        ("GET", "/v1/cancellations/{}", made),
        ("POST", "/v1/cancellations/{}/reversion", made),
        ("GET", "/v1/certificates/{}", certificate),
        ("DELETE", "/v1/certificates/{}/beneficiary", certificate),
    ):
        unknown = f"{of.partition('_')[0]}_{ZEROES}"
        theirs, nobodys = (office.ask(office.b, method, path.format(id_)) for id_ in (of, unknown))
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.json()["code"] == nobodys.json()["code"]
    assert office.ask(office.b, "GET", "/v1/cancellations").json()["data"] == []
    assert office.ask(office.a, "GET", f"/v1/cancellations/{made}").json()["beneficiary"]
    assert office.client.get(f"/v1/cancellations/{made}").status_code == 401


def test_a_certificate_for_b_shows_b_in_every_form(office: Office) -> None:
    certificate = office.certified(office.a)
    document = office.public(certificate)
    assert document.headers["content-type"] == "application/json"
    trust = mirrored(office.registrar.header_lines())
    verify = partial(is_signed, office.city.keys.receipt.public_key())
    found = check(document.json(), trust, None, verify)
    assert (found.beneficiary, found.amount) == (json.dumps(NAME, ensure_ascii=False), 1_200)
    page = office.public(certificate, accept="text/html,application/xhtml+xml")
    assert page.headers["content-type"].startswith("text/html")
    assert "乙 &lt;b&gt;图书馆&lt;/b&gt; &amp; 友" in page.text
    assert MESSAGE not in page.text
    assert "<script>" not in page.text.replace('<script type="module"', "")
    assert page.text.index("有效 Valid") < page.text.index("Certificate of cancellation")
    for payer in (office.a.name, str(office.a.owner)):
        assert payer not in page.text + document.text
    printed = office.public(f"{certificate}.pdf")
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.content.startswith(b"%PDF-")
    assert b"/FontFile2" in printed.content
    assert office.public(f"{certificate}.json").json()["claim"] == document.json()["claim"]
    assert office.public(f"{certificate}.html").text[:15] == "<!doctype html>"


def test_what_is_public_is_never_stale_and_runs_nothing_of_others(office: Office) -> None:
    certificate = office.certified(office.a)
    page = office.public(f"{certificate}.html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    for form in ("json", "html", "pdf"):
        told = office.public(f"{certificate}.{form}").headers
        assert told["cache-control"] == "no-store", "a name that is withdrawn lies in no cache"
        assert told["access-control-allow-origin"] == "*"
    own = office.ask(office.a, "GET", f"/v1/certificates/{certificate}")
    assert own.headers["cache-control"] == "no-store"


def test_a_withdrawn_name_is_gone_from_page_print_and_proof(office: Office) -> None:
    certificate = office.certified(office.a)
    before = office.public(f"{certificate}.pdf").content
    gone = office.ask(office.a, "DELETE", f"/v1/certificates/{certificate}/beneficiary")
    assert (gone.status_code, gone.content) == (204, b"")
    again = office.ask(office.a, "DELETE", f"/v1/certificates/{certificate}/beneficiary")
    assert (again.status_code, again.json()["code"]) == (404, "certificates.text_unknown")
    document = office.public(certificate).json()
    assert document["openings"]["beneficiary"] is None
    page = office.public(f"{certificate}.html").text
    assert "图书馆" not in page + json.dumps(document, ensure_ascii=False)
    assert document["claim"]["beneficiary_commit"][:8] in page
    assert office.public(f"{certificate}.pdf").content != before
    assert "Taken down" not in page, "its owner leaves no trace"
    own = office.ask(office.a, "GET", f"/v1/certificates/{certificate}").json()
    assert own["openings"]["beneficiary"] is None
    assert own["openings"]["message"]["text"] == MESSAGE


@pytest.mark.parametrize("is_firm", [False, True], ids=["citizen", "organisation"])
def test_a_withdrawn_name_is_gone_from_what_a_retry_is_answered(
    office: Office, *, is_firm: bool
) -> None:
    """An answer is kept for eight days; the name in it goes with the name."""
    who = office.a
    if is_firm:
        who = organisation(office.city.db, office.city.keys).principal()
        office.earn(who.owner)
    retry = partial(office.ask, who, "POST", "/v1/cancellations", WISH, key="a-key-of-mine")
    made = retry().json()
    others = office.ask(office.b, "POST", "/v1/cancellations", WISH).json()
    name = found_in(dump(office.city.db.url), [NAME])
    assert {table for table, _ in name} > {"claim_opening"}
    certificate = f"cert_{made['id'].partition('_')[2]}"
    for text in ("holder", "beneficiary", "message"):
        assert (
            office.ask(who, "DELETE", f"/v1/certificates/{certificate}/{text}").status_code == 204
        )
    again = retry()
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == {**made, "beneficiary": None, "message": None}
    kept = office.ask(office.b, "GET", f"/v1/cancellations/{others['id']}").json()
    assert kept["beneficiary"]["words"] == NAME
    theirs = f"cert_{others['id'].partition('_')[2]}"
    for text in ("beneficiary", "message"):
        office.ask(office.b, "DELETE", f"/v1/certificates/{theirs}/{text}")
    assert found_in(dump(office.city.db.url), [NAME, MESSAGE]) == set()


def test_the_desk_takes_down_a_name_and_its_log_says_who(
    office: Office, operators: tuple[Clerk, Clerk]
) -> None:
    certificate = office.certified(office.a)
    path = f"/v1/admin/certificates/{certificate}/beneficiary"
    first, _ = operators
    assert first.delete(path).status_code == 422, "it needs a reason"
    path = f"{path}?reason=personal"
    assert office.ask(office.a, "DELETE", path).status_code == 403
    assert first.delete(path).status_code == 204
    assert first.delete(path).status_code == 404
    page = office.public(f"{certificate}.html").text
    assert "图书馆" not in page
    assert "平台下架 Taken down" in page
    assert "names somebody who does not want it" in page
    listed = office.client.get("/v1/public/certificate-takedowns")
    assert listed.json()["data"] == [
        {
            "taken_down_on": day_of(now()).isoformat(),
            "text": "beneficiary",
            "reason": "personal",
            "texts": 1,
        }
    ]
    (notice, *_) = office.ask(office.a, "GET", "/v1/me/notices").json()["data"]
    assert notice["kind"] == "certificate.redacted"
    assert certificate in notice["text_en"]
    query = (
        "select actor, detail from audit_entry where act = 'certificates.take_down' and object = %s"
    )
    facts = {"reason": "personal", "text": "beneficiary"}
    assert one(office.city.db, query, certificate) == (first.who.name, facts)


def test_the_status_alone_can_be_asked_for_and_checked(office: Office) -> None:
    certificate = office.certified(office.a)
    status = office.client.get(f"/v1/public/certificates/{certificate}/status").json()
    assert (status["state"], status["remaining"]) == ("valid", "1200")
    document = office.public(certificate).json()
    trust = mirrored(office.registrar.header_lines())
    verify = partial(is_signed, office.city.keys.receipt.public_key())
    assert check(document | {"status": None}, trust, status, verify).is_signed


def test_there_is_no_such_certificate(office: Office) -> None:
    for name in (f"cert_{ZEROES}", "cert_1", f"can_{ZEROES}", f"cert_{ZEROES}.pdf"):
        answer = office.public(name)
        assert (answer.status_code, answer.json()["code"]) == (404, "certificates.unknown"), name


def test_before_it_is_final_there_is_no_certificate(office: Office) -> None:
    made = office.request(office.a)
    carry_out_cancellations(office.city, now() + DUE)
    assert office.public(f"cert_{made.partition('_')[2]}").status_code == 404
    assert office.ask(office.a, "GET", f"/v1/cancellations/{made}").json()["certificate"] is None


def test_an_organisation_cancels_until_it_is_suspended(office: Office) -> None:
    firm = organisation(office.city.db, office.city.keys)
    agent = firm.principal()
    office.earn(agent.owner)
    certificate = office.certified(agent)
    own = office.ask(agent, "GET", f"/v1/certificates/{certificate}").json()
    assert own["openings"]["holder"]["text"] == firm.organisation.public
    office.city.db.transact(
        lambda session: session.connection().exec_driver_sql(
            "update organisation set suspended_at = now()"
        )
    )
    refused = office.ask(agent, "POST", "/v1/cancellations", WISH)
    assert (refused.status_code, refused.json()["code"]) == (403, "organisations.suspended")


def test_the_programs_that_check_it_are_handed_out(office: Office) -> None:
    program = office.client.get("/v1/public/verifier/verify_certificate.py")
    with open(verify_certificate.__file__, "rb") as file:  # noqa: PTH123 -- a file of the package
        assert program.content == file.read()
    for name in ("page.js", "certificate.js", "proof.js"):
        script = office.client.get(f"/v1/public/verifier/{name}")
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert office.client.get("/v1/public/verifier/other.js").status_code == 404
