"""A process that owns a runtime, for tests to stop and kill: `python owner.py HOME [UID]`.

Prints one line of JSON once everything answers (or the refusal), then sleeps until it is stopped.
"""

import codecs
import json
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

from app.embedded.errors import EmbeddedRefused
from app.embedded.runtime import Runtime


def main(home: Path, uid: int | None) -> int:
    # A shell's background job has it ignored, and so has whatever that job starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if uid is not None:
        # Loaded now, since that user may not be able to reach this interpreter's library.
        for name in ("ascii", "idna", "latin-1", "utf-8"):
            codecs.lookup(name)
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    try:
        with Runtime(home, tune="test") as runtime:
            said = {"addresses": asdict(runtime.addresses), "check": runtime.check()}
            print(json.dumps(said), flush=True)  # noqa: T201 -- this is how it speaks to its test
            while True:
                time.sleep(60)
    except EmbeddedRefused as refusal:
        print(json.dumps({"code": refusal.code, "refused": str(refusal)}), flush=True)  # noqa: T201 -- likewise
        return 3


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None))
