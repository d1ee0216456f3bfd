"""What an endpoint may ask for (依赖): database, settings, keys and limits of the running city.

``create_app`` puts the city on ``app.state`` once; endpoints name its parts as dependencies. They
are asynchronous because they only look something up: a plain one would cost a hop to a thread.
"""

from typing import Annotated

from fastapi import Depends, Request

from app.kernel.db import Database
from app.kernel.limits import Limits
from app.kernel.secrets import Keys
from app.kernel.settings import Settings


async def _database(request: Request) -> Database:
    return request.app.state.city.db


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
