"""``tanpu till`` (终端): a till to try a city with, and what it asks.

``open`` stands in for a merchant's owner and keeper, where nobody is paid: in development and in a
sandbox. ``redeem`` and ``reverse`` do what a till of any maker does.
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from http.client import BAD_REQUEST
from pathlib import Path
from tempfile import mkstemp
from typing import IO, Annotated, Any, Final
from urllib.parse import quote

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from app.city import open_city
from app.cli.screen import REFUSED, UNAVAILABLE, WRONG_INPUT, AsJson, answer, complain
from app.cli.staff import CONSOLE
from app.cli.till_client import REDEMPTIONS, Asked, HeldTill, send
from app.kernel.clock import now
from app.kernel.ids import new_id, parse_public_id
from app.kernel.settings import Settings
from app.merchants import Till, add_till, find_merchant
from app.merchants.people import MemberRole, MerchantUser, add_user
from app.merchants.shifts import open_shift
from app.staff import note_act
from app.staff.credentials import commitment, new_enrolment

LABEL_MAX: Final = 80

commands = typer.Typer(help="终端 Tills: open one to try, redeem, reverse.")


def _label(text: str) -> str:
    if not 1 <= len(text) <= LABEL_MAX:
        raise typer.BadParameter(f"1 to {LABEL_MAX} characters")
    return text


def _key(text: str | None) -> str | None:
    if text is not None and not (text.isascii() and text.isprintable()):
        raise typer.BadParameter("printable ASCII")
    return text


def _origin(text: str | None) -> str | None:
    if text is not None and not text.startswith(("http://", "https://")):
        raise typer.BadParameter("http://… or https://…")
    return text


MerchantId = Annotated[str, typer.Argument(help="Public id, mer_…. 商户编号")]
Label = Annotated[str, typer.Option(help="What people call it. 终端名称", callback=_label)]
Out = Annotated[Path, typer.Option(help="File for its id and private key. 密钥文件")]
Code = Annotated[str, typer.Argument(help="The QR text, or the printed code. 券码")]
RedemptionId = Annotated[str, typer.Argument(help="Public id, rdm_…. 核销编号")]
File = Annotated[Path, typer.Option("--till", help="What `open` wrote. 密钥文件")]
Origin = Annotated[
    str | None, typer.Option(help="Of the API; of the settings. 接口地址", callback=_origin)
]
Key = Annotated[
    str | None,
    typer.Option(help="To send a request again; a fresh one. 幂等键", callback=_key),
]
At = Annotated[
    datetime | None,
    typer.Option(
        parser=datetime.fromisoformat,
        metavar="TIME",
        help="Sign by this time, as a sandbox's clock shows it; now. 签名时间",
    ),
]


@commands.command("open")
def open_(
    merchant: MerchantId, out: Out, label: Label = "tanpu", *, as_json: AsJson = False
) -> None:
    """Open a till of a merchant, with a keeper's shift, for trying it out (开通试用终端)."""
    settings = Settings()
    if settings.is_production:
        complain("till.production", "生产环境由店主登记终端 an owner registers tills in production")
        raise typer.Exit(REFUSED)
    till_id, keeper_id, shift = new_id(), new_id(), new_id()
    private_key = Ed25519PrivateKey.generate()
    public_key = private_key.public_key().public_bytes_raw()
    login, enrolment = f"till.{till_id.hex}", commitment(new_enrolment())  # by which nobody enrols

    def command(session: Session, at: datetime) -> tuple[Till, datetime]:
        shop = find_merchant(session, parse_public_id("mer", merchant)).id
        till = Till(till_id, shop, label, public_key, at)
        keeper = MerchantUser(keeper_id, shop, login, label, MemberRole.KEEPER, at)
        add_till(session, till)
        add_user(session, keeper, enrolment)
        ends_at = open_shift(session, till_id, keeper_id, shift=shift, at=at)
        note_act(session, CONSOLE, "merchants.try_till", till.public, at=at, keeper=keeper.public)
        return till, ends_at

    with _private(out) as file, open_city(settings) as city:
        till, ends_at = city.db.transact(command, now())
        held = b64encode(private_key.private_bytes_raw()).decode()
        json.dump({"till": till.public, "private_key": held}, file)
    data = {"till": till.public, "file": str(out), "shift_ends_at": ends_at}
    people = f"{till.public}: 已开班 open until {ends_at.isoformat(timespec='minutes')}; {out}"
    answer(data, as_json=as_json, people=people)


@commands.command()
def redeem(
    code: Code,
    file: File,
    origin: Origin = None,
    key: Key = None,
    at: At = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Redeem the voucher that somebody shows; sent again, it says when it was (核销)."""
    body = json.dumps({"code": code}).encode()
    told = _ask(file, _request(origin, REDEMPTIONS, body, key), at)
    yuan, fen = divmod(told["fen"], 100)
    people = (
        "{message}\n{title_zh} {title_en} × {quantity}: {points} 积分 points, ".format(**told)
        + f"另付 besides {yuan}.{fen:02} 元 yuan\n{told['id']}"
    )
    answer(told, as_json=as_json, people=people)


@commands.command()
def reverse(
    redemption: RedemptionId,
    file: File,
    origin: Origin = None,
    key: Key = None,
    at: At = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Give a redemption's points back, within 15 minutes (冲正)."""
    path = f"{REDEMPTIONS}/{quote(redemption, safe='')}/reverse"
    told = _ask(file, _request(origin, path, b"", key), at)
    people = f"{told['redemption']}: {told['state']}, {told['points']} 积分 points"
    answer(told, as_json=as_json, people=people)


def _request(origin: str | None, path: str, body: bytes, key: str | None) -> Asked:
    if origin is None:
        settings = Settings()
        origin = f"http://{settings.host}:{settings.port}"
    return Asked(origin.rstrip("/") + path, body, key or new_id().hex)


def _ask(file: Path, asked: Asked, at: datetime | None) -> dict[str, Any]:
    """Give the answer to a till's request, or end with what it was refused for."""
    told = send(_held(file), asked, at)
    if told is None:
        again = f"无应答 no answer; send it again with --key {asked.key}"
        complain("till.unanswered", f"{asked.url}: {again}")
        raise typer.Exit(UNAVAILABLE)
    try:
        said: dict[str, Any] = json.loads(told.body)
        refusal = (said["code"], _sentence(said)) if told.status >= BAD_REQUEST else None
    except (ValueError, KeyError, TypeError) as error:
        complain("till.origin", f"{asked.url}: {told.status}: 不是 Tanpu 接口 no API of Tanpu")
        raise typer.Exit(WRONG_INPUT) from error
    if refusal is not None:
        complain(*refusal)
        raise typer.Exit(REFUSED)
    return said


def _sentence(problem: dict[str, Any]) -> str:
    title, detail = problem["title"], problem["detail"]
    return title if title == detail else f"{title} ({detail})"


def _held(file: Path) -> HeldTill:
    """Read what ``open`` wrote, or end with exit code 2."""
    try:
        said = json.loads(file.read_bytes())
        return HeldTill(
            said["till"], Ed25519PrivateKey.from_private_bytes(b64decode(said["private_key"]))
        )
    except (ValueError, KeyError, TypeError) as error:
        complain("till.file", f"{file}: {type(error).__name__}: 不是终端密钥文件 not a till's file")
        raise typer.Exit(WRONG_INPUT) from error


@contextmanager
def _private(path: Path) -> Generator[IO[str]]:
    """Write a file for its owner alone: all of it once the block ends well, and nothing else."""
    descriptor, name = mkstemp(dir=path.parent)  # mode 0600 from its first moment
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            yield out
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
