"""The command line (命令行) ``tanpu``: every entry point that is not HTTP.

Exit codes: 0 done; 1 a check failed (a proof, an audit); 2 the input is wrong; 3 a server or a
key is not to be had; 4 refused by the state of the world, with a code.
"""

import sys

from app.city import NotDurable
from app.cli.screen import FAILED, REFUSED, UNAVAILABLE, complain
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
