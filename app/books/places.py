"""Ids that carry their meaning (编号的含义): of accounts and assets, and the chart over them.

An id says what kind of thing it names, so the database can hold the chart of accounts as a
check on the transfer row alone: no join, no trigger, nothing to keep in step.
"""

from typing import Final

from ledger.accounts import FIRST_OWNER_ID, AccountKind
from ledger.assets import Asset, AssetKind, Reduction, kind_of
from ledger.chart import chart_rows

ACCOUNT_SHIFT: Final = 5
ASSET_SHIFT: Final = 3
OWNER_PLACE: Final = 70_000
"""Owner kinds follow this number in a chart key; system accounts stand with their own ids."""
CLASS_OF_GRADE: Final = {"A": 1, "B": 2}
CLASS_OF_KIND: Final = {AssetKind.POINTS: 3, AssetKind.UNIT: 4, AssetKind.MONEY: 5}
FIRST_ACCOUNT_SEQUENCE: Final = FIRST_OWNER_ID >> ACCOUNT_SHIFT

CHART_KEY_SQL: Final = """
((code::bigint << 17
 | case when source < 65536 then source else 70000 + ((source >> 1) & 15) + (source & 1) end) << 17
 | case when target < 65536 then target else 70000 + ((target >> 1) & 15) + (target & 1) end) << 3
 | (asset & 7)"""


def account_id(kind: AccountKind, sequence: int) -> int:
    """Give the id of the ``sequence``-th owner, whose kind it carries.

    >>> account_id(AccountKind.CITIZEN, 2048)
    65538
    """
    assert sequence >= FIRST_ACCOUNT_SEQUENCE, sequence
    return sequence << ACCOUNT_SHIFT | kind << 1


def kind_of_account(number: int) -> AccountKind:
    """Read the kind that an account id carries.

    >>> kind_of_account(65538).name, kind_of_account(65539).name, kind_of_account(10).name
    ('CITIZEN', 'CITIZEN_HELD', 'SYSTEM')
    """
    if number < FIRST_OWNER_ID:
        return AccountKind.SYSTEM
    return AccountKind(((number >> 1) & 15) + (number & 1))


def class_of(asset: Asset) -> int:
    """Give the class that the low bits of an asset id carry.

    >>> class_of(Reduction("M", 1, "bus", "B", __import__("datetime").date(2026, 1, 1)))
    2
    """
    if isinstance(asset, Reduction):
        return CLASS_OF_GRADE[asset.grade]
    return CLASS_OF_KIND[kind_of(asset)]


def chart_keys() -> list[int]:
    """List the permitted movements as the numbers that ``CHART_KEY_SQL`` makes of a row."""
    keys: list[int] = []
    for row in chart_rows():
        source = row.source_system or OWNER_PLACE + row.source_kind
        target = row.target_system or OWNER_PLACE + row.target_kind
        asset = CLASS_OF_GRADE.get(row.grade) or CLASS_OF_KIND[AssetKind(row.asset_kind)]
        keys.append(((row.code << 17 | source) << 17 | target) << ASSET_SHIFT | asset)
    return sorted(keys)
