"""The command line (命令行) ``tanpu``: every entry point that is not HTTP.

Exit codes: 0 done; 1 a check failed (a proof, an audit); 2 the input is wrong; 3 a server or a
key is not to be had; 4 refused by the state of the world, with a code.
"""

import sys

from psycopg import OperationalError
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError as DatabaseAway
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.anchoring.errors import ChainUnavailable
from app.city import NotDurable
from app.cli.screen import FAILED, REFUSED, UNAVAILABLE, WRONG_INPUT, complain
from app.embedded.errors import EmbeddedRefused
from app.kernel.problems import Refusal
from app.kernel.secrets import KeyMissing

__all__ = ["FAILED", "main"]


def main() -> None:
    """Run ``tanpu``; operating errors become one line and an exit code."""
    if not __debug__:
        raise SystemExit("tanpu refuses to run under `python -O`: its assertions are laws")
    from app.cli.commands import tanpu  # noqa: PLC0415 -- after the check above

    try:
        tanpu()
    except Refusal as refusal:
        complain(refusal.code, f"{refusal.title_zh} {refusal.facts or ''}".strip())
        sys.exit(REFUSED)
    except EmbeddedRefused as refused:
        complain(refused.code, str(refused))
        sys.exit(UNAVAILABLE)
    except (KeyMissing, NotDurable) as missing:
        complain("settings", str(missing))
        sys.exit(UNAVAILABLE)
    except ValidationError as wrong:
        for fault in wrong.errors(include_input=False):  # the input holds addresses with passwords
            name = ".".join(map(str, fault["loc"])).upper()
            complain("settings", f"{name} {fault['msg']}".strip())
        sys.exit(UNAVAILABLE)
    except ChainUnavailable as away:
        complain("anchoring.chain_unavailable", str(away))
        sys.exit(UNAVAILABLE)
    except (OperationalError, DatabaseAway, PoolTimeout) as away:
        complain("database", f"{type(away).__name__}: 数据库不可用 the database does not answer")
        sys.exit(UNAVAILABLE)
    except OSError as error:
        complain("file", f"{error.filename or ''}: {error.strerror or error}".removeprefix(": "))
        sys.exit(WRONG_INPUT)
