"""What stands for an item once its words are gone (标记): hashes, commitments, normal names.

The provider keeps the raw record. From it, by ``record_of``, it can make the very bytes that
``content`` commits to, and open that commitment to a verifier (R7, R17).
"""

import hmac
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final

import msgspec

from app.activities.items import Item, Value
from app.kernel.secrets import Keys
from ledger.encoding import evidence_commit

EXTERNAL_BYTES: Final = 16
"""Of the SHA-256 of the external id; enough to tell a provider's ids apart."""
_CACHED: Final = 200_000
_STATION: Final = "站"


def record_of(item: Item, code: str, texts: Mapping[str, str] | None = None) -> bytes:
    """Write an item as its record: compact JSON of a fixed list, instants in UTC.

    >>> from datetime import timezone, timedelta
    >>> at = datetime(2026, 1, 2, 8, tzinfo=timezone(timedelta(hours=8)))
    >>> record_of(Item(line=1, external_id="r1", subject="c", occurred_at=at,
    ...                inputs={"distance": Decimal("10.30")}), "M").decode()
    '["M","r1","c","2026-01-02T00:00:00Z",null,"provider_measured","","","",[["distance","10.3"]]]'
    """
    return msgspec.json.encode(
        (
            code,
            item.external_id,
            item.subject,
            _utc(item.occurred_at),
            None if item.ended_at is None else _utc(item.ended_at),
            item.evidence,
            item.mode,
            item.vehicle,
            item.station,
            sorted((plain_inputs(item.inputs) if texts is None else texts).items()),
        )
    )


def plain(value: Value) -> str:
    """Write a value so that equal numbers are equal texts.

    >>> plain(Decimal("10.30")), plain(Decimal(7)), plain("paper")
    ('10.3', '7', 'paper')
    """
    text = str(value)
    if isinstance(value, Decimal) and "." in text and "E" not in text:
        return text.rstrip("0").rstrip(".")
    return text


def plain_inputs(inputs: Mapping[str, Value]) -> dict[str, str]:
    """Write all quantities of an act as they are kept and committed to."""
    return {name: plain(value) for name, value in inputs.items()}


class Marker:
    """Makes the marks of one provider's items; remembers the subjects it has hashed."""

    def __init__(self, keys: Keys, provider: str, aliases: Mapping[tuple[str, str], str]) -> None:
        """Take the provider's secret; ``aliases`` maps (kind, name) to the name that counts."""
        self._keys = keys
        # Keyed once: copying a keyed hash costs half of making one.
        self._salts = hmac.new(keys.provider_secret(provider), b"evidence", sha256)
        self._numbers = hmac.new(keys.subject, f"{provider}\0".encode(), sha256)
        self._aliases = aliases
        self._subjects: dict[str, bytes] = {}
        self._places: dict[tuple[str, str], bytes] = {}

    def subject(self, number: str) -> bytes:
        """Hash a card, meter or account number [32 B]."""
        found = self._subjects.get(number)
        if found is None:
            if len(self._subjects) >= _CACHED:
                self._subjects.clear()
            keyed = self._numbers.copy()
            keyed.update(number.encode())
            found = self._subjects[number] = keyed.digest()
        return found

    def place(self, kind: str, name: str) -> bytes | None:
        """Hash a vehicle or station under the name that all providers share [32 B]."""
        if not name:
            return None
        found = self._places.get((kind, name))
        if found is None:
            if len(self._places) >= _CACHED:
                self._places.clear()
            shared = self._aliases.get((kind, normal_name(kind, name)), normal_name(kind, name))
            found = self._places[kind, name] = place_hash(self._keys, kind, shared)
        return found

    def commitment(self, external_id: str, record: bytes) -> tuple[bytes, bytes]:
        """Give the hash of the external id [32 B] and the commitment to the record [32 B]."""
        external_hash = sha256(external_id.encode()).digest()
        salt = self._salts.copy()
        salt.update(external_hash)
        return external_hash, evidence_commit(salt.digest(), record)


def place_hash(keys: Keys, kind: str, name: str) -> bytes:
    """Hash a vehicle's or station's shared name with the platform's key [32 B]."""
    return keys.subject_hash(f"\0{kind}", name)


def normal_name(kind: str, name: str) -> str:
    """Fold what differs between providers: width, case, spaces, the suffix 站.

    >>> normal_name("station", "Ｘili 西丽 站"), normal_name("vehicle", "粤b·12345")
    ('xili西丽', '粤b12345')
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    kept = "".join(each for each in folded if each.isalnum())
    return kept.removesuffix(_STATION) or kept if kind == "station" else kept


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)
