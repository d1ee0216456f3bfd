"""``tanpu bench`` (性能测试): run a benchmark of the source tree."""

import runpy
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.screen import UNAVAILABLE, complain

FOLDER = Path(__file__).parents[2] / "benchmarks"

commands = typer.Typer(help="性能 Benchmarks: each figure beside its floor, in one run.")


def _run(module: str, arguments: list[str] | None) -> None:
    if not (FOLDER / f"{module}.py").exists():
        complain("bench", "benchmarks are part of the source tree, not of the wheel")
        raise typer.Exit(UNAVAILABLE)
    sys.path.insert(0, str(FOLDER.parent))
    sys.argv = [module, *(arguments or [])]
    runpy.run_module(f"benchmarks.{module}", run_name="__main__")


Rest = Annotated[list[str] | None, typer.Argument(help="Passed on, for example --json.")]
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@commands.command(context_settings=PASS_ON)
def ingest(rest: Rest = None) -> None:
    """Measure ingest end to end beside bare posting (接收)."""
    _run("ingest", rest)


@commands.command(context_settings=PASS_ON)
def posting(rest: Rest = None) -> None:
    """Measure posting beside the same statements from a bare script (记账)."""
    _run("posting", rest)


@commands.command(context_settings=PASS_ON)
def epoch(rest: Rest = None) -> None:
    """Measure the close of an epoch beside bare hashing (关期)."""
    _run("epoch", rest)


@commands.command(context_settings=PASS_ON)
def proof(rest: Rest = None) -> None:
    """Measure trees, proofs and verification beside bare hashing (证明)."""
    _run("trees", rest)


@commands.command(context_settings=PASS_ON)
def redeem(rest: Rest = None) -> None:
    """Measure redeeming over HTTP beside one SQL function and an ORM (核销)."""
    _run("redeem", rest)


@commands.command(context_settings=PASS_ON)
def scale(rest: Rest = None) -> None:
    """Measure the growth of cost with rows in place (规模)."""
    _run("ingest", ["--scale", *(rest or [])])
