"""One application for all cities of a test process (一个应用服务多座城市): making it takes long.

A process of ours serves one city and makes one application. Here a city is made for each test, so
the application is made once and opens whichever city is its next.
"""

from contextlib import nullcontext
from functools import cache, partial

from fastapi import FastAPI

from app.city import City
from app.kernel.settings import Settings
from app.main import create_app
from app.wallet import LiveStreams


@cache
def shared_app() -> FastAPI:
    """Give the application, for its document or its routes; whoever adds a route makes another."""
    return create_app(Settings())


def serving(city: City) -> FastAPI:
    """Give it as it was made, to open ``city`` when it starts."""
    app = shared_app()
    app.state.opening = partial(nullcontext, city)
    app.state.live = LiveStreams()
    return app
