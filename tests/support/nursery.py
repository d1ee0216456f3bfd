"""A parent from which the API is forked again and again (预载父进程): a restart costs no import.

``python -m tests.support.nursery`` imports the application as ``uvicorn app.asgi:app`` does, takes
a port and writes its number; for each line that it reads it forks a server on that port and writes
its process id. A line is empty, or names a mutant. What waits on the port while no server lives is
answered by the next one. At the end of its input the last server is ended.
"""

import importlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, NoReturn, Self

from fastapi import Request, Response
from pydantic import BaseModel
from sqlmodel import Session

from app.kernel import once
from app.kernel.db import Database
from app.kernel.tokens import Principal

BACKLOG: Final = 2048
STARTS_MAX: Final = 5
ROOT: Final = Path(__file__).parents[2]
KEY_LATER: Final = "the key is claimed after the deed"


class Nursery:
    """The parent, as a test sees it; use it from one thread."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment, self._log = environment, log
        self.port, self.server = 0, 0

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], **self._environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                bufsize=1,
            )
        self.port = self._number()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def start(self, mutant: str = "") -> None:
        """Fork a server, once the one before has ended, until one answers: what a supervisor does.

        A start may fail where PostgreSQL is too busy to be connected to in time.
        """
        assert self._process.stdin is not None
        for _ in range(STARTS_MAX):
            self._process.stdin.write(f"{mutant}\n")
            self.server = self._number()
            while self._lives():
                if self._answers():
                    return
        raise AssertionError(self._log.read_text()[-5000:])

    def kill(self) -> None:
        """End the server as a power cut does."""
        os.kill(self.server, signal.SIGKILL)

    def _lives(self) -> bool:
        return Path(f"/proc/{self.server}/stat").read_text().rpartition(")")[2].split()[0] != "Z"

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/health")
            with connection.getresponse() as answer:
                return answer.status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _number(self) -> int:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.strip().isdigit(), self._log.read_text()
        return int(line)


def answer_with_key_later(  # noqa: PLR0917 -- the signature of what it stands in for
    request: Request,
    db: Database,
    who: Principal,
    key: str | None,
    body: BaseModel | None,
    deed: Callable[[Session], BaseModel],
    status: int = 201,
) -> Response:
    """Answer as ``answer_once`` should not: the deed is committed first, and then its key."""
    known = once.readable_key(key)
    said = b"" if body is None else body.model_dump_json().encode()
    digest = once.digest_of(request.url.path.encode(), said)

    def claim(session: Session) -> once.Answer | None:
        first = once._claim(session, who, known, digest, once.now())  # pyright: ignore[reportPrivateUsage]
        if first is None:
            session.rollback()
        return first

    first = db.transact(claim)
    if first is not None:
        return once.rendered(first, True)
    answer = db.transact(lambda session: once.attempt(request, session, deed, status))

    def keep(session: Session) -> None:
        once._claim(session, who, known, digest, once.now())  # pyright: ignore[reportPrivateUsage]
        once._keep(session, who, known, answer)  # pyright: ignore[reportPrivateUsage]

    db.transact(keep)
    return once.rendered(answer, False)


def serve(listener: socket.socket, mutant: str) -> NoReturn:
    """Be a server until the end."""
    import uvicorn  # noqa: PLC0415 -- the test that holds the other end needs none of it

    from app import asgi  # noqa: PLC0415 -- likewise
    from app.cli.serve import Server  # noqa: PLC0415 -- likewise
    from app.mall import orders_api  # noqa: PLC0415 -- likewise

    if mutant == KEY_LATER:
        orders_api.answer_once = answer_with_key_later
    config = uvicorn.Config(asgi.app, log_config=None, access_log=False, server_header=False)
    Server(config, asgi.app.state.live).run(sockets=[listener])
    os._exit(0)


def tell(number: int) -> None:
    """Write a line to whoever holds the other end."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    """Fork as asked."""
    for name in ("app.asgi", "app.cli.serve"):  # before the first fork
        importlib.import_module(name)
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    tell(listener.getsockname()[1])
    child = 0
    try:
        for line in sys.stdin:
            if child:
                os.waitpid(child, 0)
            child = os.fork()
            if child == 0:
                os.close(0)
                os.dup2(
                    2, 1
                )  # what a server prints is its log, and nobody reads this end meanwhile
                serve(listener, line.strip())
            tell(child)
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


if __name__ == "__main__":
    main()
