"""Garbage (垃圾回收): what an entry point tells Python's collector once everything is imported.

What was imported stays, so it is not walked again: that cost ingest a quarter of its CPU. And a
request makes a thousand objects that are gone with it, in no cycle: looking for cycles among each
seven hundred of them, as Python does by itself, cost a redemption a twelfth (2026-11-22).
"""

import gc
from typing import Final

YOUNG: Final = 50_000
"""Objects made and not yet gone, after which the young ones are looked at."""


def spare_collector() -> None:
    """Freeze what is there, and let the collector look less often at what comes."""
    gc.freeze()
    gc.set_threshold(YOUNG)
