"""What an endpoint may ask for (依赖): the database and the settings of the running city.

``create_app`` puts the city on ``app.state`` once; endpoints name its parts as dependencies.
"""

from typing import Annotated

from fastapi import Depends, Request

from app.kernel.db import Database
from app.kernel.settings import Settings


def _database(request: Request) -> Database:
    return request.app.state.city.db


def _settings(request: Request) -> Settings:
    return request.app.state.city.settings


Db = Annotated[Database, Depends(_database)]
Configuration = Annotated[Settings, Depends(_settings)]
