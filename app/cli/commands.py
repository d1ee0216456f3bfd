"""The tree of commands (命令树), group by group."""

import typer

from app.cli import (
    audit,
    bench,
    demo,
    doctor,
    epoch,
    ingest,
    keys,
    methodology,
    provider,
    receipt,
    serve,
    simulate,
    verify,
)

tanpu = typer.Typer(
    name="tanpu",
    help="碳普 Tanpu: a city's carbon accounts, from activity to anchored proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group, name in (
    (methodology.commands, "methodology"),
    (provider.commands, "provider"),
    (epoch.commands, "epoch"),
    (receipt.commands, "receipt"),
    (verify.commands, "verify"),
    (bench.commands, "bench"),
):
    tanpu.add_typer(group, name=name)
for command in (
    serve.up,
    serve.api,
    serve.worker,
    serve.migrate,
    demo.demo,
    ingest.ingest,
    audit.audit,
    simulate.simulate,
    doctor.doctor,
    keys.keys,
):
    tanpu.command()(command)
