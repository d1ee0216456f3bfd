"""``tanpu backup | restore`` (备份与恢复): a city into a folder, and out of one."""

from pathlib import Path
from typing import Annotated

import typer

from app.anchoring import Guard
from app.backup import Restored, take_backup
from app.backup import restore as restore_into
from app.chains import chain_of
from app.city import open_city
from app.cli.screen import FAILED, REFUSED, AsJson, answer
from app.kernel.clock import now
from app.kernel.settings import Settings

Folder = Annotated[Path, typer.Argument(help="Of the backup. 备份目录")]
NoChain = Annotated[
    bool, typer.Option("--no-chain", help="Reconcile with the guard alone. 不与链核对")
]


def backup(folder: Folder, *, as_json: AsJson = False) -> None:
    """Back a city up into a new folder; keys and signer guard are not in it (备份)."""
    settings = Settings()
    with open_city(settings) as city:
        made = take_backup(
            city.owner_url,
            city.keys,
            folder,
            origin=settings.origin,
            at=now(),
            pictures=settings.images_path,
        )
    held = made.survey
    people = f"已备份 backed up: epoch {held.epoch}, {held.rows['transfer']} transfers → {folder}"
    answer({"folder": str(folder), "survey": held.model_dump()}, as_json=as_json, people=people)


def restore(folder: Folder, *, no_chain: NoChain = False, as_json: AsJson = False) -> None:
    """Restore a backup into an empty database and reconcile it (恢复并对账).

    Put the city's key files in place first. Exit 1: something differs from what the backup
    states. Exit 4: chain or guard know a later epoch, and this city stays halted.
    """
    settings = Settings()
    with open_city(settings, migrating=False) as city:
        guard = Guard(settings.signer_guard_path)
        chain = None if no_chain else chain_of(city)
        pictures = settings.images_path
        made = restore_into(city.owner_url, city.keys, folder, guard, chain, pictures)
    told = {
        "taken_at": made.manifest.taken_at,
        "epoch": made.manifest.survey.epoch,
        "known_epoch": made.known_epoch,
        "differences": made.differences,
        "halted": made.halted,
    }
    answer(told, as_json=as_json, people=_told(made))
    if made.differences:
        raise typer.Exit(FAILED)
    if made.halted:
        raise typer.Exit(REFUSED)


def _told(made: Restored) -> str:
    if made.differences:
        return "与备份不符 differs from the backup: " + ", ".join(made.differences)
    epoch = made.manifest.survey.epoch
    if made.halted:
        return (
            f"已恢复但停机 restored and halted ({made.halted}): "
            f"the backup ends at epoch {epoch}, {made.known_epoch} is known; find a newer backup"
        )
    return f"已恢复 restored: epoch {epoch}, whole, and nobody knows a later one"
