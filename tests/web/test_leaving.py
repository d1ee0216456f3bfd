"""Export and erasure over the API (导出与删除接口), by people who log in by phone, two of them."""

import io
import json
import zipfile
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.testclient import TestClient

from app.anchoring import Notary
from app.city import City
from app.kernel.clock import now
from app.privacy.erasing import erase
from tests.support.anchoring import ORIGIN, notary_over
from tests.support.chain import MemoryChain
from tests.support.leaving import dump, found_in
from tests.web.entering import Person, Phones, bearer

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
