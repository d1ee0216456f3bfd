"""``tanpu up | api | worker | migrate`` (启动): the long-running processes, and the schema."""

import socket
import threading
from contextlib import closing, suppress
from typing import Annotated

import typer
import uvicorn

from app.city import City, open_city
from app.cli.demo import lines_for, show
from app.cli.screen import UNAVAILABLE, complain
from app.embedded.signals import OrderlyEnd
from app.figures import serve_metrics
from app.kernel import telemetry
from app.kernel.settings import Settings
from app.main import create_app
from app.migrations import migrate as migrate_schema
from app.wallet import LiveStreams
from app.worker import Worker

GRACE_S = 10
BACKLOG = 2048
ANOTHER_PORT = "take another by PORT or --port 端口不可用,请用 PORT 或 --port 另选"

WithDemo = Annotated[bool, typer.Option("--demo", help="Load the demo city first. 演示数据")]

Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="HTTP port; PORT or 8000; 0 is a free one. 端口"),
]


def up(port: Port = None, *, demo: WithDemo = False) -> None:
    """Run a whole city here: embedded servers, worker and API, until Ctrl-C (启动城市)."""
    settings = Settings()
    telemetry.configure(settings.log_level)
    with closing(_bound(settings, port)) as listener, open_city(settings, owning=True) as city:
        if demo:
            show(city)
        _measure(settings, city)
        with Worker(city):
            for line in lines_for(city, listener.getsockname()[1]):
                typer.echo(line)
            _serve(settings, city, listener)


def api(port: Port = None) -> None:
    """Run the API alone; workers and servers run elsewhere (仅启动接口)."""
    settings = Settings()
    telemetry.configure(settings.log_level)
    with closing(_bound(settings, port)) as listener, open_city(settings) as city:
        _measure(settings, city)
        _serve(settings, city, listener)


def worker() -> None:
    """Run the worker alone: closes epochs, submits headers, keeps partitions ahead (仅启动后台)."""
    settings = Settings()
    telemetry.configure(settings.log_level)
    OrderlyEnd().begin()  # a stop lets the running job end
    with suppress(KeyboardInterrupt), open_city(settings) as city:
        _measure(settings, city)
        with Worker(city):
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


class Server(uvicorn.Server):
    """Ends the live streams before it waits for what is still being answered."""

    def __init__(self, config: uvicorn.Config, streams: LiveStreams) -> None:
        """Take the streams of the application that it serves."""
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: no new connection, the streams told to end, the rest answered."""
        self._streams.stop()
        await super().shutdown(sockets)


def _bound(settings: Settings, port: int | None) -> socket.socket:
    """Take the port before anything is started, so that a taken one costs nothing."""
    address = (settings.host, settings.port if port is None else port)
    try:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]  # Python repeats the address
        complain("port", f"{address[0]}:{address[1]}: {reason}; {ANOTHER_PORT}")
        raise typer.Exit(UNAVAILABLE) from error


def _measure(settings: Settings, city: City) -> None:
    """Serve the metrics, where the settings name a port for them."""
    if settings.metrics_port is None:
        return
    try:
        serve_metrics(city, settings.host, settings.metrics_port)
    except OSError as error:
        complain("port", f"{settings.host}:{settings.metrics_port}: {error.strerror}")
        raise typer.Exit(UNAVAILABLE) from error


def _serve(settings: Settings, city: City, listener: socket.socket) -> None:
    """Answer until asked to stop; Ctrl-C is an ordinary end."""
    app = create_app(settings, city)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
    )
    with suppress(KeyboardInterrupt):
        Server(config, app.state.live).run(sockets=[listener])
