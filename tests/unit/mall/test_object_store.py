"""The object store in a folder (对象存储): whole or absent, wherever it crashes."""

import threading
from hashlib import sha256
from pathlib import Path

import pytest

from app.mall import object_store
from app.mall.object_store import FileStore
from tests.support.tripwire import Crash, Tripwire

DATA = b"a picture" * 100
NAME = sha256(DATA).hexdigest()


def named(folder: Path) -> list[str]:
    """List what has a name."""
    return [path.name for path in folder.rglob("*") if path.is_file() and path.name[0] != "."]


def test_what_was_put_is_got_by_its_hash(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "images")
    assert store.get(NAME) is None
    assert store.put(DATA) == NAME
    assert store.put(DATA) == NAME
    assert store.get(NAME) == DATA
    assert FileStore(tmp_path / "images").get(NAME) == DATA
    assert named(tmp_path) == [NAME]


def test_what_the_disk_gives_back_otherwise_is_not_given(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.put(DATA)
    (tmp_path / NAME[:2] / NAME).write_bytes(DATA[:-1])
    assert store.get(NAME) is None
    assert store.put(DATA) == NAME
    assert store.get(NAME) == DATA, "put again, it is whole again"


def strung(wire: Tripwire, patched: pytest.MonkeyPatch) -> None:
    """String a wire across every effect of the store: folders, bytes, names, and the disk."""
    patched.setattr(object_store, "sync", wire.wrap(object_store.sync))
    for effect in ("mkdir", "write_bytes", "replace"):
        patched.setattr(Path, effect, wire.wrap(getattr(Path, effect)))


def put_with(wire: Tripwire, folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        strung(wire, patched)
        FileStore(folder).put(DATA)


def effects(folder: Path) -> int:
    wire = Tripwire()
    put_with(wire, folder)
    return wire.passed


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_a_crash_anywhere_leaves_it_whole_or_absent_and_the_next_try_ends_it(
    tmp_path: Path, *, landed: bool
) -> None:
    steps = effects(tmp_path / "whole")
    assert steps >= 7
    for step in range(1, steps + 1):
        folder = tmp_path / str(step)
        with pytest.raises(Crash):
            put_with(Tripwire(step, landed=landed), folder)
        store = FileStore(folder)
        assert store.get(NAME) in {None, DATA}
        assert named(folder) in ([], [NAME])
        assert store.put(DATA) == NAME
        assert store.get(NAME) == DATA


def test_bytes_are_durable_before_they_have_a_name_and_the_name_before_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    replace = Path.replace

    def synced(path: Path) -> None:
        told.append("folder" if path.is_dir() else "bytes")

    def renamed(path: Path, target: Path) -> Path:
        told.append("name")
        return replace(path, target)

    monkeypatch.setattr(object_store, "sync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    FileStore(tmp_path).put(DATA)
    FileStore(tmp_path).put(DATA)
    assert told == ["bytes", "name", *["folder"] * 6]


def test_many_put_the_same_at_once(tmp_path: Path) -> None:
    store, together = FileStore(tmp_path), threading.Barrier(8)
    names: list[str] = []

    def put() -> None:
        together.wait(timeout=10)
        names.append(store.put(DATA))

    threads = [threading.Thread(target=put) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=10)
    assert names == [NAME] * 8
    assert store.get(NAME) == DATA
    assert named(tmp_path) == [NAME]
