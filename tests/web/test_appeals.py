"""Appeals over HTTP (申诉): a citizen contests, the desk decides once, and posts what it orders."""

from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from httpx2 import Response
from sqlmodel import Session
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import now
from app.kernel.db import driver
from app.kernel.ids import new_id, parse_public_id
from app.kernel.scopes import Role
from app.wallet import raise_appeal
from app.wallet.errors import AppealTooLate
from app.wallet.rules import APPEAL_WINDOW, DECISION_TIME
from methodologies import Evidence
from tests.support.acts import TODAY, one, rows, same_person
from tests.support.desk import clerk
from tests.support.tripwire import Tripwire, unanswered
from tests.support.wallets import (
    METRO,
    TEN_KM_MG,
    Somebody,
    acts_of,
    citizens,
    clerk_headers,
    operator,
    ride,
    tell,
)

KM_MG = TEN_KM_MG // 10


class Court:
    """A citizen and the desk."""

    def __init__(self, client: TestClient, app: FastAPI, city: City) -> None:
        self.client, self.app, self.city = client, app, city
        self.sender = operator(city.db)
        self.an, self.bo = citizens(city.db, city.keys, self.sender, "an", "bo")
        self.asker = clerk(app, client, city, Role.OPERATOR, "asker")
        self.signer = clerk(app, client, city, Role.OPERATOR, "signer")
        self._keys = 0

    def _key(self) -> str:
        self._keys += 1
        return f"key-{self._keys}"

    def ride(self, number: int = 1, **facts: Any) -> str:  # noqa: ANN401 -- any field
        """Tell a ride of An's; gives the id of the act."""
        tell(self.city.db, self.city.keys, self.sender, [ride(number, "an", **facts)])
        return acts_of(self.city.db, self.an)[-1]

    def appeal(
        self,
        act: str,
        contests: str = "too_low",
        *,
        who: Somebody | None = None,
        key: str = "",
        reason: str = "那天我坐了十二公里 It was twelve kilometres.",
    ) -> Response:
        asker = (who or self.an).headers(self.app)
        headers = {**asker, "idempotency-key": key or self._key()}
        body = {"activity": act, "contests": contests, "reason": reason}
        return self.client.post("/v1/me/appeals", json=body, headers=headers)

    def decide(self, appeal: str, *, key: str = "", **body: Any) -> Response:  # noqa: ANN401 -- any field
        headers = {**clerk_headers(self.app), "idempotency-key": key or self._key()}
        said = {"decision": "rejected", "answer": "记录无误 The record is right.", **body}
        return self.client.post(f"/v1/admin/appeals/{appeal}/decision", json=said, headers=headers)

    def uphold(self, appeal: str) -> Response:
        """Uphold in words, which posts nothing."""
        order = {"order": "请提供方更正 The provider is to mend it."}
        return self.decide(appeal, decision="upheld", answer="属实 So it was.", correction=order)

    def ask(self, appeal: str, *, key: str | None = None, **inputs: str) -> Response:
        """Ask for a second signature under what these quantities come to."""
        body = {"answer": "属实 So it was.", "order": "重算 Compute it anew.", "inputs": inputs}
        return self.asker.post(f"/v1/admin/appeals/{appeal}/upholding", body, key)

    def state(self, appeal: str) -> str:
        return self.desk(f"/{appeal}").json()["appeal"]["state"]

    def worth_mg(self) -> int:
        return self.mine("wallet")["reduction"]["co2e_mg"]

    def desk(self, path: str = "") -> Response:
        return self.client.get(f"/v1/admin/appeals{path}", headers=clerk_headers(self.app))

    def mine(self, path: str, who: Somebody | None = None) -> Any:  # noqa: ANN401 -- JSON
        answer = self.client.get(f"/v1/me/{path}", headers=(who or self.an).headers(self.app))
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def court(client: TestClient, app: FastAPI, city: City) -> Court:
    return Court(client, app, city)


def code_of(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_upheld_appeal_posts_what_it_orders(court: Court) -> None:
    """From ten kilometres to twelve: a further accrual, and the first stays as it was."""
    act = court.ride()
    raised = court.appeal(act)
    assert raised.status_code == 201, raised.text
    appeal = raised.json()
    assert (appeal["state"], appeal["activity"]) == ("open", act)

    asked = court.ask(appeal["id"], distance="12 km")
    assert asked.status_code == 201, asked.text
    told = asked.json()["payload"]
    figures = (told["granted_mg"], told["raw_mg"], told["change_mg"])
    assert figures == (10 * KM_MG, 12 * KM_MG, 2 * KM_MG)
    assert (told["activity"], told["inputs"]) == (act, {"distance": "12 km"})
    assert (court.state(appeal["id"]), court.worth_mg()) == ("open", 10 * KM_MG)
    signed = court.signer.sign(asked.json()["id"])
    assert signed.status_code == 200, signed.text
    assert court.state(appeal["id"]) == "upheld"
    shown = court.mine(f"activities/{act}")
    assert shown["reduction"]["co2e_mg"] == 12 * KM_MG
    assert shown["working"]["recorded"]["co2e_mg"] == 10 * KM_MG
    (restated,) = shown["restated"]
    assert restated["reason"] == "appeal.upheld"
    assert restated["change"]["co2e_mg"] == 2 * KM_MG
    assert restated["inputs"][0]["value"] == "12"
    assert restated["working"]["agrees"] is True
    assert court.mine("wallet")["reduction"]["co2e_mg"] == 12 * KM_MG
    (mine,) = court.mine("appeals")["data"]
    assert mine["answer"] == "属实 So it was."
    assert "decided_by" not in mine
    assert court.desk(f"/{appeal['id']}").json()["appeal"]["decided_by"] == court.signer.who.name
    assert [act for (act,) in rows(court.city.db, "select act from audit_entry order by number")][
        :4
    ] == ["approvals.ask", "appeal.read", "appeal.uphold", "approvals.sign"]


def test_whoever_asked_does_not_sign(court: Court) -> None:
    """One clerk alone raises nothing, whatever endpoint they take."""
    appeal = court.appeal(court.ride()).json()["id"]
    asked = court.ask(appeal, distance="12 km").json()["id"]
    assert code_of(court.asker.sign(asked)) == (403, "approvals.own")
    alone = {"order": "so", "inputs": {"distance": "12 km"}}
    said = court.decide(appeal, decision="upheld", answer="so", correction=alone)
    assert code_of(said) == (422, "request.malformed")
    assert (court.state(appeal), court.worth_mg()) == ("open", 10 * KM_MG)


def test_a_second_try_asks_once_and_posts_once(court: Court) -> None:
    appeal = court.appeal(court.ride()).json()["id"]
    first, second = (court.ask(appeal, key="same", distance="12 km") for _ in range(2))
    assert first.content == second.content
    assert code_of(court.ask(appeal, distance="13 km")) == (409, "approvals.open")
    path = f"/v1/admin/approvals/{first.json()['id']}/signature"
    one_, two = (court.signer.post(path, key="same") for _ in range(2))
    assert one_.content == two.content
    assert two.headers["idempotent-replayed"] == "true"
    assert code_of(court.signer.post(path)) == (409, "approvals.decided")
    assert court.worth_mg() == 12 * KM_MG


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_a_crash_at_the_signature_posts_once(court: Court, *, landed: bool) -> None:
    """Signature, decision, transfers and answer are one commit."""
    appeal = court.appeal(court.ride()).json()["id"]
    path = f"/v1/admin/approvals/{court.ask(appeal, distance='12 km').json()['id']}/signature"
    db, wire = court.city.db, Tripwire(1, landed=landed)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(db, "transact", unanswered(wire.wrap(db.transact)))
        assert court.signer.post(path, key="once").status_code == 500
    assert court.worth_mg() == (12 if landed else 10) * KM_MG
    answer = court.signer.post(path, key="once")
    assert answer.status_code == 200, answer.text
    assert ("idempotent-replayed" in answer.headers) is landed
    assert (court.state(appeal), court.worth_mg()) == ("upheld", 12 * KM_MG)
    assert one(db, "select count(*) from act_correction") == (1,)


def test_nobody_signs_for_figures_that_are_no_more(court: Court, city: City) -> None:
    """Another ride fills the day's cap meanwhile; asked anew, less room is shown and signed."""
    act = court.ride(1)
    appeal = court.appeal(act).json()["id"]
    asked = court.ask(appeal, distance="85 km").json()
    assert asked["payload"]["change_mg"] > 0
    court.ride(2, km="30")
    before = court.worth_mg()
    refused = court.signer.sign(asked["id"])
    assert code_of(refused) == (409, "appeal.figures_changed")
    assert (court.state(appeal), court.worth_mg()) == ("open", before)
    open_ = "select count(*) from approval where decided_at is null"
    assert one(city.db, open_) == (1,), "it is refused first, then asked for anew"
    court.signer.post(f"/v1/admin/approvals/{asked['id']}/refusal")
    again = court.ask(appeal, distance="85 km").json()
    assert again["payload"]["change_mg"] < asked["payload"]["change_mg"]
    assert court.signer.sign(again["id"]).status_code == 200
    assert court.worth_mg() == before + again["payload"]["change_mg"]


def test_an_appeal_rejected_meanwhile_is_not_upheld(court: Court) -> None:
    appeal = court.appeal(court.ride()).json()["id"]
    asked = court.ask(appeal, distance="12 km").json()["id"]
    assert court.decide(appeal).json()["state"] == "rejected"
    assert code_of(court.signer.sign(asked)) == (409, "appeal.decided")
    assert (court.state(appeal), court.worth_mg()) == ("rejected", 10 * KM_MG)
    assert code_of(court.ask(appeal, distance="12 km")) == (409, "appeal.decided")


def test_a_refused_request_leaves_the_appeal_open(court: Court) -> None:
    appeal = court.appeal(court.ride()).json()["id"]
    asked = court.ask(appeal, distance="12 km").json()["id"]
    assert court.signer.post(f"/v1/admin/approvals/{asked}/refusal").status_code == 200
    assert (court.state(appeal), court.worth_mg()) == ("open", 10 * KM_MG)
    assert court.ask(appeal, distance="11 km").status_code == 201


def test_a_rejected_one_changes_nothing_and_both_are_in_the_audit_log(
    court: Court, city: City
) -> None:
    act = court.ride()
    appeal = court.appeal(act).json()["id"]
    assert court.desk(f"/{appeal}").status_code == 200
    assert court.decide(appeal).json()["state"] == "rejected"
    assert court.mine("wallet")["reduction"]["co2e_mg"] == 10 * KM_MG
    told = rows(city.db, "select act, object from audit_entry order by number")
    assert told == [("appeal.read", appeal), ("appeal.reject", appeal)]
    again = court.appeal(act).json()["id"]
    court.uphold(again)
    assert rows(city.db, "select act from audit_entry")[-1] == ("appeal.uphold",)
    assert code_of(court.decide(appeal)) == (409, "appeal.decided")


def test_one_appeal_is_open_at_a_time(court: Court) -> None:
    act = court.ride()
    first = court.appeal(act)
    assert code_of(court.appeal(act)) == (409, "appeal.open_already")
    court.decide(first.json()["id"])
    assert court.appeal(act).status_code == 201


def test_a_double_click_raises_one_and_decides_once(court: Court) -> None:
    act = court.ride()
    first, second = (court.appeal(act, key="same") for _ in range(2))
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    appeal = first.json()["id"]
    one_, two = (court.decide(appeal, key="same") for _ in range(2))
    assert one_.content == two.content
    assert len(court.mine("appeals")["data"]) == 1
    missing = court.client.post(
        "/v1/me/appeals", json=first.json(), headers=court.an.headers(court.app)
    )
    assert missing.status_code in {400, 422}


def test_an_appeal_speaks_of_the_outcome_that_there_is(court: Court, city: City) -> None:
    accepted, short = court.ride(1), court.ride(2, km="0.3")
    assert code_of(court.appeal(accepted, "merged")) == (409, "appeal.outcome_differs")
    assert code_of(court.appeal(accepted, "ineligible")) == (409, "appeal.outcome_differs")
    assert code_of(court.appeal(short, "too_low")) == (409, "appeal.outcome_differs")
    assert court.appeal(short, "ineligible").status_code == 201

    other, noon = operator(city.db, "other"), TODAY - timedelta(hours=40)
    same_person(city.db, city.keys, court.sender, other, {"an": "an2"}, choice=METRO)
    behind = court.ride(3, at=noon, evidence=Evidence.DOCUMENT_PROVED)
    tell(city.db, city.keys, other, [ride(3, "an2", at=noon)])
    assert court.appeal(behind, "merged").status_code == 201


def test_what_adds_nothing_is_ordered_and_not_posted(court: Court) -> None:
    """An ineligible act has no class to post to: quantities are refused, and nothing is decided."""
    short = court.ride(km="0.3")
    appeal = court.appeal(short, "ineligible").json()["id"]
    assert code_of(court.ask(appeal, distance="3 km")) == (422, "appeal.correction_impossible")
    assert court.state(appeal) == "open"
    assert court.uphold(appeal).json()["correction"].startswith("请提供方更正")


@pytest.mark.parametrize("given", [{"distance": "0.1 km"}, {"distance": "x"}, {"weight": "1 kg"}])
def test_quantities_that_the_document_refuses_decide_nothing(
    court: Court, given: dict[str, str]
) -> None:
    appeal = court.appeal(court.ride()).json()["id"]
    answer = court.ask(appeal, **given)
    assert code_of(answer) == (422, "appeal.correction_impossible")
    assert court.state(appeal) == "open"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"decision": "upheld"}, "appeal.correction_mismatched"),
        (
            {"decision": "rejected", "correction": {"order": "so"}},
            "appeal.correction_mismatched",
        ),
        ({"decision": "maybe"}, "request.malformed"),
        ({"answer": ""}, "request.malformed"),
        ({"answer": " "}, "request.malformed"),
        ({"answer": "x" * 2001}, "request.malformed"),
    ],
)
def test_a_decision_has_its_form(court: Court, body: dict[str, Any], code: str) -> None:
    appeal = court.appeal(court.ride()).json()["id"]
    assert code_of(court.decide(appeal, **body)) == (422, code)


def test_nobody_appeals_for_another(court: Court) -> None:
    act = court.ride()
    foreign = court.appeal(act, who=court.bo)
    unknown = court.appeal("act_00000000000000000000000011", who=court.bo)
    nonsense = court.appeal("nonsense", who=court.bo)
    assert code_of(foreign) == code_of(unknown) == code_of(nonsense) == (404, "activity.unknown")
    court.appeal(act)
    assert court.mine("appeals", court.bo)["data"] == []


def test_only_the_desk_decides(court: Court, app: FastAPI) -> None:
    appeal = court.appeal(court.ride()).json()["id"]
    paths = ("/v1/admin/appeals", f"/v1/admin/appeals/{appeal}")
    for headers in (court.an.headers(app), clerk_headers(app, Role.EXPERT)):
        for path in paths:
            assert court.client.get(path, headers=headers).status_code == 403
        for deed in ("decision", "upholding"):
            answer = court.client.post(f"{paths[1]}/{deed}", json={}, headers=headers)
            assert answer.status_code == 403
    assert court.desk().json()["data"][0]["id"] == appeal


def test_the_desk_does_not_learn_who_it_is(court: Court) -> None:
    appeal = court.appeal(court.ride()).json()["id"]
    seen = court.desk().text + court.desk(f"/{appeal}").text
    assert court.an.principal.name not in seen
    assert str(court.an.owner) not in seen
    assert code_of(court.desk("/apl_00000000000000000000000011")) == (404, "appeal.unknown")


def test_what_is_overdue_is_seen_by_both(court: Court, city: City) -> None:
    appeal = court.appeal(court.ride(1)).json()["id"]
    court.appeal(court.ride(2))
    with psycopg.connect(city.owner_url) as connection:
        connection.execute(
            "update appeal set raised_at = raised_at - %s, due_at = due_at - %s where id ="
            " (select min(id::text)::uuid from appeal)",
            (DECISION_TIME, DECISION_TIME),
        )
    (late,) = court.desk("?state=overdue").json()["data"]
    assert (late["id"], late["state"]) == (appeal, "overdue")
    assert [each["id"] for each in court.desk("?limit=1").json()["data"]] == [appeal]
    following = court.desk("?limit=1").json()["next_cursor"]
    assert len(court.desk(f"?limit=1&cursor={following}").json()["data"]) == 1
    assert {each["state"] for each in court.mine("appeals")["data"]} == {"open", "overdue"}
    court.decide(appeal)
    assert court.desk("?state=overdue").json()["data"] == []
    assert [each["id"] for each in court.desk("?state=rejected").json()["data"]] == [appeal]
    assert court.desk("?state=upheld").json()["data"] == []


def test_an_outcome_of_long_ago_is_settled(court: Court, city: City) -> None:
    act = parse_public_id("act", court.ride())
    assert act is not None
    facts = (court.an.bucket, court.an.owner, act, "too_low", "why")
    late = now() + APPEAL_WINDOW + timedelta(days=1)
    with pytest.raises(AppealTooLate):
        city.db.transact(raise_appeal, *facts, id_=new_id(), at=late)
    in_time = late - timedelta(days=1)
    assert city.db.transact(raise_appeal, *facts, id_=new_id(), at=in_time).decided_at is None


def test_the_application_cannot_rewrite_what_was_asked(court: Court, city: City) -> None:
    court.appeal(court.ride())
    for statement in (
        b"update appeal set reason = 'x'",
        b"update appeal set due_at = now() + interval '1 year'",
        b"delete from appeal",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            city.db.transact(partial(_run, statement=statement))
    assert one(city.db, "select count(*) from appeal") == (1,)


def _run(session: Session, *, statement: bytes) -> None:
    driver(session).execute(statement)
