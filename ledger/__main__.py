"""An auditor's command that needs no server: `python -m ledger check RECEIPT --headers FILE`."""

import sys
from collections.abc import Sequence

from ledger import verify_receipt

_USAGE = "usage: python -m ledger check RECEIPT (--headers FILE | --rpc URL --contract ADDRESS)"


def main(arguments: Sequence[str]) -> int:
    """Check a receipt; 0 if it is true, 1 if a step fails, 2 if it could not be read."""
    if arguments[:1] != ["check"]:
        print(_USAGE, file=sys.stderr)  # noqa: T201 -- a command line answers on its streams
        return 2
    return verify_receipt.main(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
