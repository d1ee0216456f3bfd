"""``tanpu epoch`` (期): close, submit, status."""

from typing import Annotated

import typer

from app.anchoring.errors import ChainUnavailable
from app.chains import chain_of, notary_of, tell_units
from app.city import open_city
from app.cli.screen import UNAVAILABLE, AsJson, answer, complain
from app.kernel.clock import now
from app.kernel.settings import Settings

commands = typer.Typer(help="期 Epochs: close, submit to the chain, status.")

NewChain = Annotated[
    bool,
    typer.Option(
        "--new-chain", help="Anchor everything again on another chain than before. 换链重锚"
    ),
]


@commands.command()
def close(*, as_json: AsJson = False) -> None:
    """Close an epoch now and write its public files (关期)."""
    with open_city(Settings()) as city:
        notary = notary_of(city)
        header = notary.close(at=now())
        notary.publish()
    if header is None:
        answer({"closed": None}, as_json=as_json, people="没有待入期的条目 nothing is pending")
        return
    data = {
        "closed": header.epoch,
        "header_hash": header.hash().hex(),
        "log_size": header.log_size,
        "accounts": header.account_count,
    }
    people = f"第 {header.epoch} 期 epoch {header.epoch}: {header.hash().hex()}"
    answer(data, as_json=as_json, people=people)


@commands.command()
def submit(*, new_chain: NewChain = False, as_json: AsJson = False) -> None:
    """Bring the chain up to the last closed epoch, and its registry of units (上链)."""
    with open_city(Settings()) as city:
        try:
            done = notary_of(city).submit(chain_of(city), at=now(), new_chain=new_chain)
            units = tell_units(city, now(), new_chain=new_chain)
        except ChainUnavailable as error:
            complain("anchoring.chain_unavailable", str(error))
            raise typer.Exit(UNAVAILABLE) from error
    people = f"已上链至 anchored to epoch {done.anchored}; sent {done.sent}, waiting {done.waiting}"
    told = {} if units is None else {f"units_{name}": n for name, n in units._asdict().items()}
    answer(done._asdict() | told, as_json=as_json, people=people)


@commands.command()
def status(*, as_json: AsJson = False) -> None:
    """Say where anchoring stands, from the database and the guard (状态)."""
    with open_city(Settings()) as city:
        found = notary_of(city).status()
    people = "\n".join(f"{name}: {value}" for name, value in found._asdict().items())
    answer(found._asdict(), as_json=as_json, people=people)
