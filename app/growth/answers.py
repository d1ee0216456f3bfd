"""How public answers travel (公开应答): under their tag, for anybody to keep."""

from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Header, Response
from pydantic import BaseModel, ConfigDict

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
Known = Annotated[str | None, Header(alias="If-None-Match", max_length=1000)]


class WordsOut(BaseModel):
    """The same words in Chinese and English."""

    model_config = FROZEN

    zh: str
    en: str


def public(data: bytes, kind: str, *, age_s: int, known: str | None) -> Response:
    """Give the bytes under their tag for anybody to keep, or say that the reader has them."""
    tag = f'"{sha256(data).hexdigest()[:32]}"'
    headers = {
        "cache-control": f"public, max-age={age_s}",
        "access-control-allow-origin": "*",
        "etag": tag,
    }
    if known is not None and tag in {each.strip().removeprefix("W/") for each in known.split(",")}:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(data, media_type=kind, headers=headers)
