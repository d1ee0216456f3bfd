"""Key files and sealing: private, whole, made once, bound to their owner, never shown."""

import base64
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.secrets import NAMES, SIZE_BYTES, KeyMissing, Keys


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def make(folder: Path) -> dict[str, bytes]:
    Keys(folder, make_missing=True)
    return contents(folder)


def subject_of(folder: Path) -> bytes:
    return Keys(folder, make_missing=True).subject


MAKING = """
import sys, pathlib
from app.kernel.secrets import Keys
print(Keys(pathlib.Path(sys.argv[1]), make_missing=True).subject.hex())
"""


def test_missing_files_are_made_private_and_of_full_size(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    Keys(folder, make_missing=True)
    assert set(contents(folder)) == set(NAMES)
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_size == SIZE_BYTES
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(set(contents(folder).values())) == len(NAMES)


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    before = make(tmp_path)
    (tmp_path / "log").unlink()
    after = make(tmp_path)
    assert {name: key for name, key in after.items() if name != "log"} == {
        name: key for name, key in before.items() if name != "log"
    }
    assert after["log"] != before["log"]


def test_processes_that_race_end_with_the_same_keys(tmp_path: Path) -> None:
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", MAKING, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    assert len({one.communicate(timeout=60)[0] for one in racing}) == 1
    assert [one.returncode for one in racing] == [0] * 4
    assert set(contents(tmp_path)) == set(NAMES), "no draft is left behind"


def test_threads_that_race_end_with_the_same_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(subject_of, [tmp_path] * 8))
    assert len(set(made)) == 1
    assert set(contents(tmp_path)) == set(NAMES)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_file_of_another_size_is_no_key(tmp_path: Path, size: int) -> None:
    keys = Keys(tmp_path, make_missing=True)
    (tmp_path / "anchor").write_bytes(bytes(size))
    with pytest.raises(KeyMissing, match="anchor must hold 32 bytes"):
        _ = keys.anchor


def test_nothing_is_made_where_keys_must_be_given(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys", make_missing=False)
    assert not (tmp_path / "keys").exists()
    for ask in (lambda: keys.receipt, lambda: keys.seal(b"x", owner=1)):
        with pytest.raises(KeyMissing):
            ask()


@given(st.binary(max_size=100), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_seal_opens_for_its_owner_alone(
    tmp_path_factory: pytest.TempPathFactory, secret: bytes, owner: int, other: int
) -> None:
    keys = Keys(tmp_path_factory.getbasetemp() / "sealing", make_missing=True)
    sealed = keys.seal(secret, owner=owner)
    assert keys.open(sealed, owner=owner) == secret
    assert keys.seal(secret, owner=owner) != sealed, "a nonce is never used twice"
    if other != owner:
        with pytest.raises(InvalidTag):
            keys.open(sealed, owner=other)
    with pytest.raises(InvalidTag):
        keys.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), owner=owner)


def test_hashes_and_secrets_depend_on_provider_number_and_key(tmp_path: Path) -> None:
    one, other = (Keys(tmp_path / name, make_missing=True) for name in ("a", "b"))
    hashes = {
        keys.subject_hash(provider, number)
        for keys in (one, other)
        for provider in ("metro", "bus")
        for number in ("1", "2")
    }
    assert len(hashes) == 8
    assert one.subject_hash("a", "b\0c") == one.subject_hash("a", "b\0c")
    assert one.provider_secret("metro") != one.subject_hash("evidence", "metro")[::-1]
    assert one.provider_secret("metro") != other.provider_secret("metro")


def test_nothing_of_a_key_is_shown(tmp_path: Path) -> None:
    keys = Keys(tmp_path, make_missing=True)
    _ = keys.subject, keys.anchor, keys.receipt, keys.log, keys.seal(b"x", owner=1)
    shown = f"{keys!r} {keys} {keys.receipt!r} {keys.log!r}"
    for value in contents(tmp_path).values():
        for form in (repr(value), value.hex(), base64.b64encode(value).decode()):
            assert form not in shown
    assert repr(keys) == f"Keys({str(tmp_path)!r})"
