"""What an endpoint may ask for (依赖): the database, keys and settings of the running city.

``create_app`` puts them on ``app.state`` once; endpoints name them as dependencies.
"""

from typing import Annotated

from fastapi import Depends, Request

from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.kernel.settings import Settings


def _database(request: Request) -> Database:
    return request.app.state.db


def _keys(request: Request) -> Keys:
    return request.app.state.keys


def _settings(request: Request) -> Settings:
    return request.app.state.settings


Db = Annotated[Database, Depends(_database)]
CityKeys = Annotated[Keys, Depends(_keys)]
Configuration = Annotated[Settings, Depends(_settings)]
