"""Answers that are the same for everybody (公开缓存): under a tag, and open to other origins."""

from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Header, Response

OPEN: Final[Mapping[str, str]] = {"access-control-allow-origin": "*"}
"""Public data may be read from any page."""

Known = Annotated[
    str | None,
    Header(
        alias="If-None-Match", max_length=1000, description="ETag that the reader has. 已有的标签"
    ),
]


def tagged(data: bytes, kind: str, headers: Mapping[str, str], known: str | None) -> Response:
    """Give the bytes under their tag, or say that the reader has them already."""
    tag = f'"{sha256(data).hexdigest()[:32]}"'
    said = {**headers, "etag": tag}
    if known is not None and tag in {each.strip().removeprefix("W/") for each in known.split(",")}:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=said)
    return Response(data, media_type=kind, headers=said)
