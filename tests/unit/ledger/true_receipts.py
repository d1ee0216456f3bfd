"""Receipts that are true, of the shared vectors and of the same city, and how to change one."""

import json
from typing import Any

from ledger.receipt import Json
from ledger.verify_receipt import mirrored
from tests.vectors.city import small_city
from tests.vectors.make import HERE

GIVEN: Json = json.loads((HERE / "receipts.json").read_text())
LINES = [json.dumps(line) for line in GIVEN["headers"]]
TRUST = mirrored(LINES)
CASES: dict[str, Json] = {case["name"]: case for case in GIVEN["receipts"]}
CITY = small_city()
OWNERS = [CITY.owners[number] for number in sorted(CITY.owners)]
WHOLE = CASES["whole history, after an earlier one"]

Place = tuple[str | int, ...]


def put(node: Any, at: Place, value: Any) -> Any:  # noqa: ANN401 -- JSON
    """Copy a document with another value in one place."""
    if not at:
        return value
    changed = node.copy()
    changed[at[0]] = put(node[at[0]], at[1:], value)
    return changed
