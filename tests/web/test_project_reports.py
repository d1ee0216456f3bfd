"""Monitoring reports over HTTP (监测报告接口): what real readings accrue, and what does not."""

import json
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final

import pytest

from app.activities.boundary import mark_of, put_on_list
from app.catalogue import approve_scenario
from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.ids import parse_public_id
from ledger.assets import MG_PER_KG
from ledger.encoding import evidence_commit
from tests.support.anchoring import rows_of
from tests.support.projects import GRID_MG_PER_KWH, SINCE, readings, report
from tests.web.project_office import ADMIN, REPORTS, Json, Office
from tests.web.shops import decided

LAST: Final = date(2026, 10, 12)
"""Of the real readings, ten years later."""


def balance(city: City, owner: int) -> list[tuple[Any, ...]]:
    return rows_of(
        city.db,
        f"""
select a.methodology, a.version, a.grade, a.vintage::text, b.credits - b.debits
  from balance b join asset a on a.id = b.asset where b.account = {owner} order by a.vintage""",
    )


def recomputed(body: Json) -> dict[str, int]:
    """What a month's readings are worth, by nothing but the published factor [mg]."""
    months: dict[str, int] = {}
    for each in body["readings"]:
        mg = Decimal(each["inputs"]["generation"]) * GRID_MG_PER_KWH
        month = each["day"][:7] + "-01"
        months[month] = months.get(month, 0) + int(mg.to_integral_value(ROUND_DOWN))
    return months


@pytest.mark.parametrize("kind", ["organisation", "citizen"])
def test_real_readings_accrue_to_their_owner_what_the_published_factor_gives(
    office: Office, kind: str
) -> None:
    owner = office.firm() if kind == "organisation" else office.citizen()
    project = office.registered(owner)
    body = report(SINCE, LAST)
    assert len(body["readings"]) == 104
    sent = office.sent(owner, project, body)
    assert balance(office.city, owner.who.owner) == []
    answer = office.decide(sent)
    assert answer.status_code == 200, answer.text
    expected = recomputed(body)
    assert len(expected) == 4
    assert balance(office.city, owner.who.owner) == [
        ("SHCER-PV", 1, "B", month, mg) for month, mg in sorted(expected.items())
    ]
    told = owner.get(f"/v1/projects/{project}/reports/{sent}").json()
    assert told["reduction"]["co2e_mg"] == sum(expected.values())
    assert [each["reason"] for each in told["days"]] == [""] * 104
    first = told["days"][0]
    assert first["inputs"] == {
        "generation": body["readings"][0]["inputs"]["generation"],
        "capacity": "6",
        "age": "1",
        "ets_site": "no",
        "green_certificate": "no",
        "other_mechanism": "no",
    }
    (shown,) = office.client.get("/v1/public/projects").json()["data"]
    assert sum(expected.values()) % MG_PER_KG, "or it says nothing"
    assert shown["reduction"]["co2e_mg"] == sum(expected.values()) // MG_PER_KG * MG_PER_KG


def test_what_accrues_commits_to_the_readings_as_they_were_sent(office: Office) -> None:
    owner = office.firm()
    project = office.registered(owner)
    body = report(SINCE, SINCE + timedelta(days=30))
    sent = office.sent(owner, project, body)
    assert office.decide(sent).status_code == 200
    told = owner.get(f"/v1/projects/{project}/reports/{sent}").json()
    rows = [[each["day"], each["meter"], each["inputs"]] for each in body["readings"]]
    written = json.dumps(rows, separators=(",", ":")).encode()
    opened = evidence_commit(bytes.fromhex(told["salt"]), written)
    assert opened.hex() == told["commitment"]
    moved = "select t.evidence, t.cause from transfer t"
    assert [(bytes(evidence), cause) for evidence, cause in rows_of(office.city.db, moved)] == [
        (opened, parse_public_id("mrp", sent))
    ]


class TestReport:
    """What a report needs, and what a verifier's word does."""

    @pytest.mark.parametrize(
        ("first", "last"),
        [
            (SINCE - timedelta(days=1), LAST),
            (LAST, day_of(now())),
            (LAST, SINCE),
            (SINCE, SINCE + timedelta(days=366)),
        ],
        ids=["before", "not-over", "reversed", "longer-than-a-year"],
    )
    def test_a_period_is_over_and_within_the_crediting_period(
        self, office: Office, first: date, last: date
    ) -> None:
        firm = office.firm()
        project = office.registered(firm)
        body = report(first, last, readings=readings(SINCE, SINCE))
        answer = firm.post(f"/v1/projects/{project}/reports", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "projects.period_outside")

    def test_before_its_registration_there_is_none(self, office: Office) -> None:
        firm = office.firm()
        project = office.applied(firm)
        answer = firm.post(f"/v1/projects/{project}/reports", report(SINCE, LAST))
        assert answer.json()["code"] == "projects.not_registered"

    @pytest.mark.parametrize(
        "changes",
        [
            {"day": "2026-07-03"},
            {"meter": 1},
            {"inputs": {"generation": "1", "capacity": "1"}},
            {"inputs": {"sunshine": "1"}},
        ],
        ids=["day", "meter", "fixed", "unknown"],
    )
    def test_readings_are_the_project_s(self, office: Office, changes: Json) -> None:
        firm = office.firm()
        project = office.registered(firm)
        two_days = readings(SINCE, SINCE + timedelta(days=1))
        body = report(SINCE, SINCE + timedelta(days=1), readings=[{**two_days[0], **changes}])
        answer = firm.post(f"/v1/projects/{project}/reports", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "projects.readings_invalid")
        twice = {**body, "readings": [two_days[0], two_days[0]]}
        answer = firm.post(f"/v1/projects/{project}/reports", twice)
        assert (answer.status_code, answer.json()["code"]) == (422, "projects.readings_invalid")

    def test_a_day_is_in_one_report_until_that_is_rejected(self, office: Office) -> None:
        firm = office.firm()
        project = office.registered(firm)
        path, body = f"/v1/projects/{project}/reports", report(SINCE, LAST)
        sent = office.sent(firm, project, body)
        overlapping = report(LAST, LAST)
        assert firm.post(path, overlapping).json()["code"] == "projects.period_told"
        (waiting,) = office.desk.verifier.get(REPORTS).json()["data"]
        assert waiting["id"] == sent
        assert office.decide(sent, accepts=False).status_code == 200
        assert office.decide(sent).json()["code"] == "projects.report_decided"
        assert balance(office.city, firm.who.owner) == []
        assert office.desk.verifier.get(REPORTS).json()["data"] == []
        assert firm.post(path, overlapping).status_code == 201

    def test_decided_again_under_its_key_it_accrues_once(self, office: Office) -> None:
        firm = office.firm()
        project = office.registered(firm)
        sent = office.sent(firm, project, report(SINCE, LAST))
        body = {"accepts": True, "finding": "Held against the invoices"}
        path = f"{REPORTS}/{sent}/decision"
        first, again = (office.desk.verifier.post(path, body, "k1") for _ in range(2))
        assert first.json() == again.json()
        assert office.decide(sent).json()["code"] == "projects.report_decided"
        assert rows_of(office.city.db, "select count(*) from transfer") == [(4,)]

    def test_two_meters_of_a_day_are_one_amount(self, office: Office) -> None:
        firm = office.firm()
        meters = [
            {"label": str(each), "provider": "sh-grid", "number": f"77-{each}"} for each in (0, 1)
        ]
        project = office.registered(firm, meters=meters)
        day = SINCE.isoformat()
        halves = [
            {"day": day, "meter": each, "inputs": {"generation": "0.000001"}} for each in (0, 1)
        ]
        whole = [{**each, "inputs": {"generation": "50.5"}} for each in halves]
        sent = office.sent(firm, project, report(SINCE, SINCE, readings=whole))
        told = office.decide(sent).json()
        assert told["days"][0]["inputs"]["generation"] == "101.0"
        assert told["reduction"]["co2e_mg"] == 101 * GRID_MG_PER_KWH
        tomorrow = SINCE + timedelta(days=1)
        tiny = [{**each, "day": tomorrow.isoformat()} for each in halves]
        sent = office.sent(firm, project, report(tomorrow, tomorrow, readings=tiny))
        assert office.decide(sent).json()["reduction"]["co2e_mg"] == 0

    def test_what_a_roof_cannot_generate_gives_nothing(self, office: Office) -> None:
        firm = office.firm()
        project = office.registered(firm)
        told = {"day": SINCE.isoformat(), "meter": 0, "inputs": {"generation": "144.001"}}
        body = report(SINCE, SINCE + timedelta(days=1), readings=[told])
        days = office.decide(office.sent(firm, project, body)).json()["days"]
        reasons = [each["reason"] for each in days]
        assert reasons == ["generation.above_capacity", "reading.missing"]

    def test_after_its_scenario_s_approval_ended_nothing_accrues(self, office: Office) -> None:
        db = office.city.db
        dates: Json = {"valid_from": date(2026, 1, 1), "valid_until": date(2026, 7, 10)}
        db.transact(approve_scenario, "shcer-pv", **dates, letter="沪环气〔2026〕1号")
        firm = office.firm()
        project = office.registered(firm)
        days = office.decide(office.sent(firm, project, report(SINCE, LAST))).json()["days"]
        assert [each["reason"] for each in days[:10]] == [""] * 10
        assert {each["reason"] for each in days[10:]} == {"approval.not_in_force"}


class TestExclusion:
    """Days that two of the desk say do not count."""

    def test_excluded_days_give_nothing(self, office: Office) -> None:
        firm = office.firm()
        project = office.registered(firm)
        body = {"first": "2026-07-03", "last": "2026-07-05", "reason": "Meter was open"}
        path = f"{ADMIN}/{project}/exclusions"
        assert decided(office.registrars, path, body).status_code == 200
        sent = office.sent(firm, project, report(SINCE, LAST))
        days = office.decide(sent).json()["days"]
        assert [each["reason"] for each in days[:6]] == [
            "", "", "project.excluded", "project.excluded", "project.excluded", "",
        ]  # fmt: skip
        told = firm.get(f"/v1/projects/{project}").json()["exclusions"]
        assert told == [{"first": "2026-07-03", "last": "2026-07-05", "meter": None}]
        late = office.desk.operator.post(path, body)
        assert (late.status_code, late.json()["code"]) == (409, "projects.period_accrued")

    def test_one_meter_s_days_leave_the_other_s(self, office: Office) -> None:
        firm = office.firm()
        meters = [
            {"label": str(each), "provider": "sh-grid", "number": f"77-{each}"} for each in (0, 1)
        ]
        project = office.registered(firm, meters=meters)
        day, path = SINCE.isoformat(), f"{ADMIN}/{project}/exclusions"
        body = {"first": day, "last": day, "meter": 1, "reason": "Broken"}
        assert decided(office.registrars, path, body).status_code == 200
        told = [
            {"day": day, "meter": each, "inputs": {"generation": str(each * 100 + 10)}}
            for each in (0, 1)
        ]
        sent = office.sent(firm, project, report(SINCE, SINCE, readings=told))
        assert office.decide(sent).json()["reduction"]["co2e_mg"] == 10 * GRID_MG_PER_KWH
        none = office.desk.operator.post(path, {**body, "meter": 2})
        assert none.json()["code"] == "projects.design_invalid"
        outside = office.desk.operator.post(path, {**body, "first": "2020-01-01"})
        assert outside.json()["code"] == "projects.period_outside"

    def test_days_that_the_boundary_list_names_later_give_nothing(self, office: Office) -> None:
        firm = office.firm()
        project = office.registered(firm)

        def listing(session: Any) -> None:  # noqa: ANN401 -- a session
            mark = mark_of(session, office.city.keys, "station", "某某路1号")
            facts: Json = {
                "reason": "boundary.ets",
                "source": "register",
                "since": date(2026, 7, 11),
            }
            put_on_list(session, "station", mark, **facts)

        office.city.db.transact(listing)
        days = office.decide(office.sent(firm, project, report(SINCE, LAST))).json()["days"]
        assert [each["reason"] for each in days[:10]] == [""] * 10
        assert {each["reason"] for each in days[10:]} == {"project.excluded"}
