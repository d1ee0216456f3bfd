"""Personal answers (个人答复): kept by nobody on the way; and the keys that some of them need."""

from typing import Annotated

from fastapi import Depends, Request, Response

from app.kernel.secrets import Keys


def private(response: Response) -> None:
    """Let nobody on the way keep the answer."""
    response.headers["Cache-Control"] = "no-store"


def _keys(request: Request) -> Keys:
    return request.app.state.city.keys


KeyRing = Annotated[Keys, Depends(_keys)]
