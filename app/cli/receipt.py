"""``tanpu receipt`` (回执): export what opens one owner's leaf at one epoch."""

import json
from pathlib import Path
from typing import Annotated

import typer

from app.anchoring import export_receipt
from app.city import open_city
from app.cli.screen import AsJson, answer
from app.kernel.settings import Settings

commands = typer.Typer(help="回执 Receipts: what anybody can verify without this server.")

LARGEST = 2**63 - 1
"""What an account's number, or an epoch's, is stored in."""

Owner = Annotated[int, typer.Argument(min=1, max=LARGEST, help="Account id of the owner. 账户编号")]
Epoch = Annotated[
    int | None, typer.Option(min=1, max=LARGEST, help="Of which epoch; the last. 期号")
]
Since = Annotated[
    int | None, typer.Option(min=1, max=LARGEST, help="Only what came after this epoch.")
]
Out = Annotated[Path, typer.Option(help="File to write. 输出文件")]


@commands.command()
def export(
    owner: Owner, out: Out, epoch: Epoch = None, since: Since = None, *, as_json: AsJson = False
) -> None:
    """Write an owner's receipt; it holds salts and no secret (导出回执)."""
    settings = Settings()
    with open_city(settings) as city:
        receipt = city.db.read(
            export_receipt,
            city.keys,
            settings.public_path,
            settings.origin,
            owner,
            epoch=epoch,
            since=since,
        )
    out.write_text(json.dumps(receipt), encoding="utf-8")
    people = f"{out}: {len(receipt['entries'])} 条 entries"
    answer({"file": str(out), "entries": len(receipt["entries"])}, as_json=as_json, people=people)
