"""``tanpu keys`` (密钥): make what is missing, show what may be shown, rotate what signs logins."""

from datetime import timedelta
from typing import Final

import typer
from eth_account import Account as EthAccount

from app.anchoring.registering import registrar_key
from app.cli.screen import REFUSED, AsJson, answer, complain
from app.kernel.clock import now
from app.kernel.secrets import KeyInUse, Keys, written_key
from app.kernel.settings import Settings
from app.kernel.tokens import LEEWAY, LIFETIME

commands = typer.Typer(help="密钥 Keys: make, show, rotate.", invoke_without_command=True)

STILL_BELIEVED: Final[timedelta] = LIFETIME + LEEWAY
"""For how long after a rotation a token that the older key signed may still be shown."""


@commands.callback()
def keys(
    chosen: typer.Context,
    *,
    make: bool = typer.Option(default=False, help="Make the missing ones. 生成缺失的密钥"),
    as_json: AsJson = False,
) -> None:
    """Show the public halves of this deployment's keys; never a secret (查看公钥)."""
    if chosen.invoked_subcommand is not None:
        return
    held = Keys(Settings().keys_path, make_missing=make)
    shown = {
        "receipt_ed25519": held.receipt.public_key().public_bytes_raw().hex(),
        "receipt_base64": written_key(held.receipt),
        "log_ed25519": held.log.public_key().public_bytes_raw().hex(),
        "anchor_address": str(EthAccount.from_key(held.anchor).address),
        "registrar_address": str(EthAccount.from_key(registrar_key(held.anchor)).address),
        "access_kids": " ".join(held.access),
    }
    people = "\n".join(f"{name}: {value}" for name, value in shown.items())
    answer(dict(shown), as_json=as_json, people=people)


@commands.command()
def rotate_access(*, as_json: AsJson = False) -> None:
    """Make a newer key for access tokens; the others verify until they retire (轮换令牌密钥)."""
    held = Keys(Settings().keys_path, make_missing=False)
    kid = held.rotate_access()
    people = f"{kid}: 已启用 signs from now on; then: tanpu keys retire-access"
    answer({"kid": kid, "kids": list(held.access)}, as_json=as_json, people=people)


@commands.command()
def retire_access(*, as_json: AsJson = False) -> None:
    """Remove the older keys, once no token of theirs is believed any more (停用旧密钥)."""
    held = Keys(Settings().keys_path, make_missing=False)
    try:
        gone = held.retire_access(STILL_BELIEVED, at=now())
    except KeyInUse as error:
        complain("keys.in_use", str(error))
        raise typer.Exit(REFUSED) from error
    people = f"{' '.join(gone) or '-'}: 已停用 retired"
    answer({"retired": gone, "kids": list(held.access)}, as_json=as_json, people=people)
