"""Importers (导入器): real files, as their publishers left them, told as items.

Each reads one kind of file by name (``tanpu ingest FILE --format NAME``) and decides nothing
about worth: it says what a line is, or why it is no act. Numbers are Decimal, wall clocks are
turned into instants, and a whole file may be moved by one declared number of days (R18,
docs/decisions/0017). Where each file comes from: docs/data-attribution.md.
"""

from app.activities.importers.errors import FormatUnknown, NotPersonal
from app.activities.importers.formats import Importer, Options
from app.activities.importers.replay import Replay
from app.activities.importers.segments import Segments, read_segments
from app.activities.importers.shelf import IMPORTERS, Import, importer, open_import

__all__ = [
    "IMPORTERS",
    "FormatUnknown",
    "Import",
    "Importer",
    "NotPersonal",
    "Options",
    "Replay",
    "Segments",
    "importer",
    "open_import",
    "read_segments",
]
