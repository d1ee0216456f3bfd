"""The shared vectors: golden, and what the code says today."""

import json

import pytest

from ledger.log import check_consistency, check_inclusion
from tests.vectors.make import FILES, HERE, text_of


@pytest.mark.parametrize("name", FILES)
def test_the_committed_file_is_what_the_code_writes(name: str) -> None:
    assert (HERE / f"{name}.json").read_text() == text_of(name)


def test_every_file_is_written_by_the_code() -> None:
    assert {path.stem for path in HERE.glob("*.json")} == set(FILES)


def test_every_proof_in_them_holds() -> None:
    proofs = json.loads((HERE / "log_proofs.json").read_text())

    def raw(text: str) -> bytes:
        return bytes.fromhex(text[2:])

    for one in proofs["inclusion"]:
        path = [raw(hash_) for hash_ in one["path"]]
        place = (raw(one["leaf"]), one["index"], one["size"])
        assert check_inclusion(*place, path, raw(one["root"]))
    for one in proofs["consistency"]:
        path = [raw(hash_) for hash_ in one["path"]]
        roots = (raw(one["old_root"]), raw(one["new_root"]))
        assert check_consistency(one["old"], one["new"], *roots, path)
