"""The demo city (演示城市), made through the same commands that everybody uses.

Real readings, replayed with one declared shift of days a file and labelled so on every act
(R18); sign-offs and approvals that say they are a demonstration. Then epochs, proofs, and one
tampering that the audit names and that is undone. Loading twice loads nothing twice.
"""

from app.demo.load import Loaded, load, loaded
from app.demo.report import kilograms, table_of, totals
from app.demo.tamper import restore, tamper

__all__ = ["Loaded", "kilograms", "load", "loaded", "restore", "table_of", "tamper", "totals"]
