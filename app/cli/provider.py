"""``tanpu provider`` (数据提供方): open a provider, register its key."""

from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from sqlmodel import Session

from app.city import open_city
from app.cli.screen import WRONG_INPUT, AsJson, answer, complain
from app.kernel.clock import now
from app.kernel.settings import Settings
from app.providers import add_provider, find_provider, register_key

commands = typer.Typer(help="数据提供方 Providers: who may send uploads, and by which key.")

CodeOf = Annotated[str, typer.Argument(help="2 to 40 of a-z 0-9 -. 代码")]
NameZh = Annotated[str, typer.Option(help="中文名称")]
NameEn = Annotated[str, typer.Option(help="English name")]
KeyFile = Annotated[Path, typer.Argument(help="Ed25519 public key, PEM. 公钥文件")]
KeyId = Annotated[str, typer.Option(help="Name by which requests refer to the key. 密钥编号")]


@commands.command()
def add(
    code: CodeOf, name_zh: NameZh = "", name_en: NameEn = "", *, as_json: AsJson = False
) -> None:
    """Open a provider (新增数据提供方)."""

    def command(session: Session) -> None:
        add_provider(session, code, name_zh=name_zh or code, name_en=name_en or code, at=now())

    with open_city(Settings()) as city:
        city.db.transact(command)
    answer({"provider": code}, as_json=as_json, people=f"{code}: 已开通 opened")


@commands.command()
def key(code: CodeOf, file: KeyFile, keyid: KeyId, *, as_json: AsJson = False) -> None:
    """Put a provider's Ed25519 public key in force (登记公钥)."""
    public = _read(file)

    def command(session: Session) -> None:
        register_key(session, find_provider(session, code), keyid, public, at=now())

    with open_city(Settings()) as city:
        city.db.transact(command)
    answer({"provider": code, "keyid": keyid}, as_json=as_json, people=f"{keyid}: in force 已生效")


def _read(file: Path) -> bytes:
    try:
        loaded = load_pem_public_key(file.read_bytes())
    except (OSError, ValueError) as error:
        complain("provider.key_malformed", f"{file}: {error}")
        raise typer.Exit(WRONG_INPUT) from error
    if not isinstance(loaded, Ed25519PublicKey):
        complain("provider.key_malformed", f"{file}: not an Ed25519 key")
        raise typer.Exit(WRONG_INPUT)
    return loaded.public_bytes_raw()
