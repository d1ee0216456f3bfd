"""An item (条目): one line of an upload as it was understood, before anything is decided of it.

These are msgspec structs, which cost a fifth of a frozen dataclass to make: there are millions.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from methodologies import Evidence

Value = Decimal | str


class Item(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One act as a provider tells it; instants are aware."""

    line: int
    """In the file, from 1; a CSV's header is line 1."""
    external_id: str
    """The provider's own id of the act, unique at that provider."""
    subject: str
    """Card, meter or account number at the provider; only its keyed hash is kept."""
    occurred_at: datetime
    ended_at: datetime | None = None
    inputs: Mapping[str, Value] = {}
    """By input name, in the input's own unit."""
    evidence: Evidence = Evidence.PROVIDER_MEASURED
    mode: str = ""
    """What it was done with, where the provider says so; else the methodology's mode."""
    vehicle: str = ""
    station: str = ""
    source_occurred_at: datetime | None = None
    """For a replay (R18): when the reading was really taken."""
    place: str = ""
    """For a replay: where it was taken; shown on the act."""
    not_eligible: str = ""
    """A reason that the importer found, for example ``trip.unpaid``; empty for none."""


class Malformed(msgspec.Struct, frozen=True, gc=False):
    """A line that could not be understood, and why."""

    line: int
    reason: str
    """For example ``line.not_json``, ``field.subject``."""
    external_id: str = ""
    """Where it could be read all the same."""
