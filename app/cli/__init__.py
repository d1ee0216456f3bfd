"""The command line (命令行) ``tanpu``: every entry point that is not HTTP.

Exit codes: 0 done; 1 a check failed (a proof, an audit); 2 the input is wrong; 3 a server or a
key is not to be had; 4 refused by the state of the world, with a code.
"""

import gc
import sys

from app.cli.commands import tree

INTERRUPTED = 130
"""As shells say it of Ctrl-C."""


def main() -> None:
    """Run ``tanpu``; operating errors become one line and an exit code."""
    if not __debug__:
        raise SystemExit("tanpu refuses to run under `python -O`: its assertions are laws")
    try:
        run = tree(sys.argv[1] if len(sys.argv) > 1 else None)
        gc.freeze()  # what was imported stays: collecting over it costs ingest a quarter of its CPU
        run()
    except Exception as error:
        from app.cli.failures import explained, was_interrupted  # noqa: PLC0415 -- it knows every domain's errors

        code = INTERRUPTED if was_interrupted(error) else explained(error)
        if code is None:
            raise
        sys.exit(code)
