"""Assets: the classes of things that can be held, and the bytes that name them.

An asset is a *class* and not a lot: a reduction by methodology version, scenario, grade
and month of the act (R4); points by programme and expiry; units by issue batch; money by
currency. Amounts are whole numbers of the class's smallest unit.

The canonical description is a fixed byte layout, big-endian; `asset_key` hashes exactly
that, under its own tag, and enters every published entry. It is never changed:

    reduction  01 ‖ methodologyKey 32 ‖ H(tag("scenario") ‖ utf-8) ‖ grade u8 ‖ yyyymm u32
    points     02 ‖ H(tag("programme") ‖ utf-8) ‖ expires, days since 1970, u32 ‖ fen u64
    unit       03 ‖ H(tag("batch") ‖ utf-8)
    money      04 ‖ the three ASCII letters of ISO 4217

where methodologyKey = H(tag("methodology") ‖ utf-8 code ‖ 00 ‖ version u32), and the
grade is the ASCII letter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Final, Literal

from ledger.encoding import tag
from ledger.errors import GradeNotRecorded

Grade = Literal["A", "B"]
MG_PER_KG: Final = 1_000_000
"""Of reductions, to a unit."""

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_CURRENCY_LETTERS = 3


class AssetKind(IntEnum):
    """What an asset is; the number is also its published unit."""

    REDUCTION = 1
    """[mg CO2e]"""
    POINTS = 2
    """[points]"""
    UNIT = 3
    """[kg CO2e, one unit each]"""
    MONEY = 4
    """[fen]"""


@dataclass(frozen=True, slots=True)
class Reduction:
    """Emissions avoided, as one methodology version and scenario counts them (减排量)."""

    methodology: str
    version: int
    scenario: str
    grade: Grade
    vintage: date
    """The first day of the month of the act, in Asia/Shanghai."""

    def __post_init__(self) -> None:
        """Refuse grade C, which is no reduction; hold the rest to its form."""
        if self.grade not in ("A", "B"):
            raise GradeNotRecorded(methodology=self.methodology, grade=self.grade)
        assert self.methodology, self
        assert "\0" not in self.methodology, self
        assert self.scenario, self
        assert self.version > 0, self
        assert self.vintage.day == 1, self


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one programme that expire together (碳积分)."""

    programme: str
    expires: date
    fen_per_point: int
    """What a redeemed point claims from the programme's budget [fen] (R27)."""

    def __post_init__(self) -> None:
        """Hold the fields to their form."""
        assert self.programme, self
        assert self.fen_per_point >= 0, self


@dataclass(frozen=True, slots=True)
class Unit:
    """Issued units of one batch (减排量单位)."""

    batch: str

    def __post_init__(self) -> None:
        """Hold the fields to their form."""
        assert self.batch, self


@dataclass(frozen=True, slots=True)
class Money:
    """Money (资金)."""

    currency: str = "CNY"

    def __post_init__(self) -> None:
        """Hold the fields to their form."""
        assert len(self.currency) == _CURRENCY_LETTERS, self
        assert self.currency.isascii(), self


Asset = Reduction | Points | Unit | Money

_KINDS: Mapping[type, AssetKind] = MappingProxyType(
    {
        Reduction: AssetKind.REDUCTION,
        Points: AssetKind.POINTS,
        Unit: AssetKind.UNIT,
        Money: AssetKind.MONEY,
    }
)


_ASSET_TAG = tag("asset")
_METHODOLOGY_TAG = tag("methodology")


def day_number(day: date) -> int:
    """Count the days since 1970-01-01, which is how every published byte says a day.

    >>> day_number(date(1970, 1, 2))
    1
    """
    return day.toordinal() - _EPOCH_ORDINAL


def methodology_key(code: str, version: int) -> bytes:
    """Hash a methodology's code and version into its published name.

    >>> len(methodology_key("SZ-METRO", 1))
    32
    """
    return sha256(_METHODOLOGY_TAG + code.encode() + b"\0" + version.to_bytes(4, "big")).digest()


def _name(kind: str, text: str) -> bytes:
    return sha256(tag(kind) + text.encode()).digest()


def kind_of(asset: Asset) -> AssetKind:
    """Say what kind of asset this is.

    >>> kind_of(Money()).name
    'MONEY'
    """
    return _KINDS[type(asset)]


def unit_of(asset: Asset) -> int:
    """Give the published unit: 1 mg, 2 points, 3 units of a kilogram, 4 fen.

    >>> unit_of(Unit("b1"))
    3
    """
    return int(kind_of(asset))


def canonical_bytes(asset: Asset) -> bytes:
    """Write the fixed byte layout of an asset class (see the module).

    >>> canonical_bytes(Money()).hex()
    '04434e59'

    Raises:
        OverflowError: A field does not fit its width.
    """
    match asset:
        case Reduction():
            month = asset.vintage.year * 100 + asset.vintage.month
            body = (
                methodology_key(asset.methodology, asset.version)
                + _name("scenario", asset.scenario)
                + asset.grade.encode()
                + month.to_bytes(4, "big")
            )
        case Points():
            body = (
                _name("programme", asset.programme)
                + day_number(asset.expires).to_bytes(4, "big")
                + asset.fen_per_point.to_bytes(8, "big")
            )
        case Unit():
            body = _name("batch", asset.batch)
        case _:  # money
            body = asset.currency.encode()
    return bytes([kind_of(asset)]) + body


@lru_cache(maxsize=65_536)
def asset_key(asset: Asset) -> bytes:
    """Hash an asset class into the 32 bytes that every entry carries.

    >>> asset_key(Unit("b1")) != asset_key(Unit("b2"))
    True
    """
    return sha256(_ASSET_TAG + canonical_bytes(asset)).digest()
