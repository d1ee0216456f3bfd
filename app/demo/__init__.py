"""The demo city (演示城市), made through the same commands that everybody uses.

Real readings, replayed with one declared shift of days a file and labelled so on every act
(R18); sign-offs and approvals that say they are a demonstration. Then epochs, proofs, and one
tampering that the audit names and that is undone. Loading twice loads nothing twice.
"""

from app.demo.issuing import issue_rides
from app.demo.load import Loaded, first_day, load, loaded, note_whole, told_whole
from app.demo.marathon import hold_run
from app.demo.report import kilograms, table_of, totals
from app.demo.tamper import restore, tamper

__all__ = [
    "Loaded",
    "first_day",
    "hold_run",
    "issue_rides",
    "kilograms",
    "load",
    "loaded",
    "note_whole",
    "restore",
    "table_of",
    "tamper",
    "told_whole",
    "totals",
]
