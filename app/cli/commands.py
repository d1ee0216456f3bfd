"""The tree of commands (命令树), group by group.

Only what was asked for is imported: a start that loads the chain's libraries to print a
methodology would take seconds.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import Final

import typer

GROUPS: Final = {
    "methodology": "app.cli.methodology",
    "catalogue": "app.cli.catalogue",
    "provider": "app.cli.provider",
    "staff": "app.cli.staff",
    "till": "app.cli.till",
    "boundary": "app.cli.boundary",
    "epoch": "app.cli.epoch",
    "keys": "app.cli.keys",
    "receipt": "app.cli.receipt",
    "verify": "app.cli.verify",
    "bench": "app.cli.bench",
}
"""Group → the module whose ``commands`` are its subcommands."""
COMMANDS: Final = {
    "up": "app.cli.serve",
    "api": "app.cli.serve",
    "worker": "app.cli.serve",
    "migrate": "app.cli.serve",
    "demo": "app.cli.demo",
    "ingest": "app.cli.ingest",
    "audit": "app.cli.audit",
    "simulate": "app.cli.simulate",
    "doctor": "app.cli.doctor",
    "backup": "app.cli.backup",
    "restore": "app.cli.backup",
}
"""Command → the module whose function of that name it is."""


def tree(wanted: str | None = None) -> typer.Typer:
    """Put the command line together: all of it, or the one command that is ``wanted``."""
    made = typer.Typer(
        name="tanpu", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    made.callback()(_tanpu)
    for group in _chosen(GROUPS, wanted):
        made.add_typer(import_module(GROUPS[group]).commands, name=group)
    for command in _chosen(COMMANDS, wanted):
        made.command()(getattr(import_module(COMMANDS[command]), command))
    return made


def _chosen(names: Iterable[str], wanted: str | None) -> list[str]:
    known = wanted in GROUPS or wanted in COMMANDS
    return [name for name in names if name == wanted or not known]


def _tanpu() -> None:
    """碳普 Tanpu: a city's carbon accounts, from activity to anchored proof."""
