"""What an endpoint may ask for (依赖): database, settings, keys and limits of the running city.

``create_app`` puts the city on ``app.state`` once; endpoints name its parts as dependencies. They
are asynchronous because they only look something up: a plain one would cost a hop to a thread.
"""

from typing import Annotated, Protocol

from fastapi import Depends, Request

from app.kernel.calls import Calls
from app.kernel.db import Database
from app.kernel.limits import Limits
from app.kernel.secrets import Keys
from app.kernel.settings import Settings


class Wired(Protocol):
    """The running city, as far as an endpoint may see it."""

    @property
    def db(self) -> Database:
        """For commands and queries."""
        ...

    @property
    def settings(self) -> Settings:
        """As they were at the start."""
        ...

    @property
    def keys(self) -> Keys:
        """Of this deployment."""
        ...


def city_of(request: Request) -> Wired:
    """Give all of it at once, and no dependency, on the path where each of them counts."""
    return request.app.state.city


async def _database(request: Request) -> Database:
    return request.app.state.city.db


def calls_of(request: Request) -> Calls:
    """Give what is awaited on this application's event loop."""
    return request.app.state.calls


async def _settings(request: Request) -> Settings:
    return request.app.state.city.settings


async def _keys(request: Request) -> Keys:
    return request.app.state.city.keys


async def _limits(request: Request) -> Limits:
    return request.app.state.city.limits


Db = Annotated[Database, Depends(_database)]
Configuration = Annotated[Settings, Depends(_settings)]
Secrets = Annotated[Keys, Depends(_keys)]
Limited = Annotated[Limits, Depends(_limits)]
