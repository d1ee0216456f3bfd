"""Activities (低碳行为): what people did, told by providers, and what became of each line.

A file or a request body is read into items (``read_items``), and ``ingest`` takes them in, in
chunks of 10,000, each one transaction: who is it and did they consent, was it told before, is it
excluded, what is it worth, who else told it, what does the day's cap leave, post. Every line gets
exactly one outcome. The order of arrival changes no total (docs/decisions/0016).

What is kept of an act: its day, its quantities, a commitment to the provider's record. Times and
the keyed hashes of vehicle and station stay in ``act_window`` until the merge deadline (R17).
"""

from app.activities.batch_errors import BatchUnknown
from app.activities.boundary import (
    boundary_list,
    mark_of,
    name_place,
    put_on_list,
    take_off_list,
)
from app.activities.choice import Choice, Standing, catalogued, decided
from app.activities.corrections import APPEAL, FACTOR, Corrected, Correction, correct
from app.activities.enrolling import enrol
from app.activities.errors import UploadRefused
from app.activities.ingest import ingest
from app.activities.items import Item, Malformed
from app.activities.jobs import purge
from app.activities.outcomes import ItemOutcome, Outcome, UploadResult
from app.activities.reading import ItemFile, read_items
from app.activities.settlement import settle

__all__ = [
    "APPEAL",
    "FACTOR",
    "BatchUnknown",
    "Choice",
    "Corrected",
    "Correction",
    "Item",
    "ItemFile",
    "ItemOutcome",
    "Malformed",
    "Outcome",
    "Standing",
    "UploadRefused",
    "UploadResult",
    "boundary_list",
    "catalogued",
    "correct",
    "decided",
    "enrol",
    "ingest",
    "mark_of",
    "name_place",
    "purge",
    "put_on_list",
    "read_items",
    "settle",
    "take_off_list",
]
