"""Key files and sealing: private, whole, made once, bound to their owner, never shown."""

import base64
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.secrets import NAMES, SIZE_BYTES, KeyInUse, KeyMissing, Keys

HOUR = timedelta(hours=1)
FILES = {*NAMES, "access/0000"}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


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
    assert set(contents(folder)) == FILES
    for path in (folder / name for name in FILES):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_size == SIZE_BYTES
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "access").stat().st_mode) == 0o700
    assert len(set(contents(folder).values())) == len(FILES)


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
    assert set(contents(tmp_path)) == FILES, "no draft is left behind"


def test_threads_that_race_end_with_the_same_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(subject_of, [tmp_path] * 8))
    assert len(set(made)) == 1
    assert set(contents(tmp_path)) == FILES


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


def test_a_rotated_key_signs_and_the_older_verify_until_they_retire(tmp_path: Path) -> None:
    keys = Keys(tmp_path, make_missing=True)
    elsewhere = Keys(tmp_path, make_missing=False)
    (first,) = elsewhere.access
    second = keys.rotate_access()
    assert list(elsewhere.access) == [first, second], "a running process sees it at once"
    made_at = datetime.fromtimestamp((tmp_path / "access/0001").stat().st_mtime, UTC)
    with pytest.raises(KeyInUse):
        keys.retire_access(HOUR, at=made_at + HOUR - timedelta(seconds=1))
    assert list(elsewhere.access) == [first, second]
    assert keys.retire_access(HOUR, at=made_at + HOUR) == [first]
    assert list(elsewhere.access) == [second]
    assert keys.retire_access(HOUR, at=made_at) == [], "the only key stays"
    assert list(Keys(tmp_path, make_missing=False).access) == [second]


def test_the_ten_thousandth_key_is_newer_than_the_one_before(tmp_path: Path) -> None:
    keys = Keys(tmp_path, make_missing=True)
    (tmp_path / "access/0000").rename(tmp_path / "access/9999")
    newest = keys.rotate_access()
    assert list(keys.access)[-1] == newest
    assert keys.rotate_access() == list(keys.access)[-1] != newest


def test_kinds_of_login_hashes_never_meet(tmp_path: Path) -> None:
    keys = Keys(tmp_path, make_missing=True)
    hashes = {keys.login_hash(kind, b"1") for kind in ("phone", "wechat", "code", "device")}
    assert len(hashes | {keys.subject_hash("phone", "1"), keys.provider_secret("1")}) == 6


def test_nothing_of_a_key_is_shown(tmp_path: Path) -> None:
    keys = Keys(tmp_path, make_missing=True)
    _ = keys.subject, keys.anchor, keys.receipt, keys.log, keys.seal(b"x", owner=1)
    shown = f"{keys!r} {keys} {keys.receipt!r} {keys.log!r}"
    for value in contents(tmp_path).values():
        for form in (repr(value), value.hex(), base64.b64encode(value).decode()):
            assert form not in shown
    assert repr(keys) == f"Keys({str(tmp_path)!r})"
