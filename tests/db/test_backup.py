"""Backup and restore (备份与恢复): whole or refused, and halted where the world knows more."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.anchoring import Guard, Notary
from app.anchoring.claiming import claim_chunk, take_cut
from app.anchoring.errors import Equivocation
from app.backup import restore, take_backup
from app.backup.errors import BackupMalformed, BackupThere, TargetNotEmpty
from app.backup.pictures import PICTURES, pack, unpack
from app.backup.taking import CITY, MANIFEST, OPENINGS, Manifest, sha256_of
from app.embedded.errors import ProgramFailed
from app.embedded.postgres import Postgres
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.mall.object_store import FileStore
from ledger.verify_receipt import check, mirrored
from tests.support.anchoring import ORIGIN, accruals, at, notary_over, receipt, rows_of
from tests.support.auditing import assert_books_hold
from tests.support.chain import MemoryChain
from tests.support.postgres import create, drop

ELSEWHERE = "tanpu_restored"


@pytest.fixture
def target(postgres: Postgres) -> Iterator[str]:
    """An empty database on the same server."""
    drop(postgres, ELSEWHERE)
    yield create(postgres, ELSEWHERE)
    drop(postgres, ELSEWHERE)


@pytest.fixture
def chain() -> MemoryChain:
    return MemoryChain()


@pytest.fixture
def notary(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path, chain: MemoryChain
) -> Notary:
    """Two epochs closed and anchored, and three entries that await the next."""
    made = notary_over(worker_db, keys, tmp_path)
    for number in (1, 2):
        accruals(db, keys, 4)
        assert made.close(at=at(24 * number)) is not None
        made.publish()
        made.submit(chain, at=at(24 * number))
    accruals(db, keys, 3)
    return made


@pytest.fixture
def restored(target: str) -> Iterator[tuple[Database, Database]]:
    """The restored database, as the application and as the worker see it."""
    made = (Database(target), Database(target, role="tanpu_worker"))
    yield made
    for each in made:
        each.dispose()


@pytest.fixture
def folder(notary: Notary, database_url: str, keys: Keys, tmp_path: Path) -> Path:
    assert notary is not None
    take_backup(database_url, keys, tmp_path / "backup", origin=ORIGIN, at=now())
    return tmp_path / "backup"


def guard_of(tmp_path: Path) -> Guard:
    return Guard(tmp_path / "guard" / "signer.guard")


def test_a_restored_city_is_whole_and_goes_on(
    folder: Path, restored: tuple[Database, Database], keys: Keys, chain: MemoryChain
) -> None:
    db, worker = restored
    home = folder.parent
    made = restore(db.url, keys, folder, guard_of(home), chain)
    assert (made.differences, made.halted, made.known_epoch) == ([], None, 2)
    assert_books_hold(db.url)

    again = notary_over(worker, keys, home)
    owners = accruals(db, keys, 2)
    assert again.close(at=at(72)) is not None
    again.publish()
    again.submit(chain, at=at(72))
    assert chain.tip() == 3
    assert rows_of(worker, "select count(*) from log_pending") == [(0,)]
    told = receipt(again, db, owners[0])
    lines = (home / "public" / "headers.jsonl").read_text().splitlines()
    assert check(told, mirrored(lines))


def test_the_application_still_cannot_change_what_was_posted(
    folder: Path, target: str, keys: Keys, tmp_path: Path
) -> None:
    restore(target, keys, folder, guard_of(tmp_path), None)
    with psycopg.connect(target) as connection:
        connection.execute("set role tanpu_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("update transfer set amount = 1")
    with psycopg.connect(target) as connection, pytest.raises(psycopg.errors.DatabaseError) as no:
        connection.execute("delete from epoch_cut")
    assert no.value.sqlstate == "TP001"


def test_a_close_that_was_under_way_begins_anew_and_splits_nothing(
    notary: Notary, db: Database, restored: tuple[Database, Database], keys: Keys, tmp_path: Path
) -> None:
    cut = notary.db.transact(take_cut, at=at(71))
    assert cut is not None
    notary.db.transact(claim_chunk, keys, epoch=cut.epoch, block=0)
    late = accruals(db, keys, 2)
    assert rows_of(notary.db, "select count(*) from epoch_staging") == [(3,)]
    take_backup(db.url, keys, tmp_path / "half", origin=ORIGIN, at=now())
    other, worker = restored
    assert restore(other.url, keys, tmp_path / "half", guard_of(tmp_path), None).differences == []

    assert notary_over(worker, keys, tmp_path).close(at=at(72)) is not None
    assert rows_of(other, "select count(*) from log_entry where epoch = 3") == [(3 + len(late),)]
    assert_books_hold(other.url)
    notary.close(at=at(72))


def test_an_old_backup_meets_a_newer_chain_and_halts(
    folder: Path, notary: Notary, restored: tuple[Database, Database], chain: MemoryChain
) -> None:
    notary.close(at=at(72))
    notary.publish()
    notary.submit(chain, at=at(72))
    db, worker = restored
    made = restore(db.url, notary.keys, folder, Guard(folder.parent / "new" / "guard"), chain)
    assert made.differences == []
    assert (made.halted, made.known_epoch) == ("anchoring.database_rolled_back", 3)

    again = notary_over(worker, notary.keys, folder.parent)
    again.close(at=at(73))
    with pytest.raises(Equivocation):
        again.publish()


def test_a_guard_that_knows_more_halts_it_without_a_chain(
    folder: Path, notary: Notary, keys: Keys, target: str, tmp_path: Path
) -> None:
    notary.close(at=at(72))
    notary.publish()
    made = restore(target, keys, folder, guard_of(tmp_path), None)
    assert (made.halted, made.known_epoch) == ("anchoring.database_rolled_back", 3)


def test_a_full_database_is_left_alone(folder: Path, database_url: str, keys: Keys) -> None:
    with pytest.raises(TargetNotEmpty):
        restore(database_url, keys, folder, Guard(folder / "none"), None)


def test_nothing_is_written_over(folder: Path, database_url: str, keys: Keys) -> None:
    with pytest.raises(BackupThere):
        take_backup(database_url, keys, folder, origin=ORIGIN, at=now())


@pytest.mark.parametrize("name", [CITY, OPENINGS, MANIFEST])
def test_a_changed_file_is_refused_before_anything_is_written(
    name: str, folder: Path, target: str, keys: Keys
) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes().replace(b"2", b"3", 1))
    with pytest.raises(BackupMalformed):
        restore(target, keys, folder, Guard(folder / "none"), None)
    with psycopg.connect(target) as connection:
        assert connection.execute("select to_regclass('account')").fetchone() == (None,)


def test_a_dump_that_cannot_be_read_leaves_the_database_empty(
    folder: Path, target: str, keys: Keys
) -> None:
    """Even one that was signed: the second dump breaks off after the first was replayed."""
    whole = (folder / OPENINGS).read_bytes()
    (folder / OPENINGS).write_bytes(whole[: len(whole) // 2])
    told = json.loads((folder / MANIFEST).read_bytes())
    told.pop("signature")  # the operator's own hand: a broken backup with a good signature
    told["sha256"][OPENINGS] = sha256_of(folder / OPENINGS)
    (folder / MANIFEST).write_bytes(Manifest.model_validate(told).signed(keys))
    with pytest.raises(ProgramFailed):
        restore(target, keys, folder, Guard(folder / "none"), None)
    with psycopg.connect(target) as connection:
        assert connection.execute("select to_regclass('account')").fetchone() == (None,)


def test_openings_lie_apart_and_no_password_is_an_argument(folder: Path) -> None:
    assert b"account_secret" in (folder / OPENINGS).read_bytes()
    assert (folder / OPENINGS).stat().st_size < (folder / CITY).stat().st_size
    assert oct(folder.stat().st_mode & 0o777) == "0o700"


def test_pictures_go_with_their_city(
    notary: Notary, database_url: str, target: str, keys: Keys, tmp_path: Path
) -> None:
    assert notary is not None
    store, moved = FileStore(tmp_path / "images"), tmp_path / "moved"
    names = [store.put(data) for data in (b"one", b"two")]
    (tmp_path / "images" / names[0][:2] / f".{names[0]}.1.1").write_bytes(b"o")
    folder = tmp_path / "with"
    take_backup(database_url, keys, folder, origin=ORIGIN, at=now(), pictures=tmp_path / "images")
    restore(target, keys, folder, guard_of(tmp_path), None, moved)
    assert [FileStore(moved).get(name) for name in names] == [b"one", b"two"]
    assert len([path for path in moved.rglob("*") if path.is_file()]) == 2


def test_a_city_without_pictures_has_an_empty_file_of_them(tmp_path: Path) -> None:
    pack(tmp_path / "none", tmp_path / PICTURES)
    unpack(tmp_path / PICTURES, tmp_path / "moved")
    assert not (tmp_path / "moved").exists()


@pytest.mark.parametrize("name", ["../../outside", "0" * 64])
def test_a_picture_that_is_not_its_name_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"data")
    with tarfile.open(tmp_path / PICTURES, "w") as archive:
        archive.add(tmp_path / "data", name)
    with pytest.raises(BackupMalformed):
        unpack(tmp_path / PICTURES, tmp_path / "moved")
    assert not (tmp_path.parent / "outside").exists()
