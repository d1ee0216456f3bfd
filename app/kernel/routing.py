"""Which router answers a path (路由分派): by its first words, and not by asking each in turn.

Asking every route of the city costs more than a small answer does.
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

WORDS: Final = 3
"""As many of a path's words as tell routers apart: ``/v1/me/wallet``."""


class ByWords(BaseRoute):
    """Stands before the other routes, and passes on what only one of them can answer.

    What several can, or none, goes on to all of them in their order, as it would without this.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        """Look at the paths below each of ``routes``."""
        below = [
            (route, _fixed(context.path or ""), _is_whole(context.path or ""))
            for route in routes
            for context in iter_route_contexts([route])
        ]
        self._routes: dict[tuple[str, ...], BaseRoute] = {}
        for route, words, _ in below:
            able = [
                other
                for other, fixed, is_whole in below
                if fixed == (words if is_whole else words[: len(fixed)])
            ]
            if all(other is route for other in able):
                self._routes[words] = route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Ask the one route, where there is one."""
        route = self._routes.get(_words(scope["path"]))
        return (Match.NONE, {}) if route is None else route.matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it answer."""
        await self._routes[_words(scope["path"])].handle(scope, receive, send)


def _words(path: str) -> tuple[str, ...]:
    return tuple(path.split("/", WORDS + 1)[1 : WORDS + 1])


def _fixed(path: str) -> tuple[str, ...]:
    """Give the first words of a template, up to a parameter."""
    return tuple(takewhile(lambda word: "{" not in word, _words(path)))


def _is_whole(template: str) -> bool:
    """Tell whether a template's first words are all of it; else it may go on in any way."""
    return "{" not in template and len(template.split("/")) <= WORDS + 1
