"""Pure ASGI layers (请求层): an id for each request, a limit on its body, an answer unkept.

Pure ASGI, because Starlette's function middleware puts every body through a task of its own.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kernel.ids import new_id, public_id

BODY_MAX: Final = 256 * 1024
"""What an ordinary endpoint takes [bytes]."""
API: Final = "/v1/"
HEADER: Final = "x-request-id"
GIVEN: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class RequestId:
    """Names each request, by the caller's own id where it has the form of one."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the id into the scope, and into the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = scope.setdefault("request_id", given_id(scope) or public_id("req", new_id()))

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (HEADER.encode(), name.encode())]
            await send(message)

        await self._app(scope, receive, named)


def given_id(scope: Scope) -> str | None:
    """Give the caller's own id of a request, where it has the form of one."""
    given = dict(scope["headers"]).get(HEADER.encode(), b"")
    return given.decode() if GIVEN.fullmatch(given) else None


class NoStore:
    """Lets nobody on the way keep an answer of the API, unless it says that it is public.

    A layer, so that an endpoint that forgets to say anything errs on the safe side.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put ``no-store`` into the answer."""
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return

        async def unkept(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if not headers.get("cache-control", "").startswith("public"):
                    headers["cache-control"] = "no-store"
            await send(message)

        await self._app(scope, receive, unkept)


class BodyLimit:
    """Refuses a body past the limit of its path, by its stated length or as it arrives."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        larger: Mapping[str, int],
        refuse: Callable[[Request], Response],
    ) -> None:
        """Wrap ``app``; ``larger`` names the paths that take more, as routes do [bytes]."""
        self._app = app
        self._larger = [(compile_path(path)[0], limit) for path, limit in larger.items()]
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what arrives; past the limit answer 413 and read no more."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if not stated.isdigit() or not self._takes(scope, int(stated)):
            await self._refuse(Request(scope))(scope, receive, send)
            return
        body = await self._read(scope, receive)
        if body is None:
            await self._refuse(Request(scope))(scope, receive, send)
            return
        await self._app(scope, _once(body, receive), send)

    def _takes(self, scope: Scope, size: int) -> bool:
        """Say whether a path takes so much; few bodies are large enough that paths matter."""
        return size <= BODY_MAX or any(
            size <= limit and path.match(scope["path"]) for path, limit in self._larger
        )

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            part: bytes = message.get("body", b"")
            size += len(part)
            if not self._takes(scope, size):
                return None
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)


def _once(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
