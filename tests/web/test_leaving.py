"""Export and erasure over the API (导出与删除接口), by people who log in by phone, two of them."""

import io
import json
import zipfile
from base64 import b64decode
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.testclient import TestClient

from app.anchoring import Notary
from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.ids import parse_public_id
from app.privacy.erasing import erase
from tests.support.anchoring import ORIGIN, notary_over
from tests.support.auditing import assert_clean
from tests.support.chain import MemoryChain
from tests.support.desk import Person as Owner
from tests.support.leaving import dump, found_in
from tests.support.projects import SINCE, UNTIL, design, report
from tests.web.entering import Person, Phones, bearer
from tests.web.project_office import ADMIN, Json, Office
from tests.web.shops import decided

CONFIRM = {"confirm": "erase"}


@pytest.fixture
def fresh(city: City, tmp_path: Path) -> Notary:
    return notary_over(city.worker_db, city.keys, tmp_path)


def _close(notary: Notary, chain: MemoryChain) -> None:
    notary.close(at=now())
    notary.publish()
    notary.submit(chain, at=now())


def _join(client: TestClient, phones: Phones, phone: str, name: str) -> dict[str, str]:
    person = Person(client, phones, phone, device=f"device-of-{phone[1:]}")
    headers = bearer(person.log_in()["access_token"])
    named = client.patch("/v1/me", headers=headers, json={"display_name": name})
    assert named.status_code == 200, named.text
    return headers


def test_an_export_is_one_file_of_ones_own(client: TestClient, phones: Phones) -> None:
    a = _join(client, phones, "+8613800000001", "隐名甲人")
    _join(client, phones, "+8613800000002", "隐名乙人")
    answer = client.get("/v1/me/export", headers=a)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    (profile,) = json.loads(archive.read("profile.json"))
    assert (profile["phone"], profile["display_name"]) == ("+8613800000001", "隐名甲人")
    text = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert "13800000002" not in text
    assert "隐名乙人" not in text
    assert client.get("/v1/me/export").status_code == 401


def test_who_leaves_is_gone_and_may_come_again(
    client: TestClient, phones: Phones, city: City, fresh: Notary
) -> None:
    phone, chain = "+8613800000001", MemoryChain()
    a = _join(client, phones, phone, "隐名甲人")
    first = client.get("/v1/me", headers=a).json()["id"]
    key = {"Idempotency-Key": "leave-1"}
    assert client.post("/v1/me/erasure", headers=a, json=CONFIRM).status_code == 400
    assert (
        client.post("/v1/me/erasure", headers=a | key, json={"confirm": "yes"}).status_code == 422
    )
    asked = client.post("/v1/me/erasure", headers=a | key, json=CONFIRM)
    assert asked.status_code == 202, asked.text
    again = client.post("/v1/me/erasure", headers=a | key, json=CONFIRM)
    assert (again.json(), again.headers["idempotent-replayed"]) == (asked.json(), "true")
    other = client.post("/v1/me/erasure", headers=a | {"Idempotency-Key": "leave-2"}, json=CONFIRM)
    assert (other.status_code, other.json()["code"]) == (409, "erasure.under_way")
    refused = client.patch("/v1/me", headers=a, json={"language": "zh"})
    assert refused.json()["code"] == "erasure.under_way"
    assert client.get("/v1/me", headers=a).json()["erasure"] == "stopped"

    path = asked.json()["receipt_path"]
    assert client.get(path).json()["receipt"] is None
    erase(city.worker_db, city.keys, ORIGIN, at=now())
    assert client.get(path).json()["stage"] == "noted"
    _close(fresh, chain)
    assert erase(city.worker_db, city.keys, ORIGIN, at=now()) == 1

    told = client.get(path)
    assert told.headers["cache-control"] == "no-store"
    assert told.json()["stage"] == "destroyed"
    receipt = told.json()["receipt"]
    public = Ed25519PublicKey.from_public_bytes(b64decode(receipt["public_key"]))
    public.verify(b64decode(receipt["signature"]), receipt["statement"].encode())
    with pytest.raises(InvalidSignature):
        public.verify(b64decode(receipt["signature"]), receipt["statement"].encode() + b" ")
    words = [phone, phone[3:], "隐名甲人", city.keys.login_hash("phone", phone.encode())]
    assert found_in(dump(city.db.url), words) == set()
    assert client.get("/v1/me", headers=a).status_code == 404
    assert client.get("/v1/me/export", headers=a).status_code == 404

    b = _join(client, phones, phone, "隐名丙人")
    new = client.get("/v1/me", headers=b).json()
    assert new["id"] != first
    assert new["erasure"] is None


@pytest.mark.parametrize("token", ["x", "A" * 46, "A" * 60, "____"])
def test_no_other_token_opens_anything(client: TestClient, token: str) -> None:
    assert client.get(f"/v1/erasures/{token}").status_code == 404


class TestProjects:
    """What everybody wrote of a roof goes with whom it was of, and its meters are free (R20)."""

    WORDS = ("隐名丁人", "13955550001")
    """A name and a phone, which everybody writes into everything."""

    def told(self, office: Office, owner: Owner) -> str:
        """A project with all that can be written of it, and a report that waits."""
        words = " ".join(self.WORDS)
        changes: Json = dict.fromkeys(("title_zh", "title_en", "text", "site"), words)
        meters = [{"label": words[:60], "provider": "sh-grid", "number": "3101-00001"}]
        project = office.applied(owner, meters=meters, **changes)
        body = {"design": design(meters=meters, **changes), "note": words}
        path = f"/v1/projects/{project}"
        assert owner.post(f"{path}/revisions", body).status_code == 201
        for expert in (office.desk.expert, office.desk.verifier):
            vote = {"revision": 2, "vote": "approve", "comment": words}
            assert expert.post(f"{ADMIN}/{project}/reviews", vote).status_code == 201
        asked = {"revision": 2, "reason": words}
        signed = decided(office.registrars, f"{ADMIN}/{project}/registration", asked)
        assert signed.status_code == 200, signed.text
        day = SINCE.isoformat()
        asked = {"first": day, "last": day, "meter": None, "reason": words}
        signed = decided(office.registrars, f"{ADMIN}/{project}/exclusions", asked)
        assert signed.status_code == 200, signed.text
        papers = [{"name": words, "sha256": "9f" * 32}]
        first, second = (SINCE + timedelta(days=each) for each in (5, 10))
        sent = office.sent(owner, project, report(SINCE, first, papers=papers))
        finding = {"accepts": True, "finding": words}
        reports = "/v1/admin/monitoring-reports"
        answer = office.desk.verifier.post(f"{reports}/{sent}/decision", finding)
        assert answer.status_code == 200, answer.text
        office.sent(owner, project, report(first + timedelta(days=1), second, papers=papers))
        asked = {"reason": words}
        assert office.registrars[0].post(f"{ADMIN}/{project}/end", asked).status_code == 201
        withdrawn = office.applied(owner, number=2)
        path = f"/v1/projects/{withdrawn}/withdrawal"
        assert owner.post(path, asked).status_code == 200
        return project

    def test_nothing_that_was_written_of_one_is_left(self, office: Office, fresh: Notary) -> None:
        a, b, chain = office.citizen(), office.firm(), MemoryChain()
        project = self.told(office, a)
        tomorrow = (day_of(now()) + timedelta(days=1)).isoformat()
        same: Json = {"number": 1, "crediting_since": tomorrow, "crediting_until": str(UNTIL)}
        refused = b.post("/v1/projects", design(**same))
        assert refused.json()["code"] == "projects.counted_elsewhere"
        before = dump(office.city.db.url)
        assert {table for table, _ in found_in(before, self.WORDS)} == {
            "approval", "citizen_answer", "desk_answer", "monitoring_report", "project",
            "project_exclusion", "project_review", "project_revision",
        }  # fmt: skip

        assert a.post("/v1/me/erasure", CONFIRM).status_code == 202
        city = office.city
        erase(city.worker_db, city.keys, ORIGIN, at=now())
        late = a.post("/v1/projects", design(number=3, title_zh=self.WORDS[0]))
        assert late.status_code == 201, "a token lives on for ten minutes"
        for _ in range(2):
            _close(fresh, chain)
            erase(city.worker_db, city.keys, ORIGIN, at=now())

        after = dump(city.db.url)
        assert found_in(after, [*self.WORDS, a.who.name, str(a.who.id)]) == set()
        assert after["project"].count("erased") == 3
        waiting = office.desk.verifier.get("/v1/admin/monitoring-reports").json()
        assert waiting["data"] == []
        free = office.registered(b, **same)
        ours = after["project_meter"]
        assert (len(ours.splitlines()), str(parse_public_id("prj", project)) in ours) == (1, True)
        assert len(dump(city.db.url)["project_meter"].splitlines()) == 2, free
        assert_clean(city.db.url, city.keys, ORIGIN, chain)
