"""Whatever the chain's libraries do to the interpreter, a hostile document only raises."""

import subprocess
import sys

NESTED = """
import json
from app.anchoring.evm import contracts
try:
    json.loads("[" * 100_000)
except RecursionError:
    print("refused", contracts.__name__)
"""


def test_a_document_that_nests_without_end_still_raises_beside_the_chain() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NESTED], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "refused app.anchoring.evm.contracts\n", done
