"""The life of a methodology over HTTP: who may do what, in which order, and what follows."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from app.activities import decided
from app.catalogue import document_of
from app.city import City
from app.kernel.clock import day_of, now
from methodologies import CATALOG, source
from tests.support.desk import PROPOSALS, Desk, propose, published, reviewed, text

TODAY = day_of(now())
TOMORROW = TODAY + timedelta(days=1)


def test_a_proposal_is_answered_with_its_report(desk: Desk) -> None:
    made = propose(desk.expert, text())
    report = made["report"]
    assert report["loads"] is True
    assert (report["faults"], report["examples"]) == ([], 1)
    assert (report["grade"], report["reachable_grade"]) == ("B", "B")
    assert report["previous"] is None
    assert made["lacking"] == ["approvals: 0 of 2"]
    assert made["state"] == "in_review"


def test_faults_are_reported_with_their_places(desk: Desk) -> None:
    wrong = propose(desk.expert, text(expect="999 g"))["report"]
    (fault,) = wrong["faults"]
    assert fault["code"] == "example.differs"
    assert text().splitlines()[fault["line"] - 1].startswith(("[[examples]]", "expect"))
    broken = propose(desk.expert, text().replace("g/pkm", "furlong"))["report"]
    assert broken["loads"] is False
    assert broken["faults"][0]["code"] == "unit.unknown"
    assert (
        "furlong"
        in text().replace("g/pkm", "furlong").splitlines()[broken["faults"][0]["line"] - 1]
    )
    lower = propose(desk.expert, text(code="test-ride", version=3))["report"]
    assert {each["code"] for each in lower["faults"]} == {"code.form", "version.not_next"}
    missing = propose(desk.expert, text(status="missing"))["report"]
    assert missing["missing_parameters"] == ["saving"]
    assert missing["grade"] is None


def test_a_candidate_for_a_shipped_code_is_held_against_it(desk: Desk) -> None:
    old = source("SZ-METRO", 1).decode()
    new = old.replace("version    = 1", "version    = 2").replace(
        'value  = "46.8"', 'value  = "45"'
    )
    report = propose(desk.expert, new)["report"]
    assert report["previous"] == 1
    assert report["changed"] == [{"name": "saving", "old": "46.8 g/pkm", "new": "45 g/pkm"}]
    assert '-value  = "46.8"' in report["diff"]
    assert "effective.passed" in {each["code"] for each in report["faults"]}
    assert "example.differs" in {each["code"] for each in report["faults"]}
    assert report["reachable_grade"] == "A"


def test_two_experts_and_two_regulators_publish(desk: Desk, city: City, client: TestClient) -> None:
    proposal = published(desk, text())
    document = city.db.read(document_of, "TEST-RIDE", 1)
    shown = client.get("/v1/methodologies/TEST-RIDE/1").json()
    assert shown["sha256"] == document.sha256
    assert shown["state"] == "in_force"
    raw = client.get("/v1/methodologies/TEST-RIDE/1", headers={"accept": "application/toml"})
    assert raw.text == text()
    assert (
        client.post(
            "/v1/methodologies/TEST-RIDE/1/calculations", json={"inputs": {"distance": "10"}}
        ).json()["reduction"]["co2e_mg"]
        == 1_000_000
    )
    assert city.db.read(decided, "TEST-RIDE").versions == (document,)
    after = desk.expert.get(f"{PROPOSALS}/{proposal}").json()
    assert (after["state"], after["published_as"]) == ("published", "TEST-RIDE 1")
    for late in (
        desk.operator.post(f"{PROPOSALS}/{proposal}/revisions", {"document": text()}),
        desk.regulator.post(
            f"{PROPOSALS}/{proposal}/publication", {"revision": 1, "reason": "again"}
        ),
    ):
        assert late.json()["code"] == "governance.proposal_published"


def test_nobody_publishes_alone_or_without_experts(desk: Desk) -> None:
    proposal = str(propose(desk.operator, text())["id"])
    ask = {"revision": 1, "reason": "now"}
    early = desk.regulator.post(f"{PROPOSALS}/{proposal}/publication", ask)
    assert early.json()["code"] == "governance.not_publishable"
    assert "approvals: 0 of 2" in early.json()["detail"]
    proposal = reviewed(desk, text())
    asked = desk.regulator.post(f"{PROPOSALS}/{proposal}/publication", ask)
    approval = asked.json()["id"]
    assert desk.regulator.sign(approval).json()["code"] == "approvals.own"
    assert desk.operator.sign(approval).json()["code"] == "approvals.unknown"
    assert desk.expert.sign(approval).status_code == 403
    twice = desk.second_regulator.post(f"{PROPOSALS}/{proposal}/publication", ask)
    assert twice.json()["code"] == "approvals.open"


def test_a_proposer_neither_reviews_nor_signs(desk: Desk) -> None:
    own = str(propose(desk.expert, text())["id"])
    vote = {"revision": 1, "vote": "approve", "comment": "mine"}
    refused = desk.expert.post(f"{PROPOSALS}/{own}/reviews", vote)
    assert (refused.status_code, refused.json()["code"]) == (403, "governance.proposal_own")
    theirs = str(propose(desk.second_regulator, text(code="OTHER"))["id"])
    for expert in desk.experts:
        expert.post(f"{PROPOSALS}/{theirs}/reviews", vote)
    ask = {"revision": 1, "reason": "now"}
    asked = desk.regulator.post(f"{PROPOSALS}/{theirs}/publication", ask).json()
    signed = desk.second_regulator.sign(asked["id"])
    assert (signed.status_code, signed.json()["code"]) == (403, "governance.proposal_own")


def test_roles_keep_to_their_part(desk: Desk) -> None:
    proposal = str(propose(desk.operator, text())["id"])
    vote = {"revision": 1, "vote": "approve", "comment": "c"}
    ask = {"revision": 1, "reason": "r"}
    for person in (desk.operator, desk.regulator, desk.verifier):
        assert person.post(f"{PROPOSALS}/{proposal}/reviews", vote).status_code == 403
    for person in (desk.operator, desk.expert, desk.verifier):
        assert person.post(f"{PROPOSALS}/{proposal}/publication", ask).status_code == 403
    assert desk.verifier.get(PROPOSALS).status_code == 403
    assert desk.verifier.post(PROPOSALS, {"document": "x", "summary": "y"}).status_code == 403


def test_one_expert_votes_once_and_a_revision_begins_anew(desk: Desk) -> None:
    proposal = reviewed(desk, text())
    vote = {"revision": 1, "vote": "reject", "comment": "after all"}
    again = desk.expert.post(f"{PROPOSALS}/{proposal}/reviews", vote)
    assert again.json()["code"] == "governance.review_repeated"
    other = desk.expert.post(f"{PROPOSALS}/{proposal}/revisions", {"document": text()})
    assert other.json()["code"] == "governance.proposal_not_own"
    revised = desk.operator.post(
        f"{PROPOSALS}/{proposal}/revisions", {"document": text(saving="90"), "note": "less"}
    )
    assert revised.json()["revision"] == 2
    assert revised.json()["lacking"] == ["approvals: 0 of 2"]
    stale = desk.third_expert.post(f"{PROPOSALS}/{proposal}/reviews", vote)
    assert stale.json()["code"] == "governance.revision_stale"
    assert [each["revision"] for each in revised.json()["reviews"]] == [1, 1]
    ask = {"revision": 1, "reason": "now"}
    old = desk.regulator.post(f"{PROPOSALS}/{proposal}/publication", ask)
    assert old.json()["code"] == "governance.revision_stale"


def test_a_revision_after_the_request_is_not_what_is_signed(desk: Desk, city: City) -> None:
    proposal = reviewed(desk, text())
    ask = {"revision": 1, "reason": "now"}
    asked = desk.regulator.post(f"{PROPOSALS}/{proposal}/publication", ask).json()
    desk.operator.post(f"{PROPOSALS}/{proposal}/revisions", {"document": text(saving="90")})
    signed = desk.second_regulator.sign(asked["id"])
    assert signed.json()["code"] == "governance.revision_stale"
    with pytest.raises(Exception, match="version_unknown"):
        city.db.read(document_of, "TEST-RIDE", 1)


def test_as_many_rejections_as_approvals_keep_it_back(desk: Desk) -> None:
    proposal = reviewed(desk, text())
    vote = {"revision": 1, "vote": "reject", "comment": "no"}
    one = desk.third_expert.post(f"{PROPOSALS}/{proposal}/reviews", vote)
    assert one.json()["lacking"] == [], "two against one"
    other = desk.fourth_expert.post(f"{PROPOSALS}/{proposal}/reviews", vote)
    assert other.json()["lacking"] == ["more approvals than rejections"]


def test_a_later_version_takes_over_on_its_day_and_a_past_day_keeps_its_own(
    desk: Desk, city: City, client: TestClient
) -> None:
    published(desk, text())
    past = propose(desk.operator, text(version=2, effective=str(TODAY)))["report"]
    assert {each["code"] for each in past["faults"]} == {"effective.passed"}
    published(desk, text(version=2, saving="80", effective=str(TOMORROW)))
    choice = city.db.read(decided, "TEST-RIDE")
    today, later = choice.on(TODAY), choice.on(TOMORROW)
    assert today is not None
    assert later is not None
    assert (today.version, later.version) == (1, 2)
    assert client.get("/v1/methodologies/TEST-RIDE/2").json()["state"] == "not_yet"


def test_a_withdrawn_version_accrues_to_its_last_day_and_brings_none_back(
    desk: Desk, city: City, client: TestClient
) -> None:
    published(desk, text())
    published(desk, text(version=2, effective=str(TOMORROW)))
    last = TOMORROW + timedelta(days=5)
    path = "/v1/methodologies/TEST-RIDE/2/withdrawal"
    passed = {"last_day": str(TODAY - timedelta(days=1)), "reason": "wrong"}
    assert desk.regulator.post(path, passed).json()["code"] == "governance.date_passed"
    asked = desk.regulator.post(path, {"last_day": str(last), "reason": "wrong"})
    assert asked.status_code == 202
    assert desk.regulator.sign(asked.json()["id"]).status_code == 403
    assert desk.second_regulator.sign(asked.json()["id"]).status_code == 200
    choice = city.db.read(decided, "TEST-RIDE")
    on_last = choice.on(last)
    assert on_last is not None
    assert on_last.version == 2
    assert choice.on(last + timedelta(days=1)) is None
    on_today = choice.on(TODAY)
    assert on_today is not None
    assert on_today.version == 1
    told = client.get("/v1/methodologies/TEST-RIDE/2").json()
    assert (told["state"], told["last_day"]) == ("withdrawn", str(last))
    again = desk.regulator.post(path, {"last_day": str(last), "reason": "wrong"})
    assert again.json()["code"] == "governance.version_withdrawn"


def test_experts_sign_under_their_own_name_and_take_it_back(desk: Desk, client: TestClient) -> None:
    path = "/v1/methodologies/SZ-METRO/1/sign-offs"
    for person in (desk.regulator, desk.operator, desk.verifier):
        assert person.post(path, {"note": ""}).status_code == 403
    for expert in desk.experts:
        assert expert.post(path, {"note": "seen the notice"}).status_code == 201
    assert desk.expert.post(path, {}).json()["code"] == "governance.signature_given"
    shown = client.get("/v1/methodologies/SZ-METRO/1").json()
    assert shown["why"] == ["approval.none_in_force"]
    assert [each["name"] for each in shown["sign_offs"]] == [
        "Name e1 (Test house)",
        "Name e2 (Test house)",
    ]
    assert desk.expert.delete(path).json()["holds"] is False
    assert desk.expert.delete(path).json()["code"] == "catalogue.signature_unknown"
    assert client.get("/v1/methodologies/SZ-METRO/1").json()["why"] == [
        "sign_off.two_reviewers_needed",
        "approval.none_in_force",
    ]


def test_whoever_proposed_a_version_does_not_sign_it(desk: Desk) -> None:
    proposal = str(propose(desk.third_expert, text())["id"])
    for expert in desk.experts:
        vote = {"revision": 1, "vote": "approve", "comment": "right"}
        expert.post(f"{PROPOSALS}/{proposal}/reviews", vote)
    ask = {"revision": 1, "reason": "agreed"}
    asked = desk.regulator.post(f"{PROPOSALS}/{proposal}/publication", ask).json()
    desk.second_regulator.sign(asked["id"])
    path = "/v1/methodologies/TEST-RIDE/1/sign-offs"
    assert desk.third_expert.post(path, {}).json()["code"] == "governance.proposal_own"
    assert desk.expert.post(path, {}).status_code == 201


def approve(desk: Desk, first: str, last: str) -> None:
    body = {
        "scenario": CATALOG["SZ-METRO", 1].scenario,
        "valid_from": first,
        "valid_until": last,
        "letter": "2026-12",
        "reason": "asked for",
    }
    asked = desk.regulator.post("/v1/scenario-approvals", body)
    assert asked.status_code == 202, asked.text
    assert desk.regulator.sign(asked.json()["id"]).json()["code"] == "approvals.own"
    assert desk.second_regulator.sign(asked.json()["id"]).status_code == 200


def test_a_scenario_is_approved_renewed_and_ended_by_two(desk: Desk, client: TestClient) -> None:
    last = TODAY + timedelta(days=90)
    approve(desk, str(TODAY), str(last + timedelta(days=1)))
    assert desk.regulator.get("/v1/admin/renewals").json()["data"] == []
    end = {
        "scenario": "sz-metro",
        "valid_from": str(TODAY),
        "last_day": str(last),
        "reason": "sooner",
    }
    asked = desk.regulator.post("/v1/scenario-approvals/endings", end)
    assert asked.status_code == 202, asked.text
    assert desk.second_regulator.sign(asked.json()["id"]).status_code == 200
    (due,) = desk.regulator.get("/v1/admin/renewals").json()["data"]
    assert (due["scenario"], due["valid_until"], due["days_left"]) == ("sz-metro", str(last), 91)
    assert due["methodologies"] == ["SZ-METRO 1"]
    approve(desk, str(last + timedelta(days=1)), str(last + timedelta(days=400)))
    assert desk.regulator.get("/v1/admin/renewals").json()["data"] == []
    public = client.get("/v1/scenario-approvals").json()["data"]
    assert [each["valid_until"] for each in public] == [str(last), str(last + timedelta(days=400))]
    for person in (desk.operator, desk.expert, desk.verifier):
        assert person.get("/v1/admin/renewals").status_code == 403


def test_approvals_that_make_no_sense_are_refused(desk: Desk) -> None:
    body = {"scenario": "sz-metro", "letter": "x", "reason": "y"}
    for first, last, code in (
        (TOMORROW, TODAY, "governance.dates_reversed"),
        (TODAY - timedelta(9), TODAY - timedelta(2), "governance.date_passed"),
    ):
        dates = {"valid_from": str(first), "valid_until": str(last)}
        assert desk.regulator.post("/v1/scenario-approvals", body | dates).json()["code"] == code
    dates = {"valid_from": str(TODAY), "valid_until": str(TOMORROW)}
    unknown = desk.regulator.post("/v1/scenario-approvals", body | dates | {"scenario": "none"})
    assert unknown.json()["code"] == "catalogue.scenario_unknown"
    ending = {"valid_from": str(TODAY), "last_day": str(TODAY), "reason": "y"}
    none = desk.regulator.post("/v1/scenario-approvals/endings", {"scenario": "x", **ending})
    assert none.json()["code"] == "catalogue.approval_unknown"


def test_one_key_proposes_once(desk: Desk) -> None:
    body = {"document": text(), "summary": "a test"}
    first = desk.expert.post(PROPOSALS, body, key="k1")
    again = desk.expert.post(PROPOSALS, body, key="k1")
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert len(desk.expert.get(PROPOSALS).json()["data"]) == 1


def test_documents_by_strangers_are_only_looked_at(desk: Desk) -> None:
    for document in ("x" * 70_000, "a" + ".b" * 300 + "= 1", "[" * 2_000, "é\r\n\ufeff"):
        made = propose(desk.expert, document)
        report = made["report"]
        assert report["loads"] is False
        assert report["faults"]
    for wrong in ("x" * 200_001, "a\0b", ""):
        answer = desk.expert.post(PROPOSALS, {"document": wrong, "summary": "s"})
        assert answer.status_code == 422
    pages = desk.expert.get(f"{PROPOSALS}?limit=2").json()
    assert len(pages["data"]) == 2
    rest = desk.expert.get(f"{PROPOSALS}?limit=2&cursor={pages['next_cursor']}").json()
    assert {e["id"] for e in rest["data"]}.isdisjoint({e["id"] for e in pages["data"]})
