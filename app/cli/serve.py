"""``tanpu up | api | worker | migrate`` (启动): the long-running processes, and the schema."""

import threading
from typing import Annotated

import typer
import uvicorn

from app.city import City, open_city
from app.cli.demo import lines_for, show
from app.kernel import telemetry
from app.kernel.settings import Settings
from app.main import create_app
from app.migrations import migrate as migrate_schema
from app.worker import Worker

GRACE_S = 10

WithDemo = Annotated[bool, typer.Option("--demo", help="Load the demo city first. 演示数据")]

Port = Annotated[int | None, typer.Option(help="HTTP port; PORT or 8000. 端口")]


def up(port: Port = None, *, demo: WithDemo = False) -> None:
    """Run a whole city here: embedded servers, worker and API, until Ctrl-C (启动城市)."""
    settings = Settings()
    telemetry.configure(settings.log_level)
    with open_city(settings) as city:
        if demo:
            show(city)
        for line in lines_for(city, settings.port if port is None else port):
            typer.echo(line)
        with Worker(city):
            _uvicorn(settings, city, port)


def api(port: Port = None) -> None:
    """Run the API alone; workers and servers run elsewhere (仅启动接口)."""
    settings = Settings()
    telemetry.configure(settings.log_level)
    _uvicorn(settings, None, port)


def worker() -> None:
    """Run the worker alone: closes epochs, submits headers, keeps partitions ahead (仅启动后台)."""
    settings = Settings()
    telemetry.configure(settings.log_level)
    with open_city(settings) as city, Worker(city):
        threading.Event().wait()


def migrate() -> None:
    """Bring the schema to the newest revision, as its owner (迁移数据库)."""
    settings = Settings()
    url = settings.database_owner_url or settings.database_url
    if url is not None:
        migrate_schema(url.get_secret_value())
    else:
        with open_city(settings):
            pass
    typer.echo("数据库已是最新 the schema is at its newest revision")


def _uvicorn(settings: Settings, city: City | None, port: int | None) -> None:
    uvicorn.run(
        create_app(settings, city),
        host=settings.host,
        port=settings.port if port is None else port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
    )
