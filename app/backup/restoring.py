"""Restoring (恢复): one transaction into an empty database, then reconciliation (对账).

Transaction ids do not outlive a cluster, so every entry that awaits an epoch is given the id of
the restore, and a close that was under way begins anew. Whether this city may go on is not the
database's word: a chain or a guard that knows a later epoch halts it, and only a newer backup
helps. Nothing is closed again that was closed once.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from app.anchoring import Chain, Guard
from app.anchoring.errors import DatabaseRolledBack, Equivocation
from app.backup.errors import TargetNotEmpty
from app.backup.pictures import PICTURES, unpack
from app.backup.survey import Survey, survey
from app.backup.taking import CITY, OPENINGS, Manifest
from app.embedded.programs import replay
from app.kernel.secrets import Keys
from ledger.header import Header

_IS_EMPTY: Final = """
select not exists (select from pg_class where relnamespace = 'public'::regnamespace
                      and relkind in ('r', 'p'))"""
_ROLES: Final = """
do $$ declare
  role text;
begin
  foreach role in array array['tanpu_app', 'tanpu_worker', 'tanpu_audit'] loop
    if not exists (select from pg_roles where rolname = role) then
      execute format('create role %I nologin', role);
    end if;
  end loop;
  grant tanpu_app to tanpu_worker;
  execute format('grant temporary on database %I to tanpu_app, tanpu_audit', current_database());
end $$;
"""
_BEGIN_ANEW: Final = """
insert into public.log_pending (bucket, recorded_on, id)
select bucket, recorded_on, id from public.epoch_staging;
delete from public.epoch_staging;
alter table public.epoch_cut disable trigger append_only;
delete from public.epoch_cut c
 where not exists (select from public.epoch e where e.epoch = c.epoch);
alter table public.epoch_cut enable trigger append_only;
update public.log_pending set xid = pg_current_xact_id();
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore found."""

    manifest: Manifest
    differences: list[str]
    """Between what the backup states and what lies there now; empty when it is whole."""
    halted: str | None
    """Why this city may close no epoch: the code of the refusal."""
    known_epoch: int
    """The last epoch that chain or guard know."""


def restore(
    owner_url: str,
    keys: Keys,
    folder: Path,
    guard: Guard,
    chain: Chain | None,
    pictures: Path | None = None,
) -> Restored:
    """Restore a backup into the empty database at ``owner_url``, and reconcile it.

    Args:
        owner_url: Of a login that owns the schema and may make roles.
        keys: Those of the city that was backed up; they are not in the backup.
        folder: The backup.
        guard: The signer guard as it is now, never one restored beside the database.
        chain: Where the headers went; without it only the guard is asked.
        pictures: Where to put the pictures of offers, if the backup has them.

    Raises:
        BackupMalformed, TargetNotEmpty, ProgramFailed: See their own words.
    """
    manifest = Manifest.read(folder, keys)
    with psycopg.connect(owner_url) as connection:
        if connection.execute(_IS_EMPTY).fetchone() != (True,):
            raise TargetNotEmpty
    if pictures is not None and PICTURES in manifest.sha256:
        unpack(folder / PICTURES, pictures)
    replay(owner_url, _ROLES, [folder / CITY, folder / OPENINGS], _BEGIN_ANEW)
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("analyze")
        held = survey(connection)
        halted, known = _hold_against(connection, held, guard, chain)
    return Restored(manifest, manifest.survey.differences(held), halted, known)


def _hold_against(
    connection: psycopg.Connection[Any], held: Survey, guard: Guard, chain: Chain | None
) -> tuple[str | None, int]:
    """Ask guard and chain whether they know more than this database."""

    def header_of(epoch: int) -> Header:
        row = connection.execute("select header from epoch where epoch = %s", (epoch,)).fetchone()
        assert row is not None, epoch
        return Header.of(row[0])

    mark = guard.read()
    known = max(mark.epoch if mark else 0, chain.tip() if chain else 0)
    if known > held.epoch:
        return DatabaseRolledBack.code, known
    try:
        guard.check(header_of, held.epoch)
    except (DatabaseRolledBack, Equivocation) as error:
        return error.code, known
    if chain is not None and known and chain.hash_of(known) != header_of(known).hash():
        return Equivocation.code, known
    return None, known
