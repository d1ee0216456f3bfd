"""The marks of an item are those that the ledger and the keys define."""

from hashlib import sha256

from app.activities.marks import Marker, record_of
from app.kernel.secrets import Keys
from ledger.encoding import evidence_commit, evidence_salt
from tests.support.acts import item


def test_it_commits_as_the_ledger_says(keys: Keys) -> None:
    told = item()
    record = record_of(told, "M")
    external_hash, content = Marker(keys, "metro", {}).commitment(told.external_id, record)
    salt = evidence_salt(keys.provider_secret("metro"), external_hash)
    assert external_hash == sha256(b"r1").digest()
    assert content == evidence_commit(salt, record)


def test_it_hashes_subjects_as_the_keys_do(keys: Keys) -> None:
    assert Marker(keys, "metro", {}).subject("card") == keys.subject_hash("metro", "card")


def test_it_meets_two_names_of_one_place(keys: Keys) -> None:
    marker = Marker(keys, "metro", {("station", "深大"): "深圳大学"})
    assert marker.place("station", "深大站") == marker.place("station", "深圳大学")
    assert marker.place("station", "西丽") != marker.place("vehicle", "西丽")
    assert marker.place("station", "") is None
