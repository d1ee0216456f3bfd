"""``tanpu keys`` (密钥): make what is missing, and show what may be shown."""

import typer
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth_account import Account as EthAccount

from app.cli.screen import AsJson, answer
from app.kernel.secrets import Keys
from app.kernel.settings import Settings


def keys(
    *,
    make: bool = typer.Option(default=False, help="Make the missing ones. 生成缺失的密钥"),
    as_json: AsJson = False,
) -> None:
    """Show the public halves of this deployment's keys; never a secret (查看公钥)."""
    settings = Settings()
    held = Keys(settings.keys_path, make_missing=make)
    shown = {
        "receipt_ed25519": _public(held, "receipt"),
        "log_ed25519": _public(held, "log"),
        "anchor_address": str(EthAccount.from_key(held.anchor).address),
    }
    people = "\n".join(f"{name}: {value}" for name, value in shown.items())
    answer(dict(shown), as_json=as_json, people=people)


def _public(held: Keys, name: str) -> str:
    key = held.receipt if name == "receipt" else held.log
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
