"""Projects over HTTP (减排项目接口): from a design to what its real readings accrue."""

import json
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import pytest

from app.activities.boundary import boundary_list, mark_of, put_on_list
from app.kernel.clock import day_of, now
from app.kernel.db import driver
from app.providers import add_provider
from tests.support.anchoring import rows_of
from tests.support.projects import SINCE, UNTIL, design, report
from tests.web.project_office import ADMIN, REPORTS, Json, Office
from tests.web.shops import decided

LAST: Final = date(2026, 10, 12)
"""Of the real readings, ten years later."""


def test_a_citizen_s_project_is_shown_with_nothing_personal(office: Office) -> None:
    citizen, firm = office.citizen(), office.firm()
    own = office.registered(citizen, number=1)
    theirs = office.registered(firm, number=2)
    office.applied(firm, number=3)
    answer = office.client.get("/v1/public/projects")
    newer, older = answer.json()["data"]
    assert (newer["id"], older["id"]) == (theirs, own)
    assert newer["title_zh"] == "屋顶光伏2"
    assert newer["organisation_en"] == "Organisation 1"
    personal = ("organisation_zh", "organisation_en", "title_zh", "title_en", "site")
    assert [older[name] for name in personal] == [None] * 5
    kept = citizen.get(f"/v1/projects/{own}").json()
    assert (
        older["registered_on"] == day_of(datetime.fromisoformat(kept["registered_at"])).isoformat()
    )
    told = ("屋顶光伏1", "某某路1号", "并网点", citizen.who.name, kept["registered_at"][10:])
    for word in told:
        assert word not in answer.text


def test_numbers_of_meters_are_not_kept(office: Office) -> None:
    office.registered(office.firm())
    kept = repr(rows_of(office.city.db, "select r::text from project_revision r"))
    assert "并网点" in kept
    assert "3101-00001" not in kept
    assert "某某路1号" not in kept
    assert "3101-00001" not in repr(rows_of(office.city.db, "select a::text from audit_entry a"))


class TestObjects:
    """What is one owner's is for another as if it were nobody's."""

    def test_another_owner_neither_reads_nor_changes_it(self, office: Office) -> None:
        owners = (office.firm(1), office.citizen())
        for owner, other in (owners, owners[::-1]):
            number = 1 if owner is owners[0] else 2
            project = office.registered(owner, number=number)
            sent = office.sent(owner, project, report(SINCE, LAST))
            before = owner.get(f"/v1/projects/{project}").json()
            nobody = "prj_01k0000000000000000000000a"
            for theirs in (project, nobody):
                path = f"/v1/projects/{theirs}"
                body = {"design": design(number), "note": "mine now"}
                answers = [
                    other.get(path),
                    other.get(f"{path}/reports"),
                    other.get(f"{path}/reports/{sent}"),
                    other.post(f"{path}/revisions", body),
                    other.post(f"{path}/withdrawal", {"reason": "mine now"}),
                    other.post(f"{path}/reports", report(SINCE, LAST)),
                ]
                told = {(each.status_code, each.json()["code"]) for each in answers}
                assert told == {(404, "projects.unknown")}
            assert owner.get(f"/v1/projects/{project}").json() == before
            mine = other.get("/v1/projects").json()["data"]
            assert project not in [each["id"] for each in mine]

    def test_a_report_is_found_in_its_own_project_alone(self, office: Office) -> None:
        owner = office.firm()
        project, other = office.registered(owner), office.registered(owner, number=2)
        sent = office.sent(owner, project, report(SINCE, LAST))
        answer = owner.get(f"/v1/projects/{other}/reports/{sent}")
        assert answer.json()["code"] == "projects.report_unknown"

    def test_a_suspended_organisation_does_nothing(self, office: Office) -> None:
        owner = office.firm()
        project = office.registered(owner)
        (firm,) = office.desk.operator.get("/v1/admin/organisations").json()["data"]
        path = f"/v1/admin/organisations/{firm['id']}/suspension"
        assert office.desk.operator.post(path, {"reason": "a test"}).status_code == 201
        answer = owner.post(f"/v1/projects/{project}/reports", report(SINCE, LAST))
        assert (answer.status_code, answer.json()["code"]) == (403, "organisations.suspended")

    def test_each_reading_of_a_citizen_s_by_the_desk_is_logged(self, office: Office) -> None:
        own, theirs = office.applied(office.citizen()), office.applied(office.firm(), number=2)
        for project in (own, theirs):
            assert office.desk.regulator.get(f"{ADMIN}/{project}").status_code == 200
        read = "select actor, object from audit_entry where act = 'projects.read'"
        assert rows_of(office.city.db, read) == [(office.desk.regulator.who.name, own)]

    def test_roles_of_the_desk_are_kept_apart(self, office: Office) -> None:
        project = office.applied(office.firm())
        desk, vote = office.desk, {"revision": 1, "vote": "approve", "comment": "right"}
        asked = {"revision": 1, "reason": "Reviewed"}
        for answer in (
            desk.operator.post(f"{ADMIN}/{project}/reviews", vote),
            desk.expert.post(f"{ADMIN}/{project}/registration", asked),
            desk.verifier.post(f"{ADMIN}/{project}/registration", asked),
            desk.regulator.post(f"{REPORTS}/{project}/decision", {}),
            office.firm(2).get(ADMIN),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "auth.scope_missing")


class TestDesign:
    """What a design needs to be applied with."""

    @pytest.mark.parametrize(
        ("changes", "status", "code"),
        [
            ({"code": "NO-SUCH"}, 404, "catalogue.version_unknown"),
            ({"code": "SZ-METRO"}, 422, "projects.methodology_unfit"),
            ({"code": "CQ-EBIKE"}, 422, "projects.methodology_unfit"),
            ({"quantities": {}}, 201, ""),
            ({"quantities": {"capacity": "6 km"}}, 422, "projects.design_invalid"),
            ({"quantities": {"height": "3 m"}}, 422, "projects.design_invalid"),
            (
                {"quantities": {"capacity": "6 kW", "generation": "40 kWh"}},
                422,
                "projects.design_invalid",
            ),
            ({"crediting_until": "2026-06-30"}, 422, "projects.design_invalid"),
            ({"crediting_until": "2056-06-30"}, 422, "projects.design_invalid"),
            ({"started_on": "2040-01-01"}, 422, "projects.design_invalid"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_it_fits_its_methodology(
        self, office: Office, changes: Json, status: int, code: str
    ) -> None:
        answer = office.firm().post("/v1/projects", design(**changes))
        assert (answer.status_code, answer.json().get("code", "")) == (status, code), answer.text

    @pytest.mark.parametrize("name", ["ets_site", "green_certificate", "other_mechanism"])
    def test_what_is_counted_elsewhere_is_no_project(self, office: Office, name: str) -> None:
        said = {**design()["declarations"], name: True}
        answer = office.firm().post("/v1/projects", design(declarations=said))
        assert (answer.status_code, answer.json()["code"]) == (409, "projects.counted_elsewhere")

    @pytest.mark.parametrize("what", ["meter", "site"])
    def test_what_is_on_the_boundary_list_is_no_project(self, office: Office, what: str) -> None:
        db, keys = office.city.db, office.city.keys
        kind: Any = "subject" if what == "meter" else "station"
        number = "3101-00001" if what == "meter" else "某某路1号"

        def listing(session: Any) -> None:  # noqa: ANN401 -- a session
            mark = mark_of(session, keys, kind, number, "sh-grid")
            facts: Json = {
                "reason": "boundary.ets",
                "source": "register",
                "since": date(2026, 1, 1),
            }
            put_on_list(session, kind, mark, **facts)

        db.transact(listing)
        firm = office.firm()
        answer = firm.post("/v1/projects", design())
        assert (answer.status_code, answer.json()["code"]) == (409, "projects.counted_elsewhere")
        assert firm.post("/v1/projects", design(2)).status_code == 201

    def test_a_meter_of_somebody_s_own_acts_is_no_project_s(self, office: Office) -> None:
        mark = office.city.keys.subject_hash("sh-grid", "3101-00001")
        person = office.citizen().who

        def linking(session: Any) -> None:  # noqa: ANN401 -- a session
            grid = add_provider(session, "sh-grid", name_zh="电网", name_en="Grid", at=now())
            driver(session).execute(
                "insert into instrument (provider, number, linked_from, bucket, account)"
                " values (%s, %s, now(), %s, %s)",
                (grid.id, mark, person.bucket, person.owner),
            )

        office.city.db.transact(linking)
        # Whoever applies does not learn that the number is somebody's; the desk does.
        linked, free = (office.applied(office.firm(each), number=each) for each in (1, 2))
        for project, status in ((linked, 409), (free, 201)):
            office.reviewed(project)
            body = {"revision": 1, "reason": "Reviewed"}
            answer = office.desk.operator.post(f"{ADMIN}/{project}/registration", body)
            assert answer.status_code == status
            assert answer.json().get("code") == ("projects.meter_taken" if status == 409 else None)

    def test_one_meter_is_named_once(self, office: Office) -> None:
        meters = design()["meters"] * 2
        answer = office.firm().post("/v1/projects", design(meters=meters))
        assert answer.json()["code"] == "projects.design_invalid"

    def test_sent_again_under_its_key_it_is_one(self, office: Office) -> None:
        firm = office.firm()
        first, again = (firm.post("/v1/projects", design(), "k1") for _ in range(2))
        assert first.json() == again.json()
        assert len(firm.get("/v1/projects").json()["data"]) == 1


class TestRegistration:
    """Two reviewers, then two of the desk."""

    def test_before_two_reviewed_the_newest_design_nobody_registers_it(
        self, office: Office
    ) -> None:
        firm = office.firm()
        project = office.applied(firm)
        body = {"revision": 1, "reason": "Soon"}
        asked = office.desk.operator.post(f"{ADMIN}/{project}/registration", body)
        assert asked.json()["code"] == "projects.not_registrable"
        office.reviewed(project)
        revision = {"design": design(site="某某路9号"), "note": "moved"}
        assert firm.post(f"/v1/projects/{project}/revisions", revision).status_code == 201
        stale = office.desk.operator.post(f"{ADMIN}/{project}/registration", body)
        assert stale.json()["code"] == "projects.design_stale"
        vote = {"revision": 1, "vote": "approve", "comment": "old"}
        late = office.desk.expert.post(f"{ADMIN}/{project}/reviews", vote)
        assert late.json()["code"] == "projects.design_stale"
        fresh = {**body, "revision": 2}
        lacking = office.desk.operator.post(f"{ADMIN}/{project}/registration", fresh)
        assert lacking.json()["code"] == "projects.not_registrable"
        office.reviewed(project, 2)
        twice = office.desk.expert.post(f"{ADMIN}/{project}/reviews", {**vote, "revision": 2})
        assert twice.json()["code"] == "projects.design_reviewed"
        assert office.register(project, 2).status_code == 200
        told = firm.get(f"/v1/projects/{project}").json()
        assert (told["state"], told["design"]["revision"]) == ("registered", 2)
        assert firm.post(f"/v1/projects/{project}/revisions", revision).json()["code"] == (
            "projects.registered"
        )

    def test_a_meter_is_in_one_project_at_a_time(self, office: Office) -> None:
        one, two = office.firm(1), office.firm(2)
        first, second = office.applied(one), office.applied(two)
        later = office.applied(
            two, crediting_since="2036-07-01", crediting_until="2040-06-30", site="别处"
        )
        for each in (first, second, later):
            office.reviewed(each)
        assert office.register(first).status_code == 200
        refused = office.desk.operator.post(
            f"{ADMIN}/{second}/registration", {"revision": 1, "reason": "Too"}
        )
        assert refused.json()["code"] == "projects.counted_elsewhere"
        assert office.register(later).status_code == 200

    def test_of_two_side_by_side_the_database_lets_one_have_the_meter(self, office: Office) -> None:
        """Told apart by provider, so that the list does not know; the constraint does."""
        firm = office.firm()
        meters = [{"label": "同一块表", "provider": "", "number": "3101-00001"}]
        first, second = office.applied(firm), office.applied(firm, meters=meters)
        for each in (first, second):
            office.reviewed(each)
        assert office.register(first).status_code == 200
        refused = office.register(second)
        assert (refused.status_code, refused.json()["code"]) == (409, "projects.meter_taken")
        assert firm.get(f"/v1/projects/{second}").json()["state"] == "in_review"

    def test_its_meters_are_listed_for_its_crediting_period(self, office: Office) -> None:
        project = office.registered(office.firm())
        (listed,) = office.city.db.read(boundary_list)
        assert listed.number == office.city.keys.subject_hash("sh-grid", "3101-00001")
        assert (listed.reason, listed.source) == ("boundary.project", project)
        assert (listed.valid_from, listed.valid_to) == (SINCE, UNTIL)

    def test_ended_it_frees_its_meters_and_takes_no_later_report(self, office: Office) -> None:
        firm, today = office.firm(), day_of(now())
        project = office.registered(firm)
        answer = firm.post(f"/v1/projects/{project}/withdrawal", {"reason": "Sold"})
        assert (answer.status_code, answer.json()["state"]) == (200, "ended")
        (listed,) = office.city.db.read(boundary_list)
        assert listed.valid_to == today
        assert rows_of(office.city.db, "select upper(days) from project_meter") == [
            (today + timedelta(days=1),)
        ]
        again = firm.post(f"/v1/projects/{project}/withdrawal", {"reason": "Sold"})
        assert again.json()["code"] == "projects.ended"
        sent = office.sent(firm, project, report(SINCE, LAST))
        assert office.decide(sent).status_code == 200

    def test_two_of_the_desk_end_or_refuse_one(self, office: Office) -> None:
        firm = office.firm()
        project = office.applied(firm)
        body = {"reason": "Not a project"}
        assert decided(office.registrars, f"{ADMIN}/{project}/end", body).status_code == 200
        told = firm.get(f"/v1/projects/{project}").json()
        assert (told["state"], told["ended_for"]) == ("ended", "Not a project")
        vote = {"revision": 1, "vote": "approve", "comment": "late"}
        late = office.desk.expert.post(f"{ADMIN}/{project}/reviews", vote)
        assert late.json()["code"] == "projects.ended"
        assert office.client.get("/v1/public/projects").json()["data"] == []


def test_a_design_s_digest_is_of_what_is_kept(office: Office) -> None:
    firm = office.firm()
    project = office.applied(firm)
    ((stored, digest),) = rows_of(office.city.db, "select design, digest from project_revision")
    sent = design()
    words = {name: sent[name] for name in ("title_zh", "title_en", "text", "site")}
    whole = {**stored, **words}
    written = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert sha256(written.encode()).digest() == bytes(digest)
    told = firm.get(f"/v1/projects/{project}").json()["design"]
    assert told["digest"] == bytes(digest).hex()
    assert {name: told[name] for name in words} == words
