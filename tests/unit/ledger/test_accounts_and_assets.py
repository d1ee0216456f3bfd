from collections.abc import Callable
from datetime import date
from hashlib import sha256
from uuid import UUID

import pytest

from ledger.accounts import (
    FIRST_OWNER_ID,
    SYSTEM_ACCOUNTS,
    Account,
    AccountKind,
    bucket_of,
    held_of,
    owner,
    system,
)
from ledger.assets import (
    Asset,
    AssetKind,
    Money,
    Points,
    Reduction,
    Unit,
    asset_key,
    canonical_bytes,
    kind_of,
    unit_of,
)
from ledger.chart import Code
from ledger.errors import GradeNotRecorded
from ledger.transfers import Transfer
from tests.vectors.city import METRO_A, POINTS, move, uuid7

CITIZEN = owner(AccountKind.CITIZEN, FIRST_OWNER_ID)
OTHER = owner(AccountKind.CITIZEN, FIRST_OWNER_ID + 2)
NATURE = system("issuance/reduction")


def test_system_accounts_keep_their_published_names_and_numbers() -> None:
    assert dict(SYSTEM_ACCOUNTS) == {
        "issuance/reduction": 1,
        "issuance/points": 2,
        "issuance/unit": 3,
        "pool": 10,
        "issued": 11,
        "absorbed": 12,
        "cancelled": 13,
        "given": 14,
        "retired": 15,
        "invalidated": 16,
        "expired": 17,
        "redeemed": 18,
        "correction": 19,
        "bank": 20,
        "clearing": 21,
    }


def test_a_bucket_is_the_first_ten_bits_of_the_hash_of_the_owner() -> None:
    first = sha256((65_536).to_bytes(8, "big")).digest()
    assert bucket_of(65_536) == first[0] << 2 | first[1] >> 6
    assert {bucket_of(number) for number in range(65_536, 85_536, 2)} == set(range(1024))


def test_a_held_account_is_its_owners() -> None:
    held = held_of(CITIZEN)
    assert (held.id, held.kind, held.bucket) == (
        CITIZEN.id + 1,
        AccountKind.CITIZEN_HELD,
        CITIZEN.bucket,
    )
    assert held.owner_id == CITIZEN.owner_id
    assert system("pool").owner_id is None


def test_a_merchant_reserves_nothing() -> None:
    with pytest.raises(KeyError):
        held_of(owner(AccountKind.MERCHANT, FIRST_OWNER_ID))


@pytest.mark.parametrize(
    ("number", "kind", "bucket"),
    [
        (10, AccountKind.SYSTEM, 3),
        (9_999, AccountKind.SYSTEM, None),
        (FIRST_OWNER_ID, AccountKind.CITIZEN, None),
        (FIRST_OWNER_ID, AccountKind.CITIZEN, 1024),
        (FIRST_OWNER_ID - 2, AccountKind.CITIZEN, 0),
        (FIRST_OWNER_ID + 1, AccountKind.CITIZEN, 0),
        (FIRST_OWNER_ID, AccountKind.CITIZEN_HELD, 0),
    ],
)
def test_an_impossible_account_is_a_defect(
    number: int, kind: AccountKind, bucket: int | None
) -> None:
    with pytest.raises(AssertionError):
        Account(number, kind, bucket)


def test_grade_c_is_no_reduction() -> None:
    with pytest.raises(GradeNotRecorded) as refused:
        Reduction("OWN-BAG", 1, "bag", "C", date(2026, 1, 1))  # pyright: ignore[reportArgumentType] -- what a careless caller would pass
    assert refused.value.code == "ledger.grade_not_recorded"
    assert refused.value.facts["grade"] == "C"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Reduction("", 1, "s", "A", date(2026, 1, 1)),
        lambda: Reduction("m\0", 1, "s", "A", date(2026, 1, 1)),
        lambda: Reduction("m", 0, "s", "A", date(2026, 1, 1)),
        lambda: Reduction("m", 1, "", "A", date(2026, 1, 1)),
        lambda: Reduction("m", 1, "s", "A", date(2026, 1, 2)),
        lambda: Points("", date(2026, 1, 1), 1),
        lambda: Points("p", date(2026, 1, 1), -1),
        lambda: Unit(""),
        lambda: Money("RENMINBI"),
        lambda: Money("元元元"),
    ],
)
def test_an_impossible_asset_is_a_defect(make: Callable[[], Asset]) -> None:
    with pytest.raises(AssertionError):
        make()


def test_every_field_of_an_asset_changes_its_key() -> None:
    day = date(2026, 1, 1)
    assets: list[Asset] = [
        Reduction("m", 1, "s", "A", day),
        Reduction("n", 1, "s", "A", day),
        Reduction("m", 2, "s", "A", day),
        Reduction("m", 1, "t", "A", day),
        Reduction("m", 1, "s", "B", day),
        Reduction("m", 1, "s", "A", date(2026, 2, 1)),
        Reduction("m", 1, "s", "A", date(2025, 1, 1)),
        Points("p", day, 1),
        Points("q", day, 1),
        Points("p", date(2026, 1, 2), 1),
        Points("p", day, 2),
        Unit("s"),
        Unit("m"),
        Money(),
        Money("EUR"),
    ]
    assert len({asset_key(asset) for asset in assets}) == len(assets)
    widths = {AssetKind.REDUCTION: 70, AssetKind.POINTS: 45, AssetKind.UNIT: 33, AssetKind.MONEY: 4}
    for asset in assets:
        assert len(canonical_bytes(asset)) == widths[kind_of(asset)]
        assert canonical_bytes(asset)[0] == unit_of(asset)


def test_a_points_class_before_1970_has_no_bytes() -> None:
    with pytest.raises(OverflowError):
        canonical_bytes(Points("p", date(1969, 12, 31), 1))


def test_a_transfer_lies_in_the_bucket_of_its_one_owner() -> None:
    accrual = move(1, Code.ACCRUE, (NATURE, CITIZEN), (5, METRO_A))
    leaving = move(2, Code.EXCHANGE_POOL, (CITIZEN, system("pool")), (5, METRO_A))
    ownless = move(3, Code.ISSUE_POOLED, (system("pool"), system("issued")), (5, METRO_A))
    reserving = move(4, Code.HOLD, (CITIZEN, held_of(CITIZEN)), (5, POINTS))
    assert (accrual.bucket, leaving.bucket) == (CITIZEN.bucket, CITIZEN.bucket)
    assert ownless.bucket is None
    assert (reserving.is_internal, accrual.is_internal) == (True, False)
    assert not ownless.is_internal


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 0},
        {"amount": -1},
        {"target": NATURE},
        {"source": OTHER},
        {"source": held_of(OTHER)},
        {"id": UUID(int=0)},
        {"corrects": uuid7("x")},
        {"corrects_on": date(2026, 1, 1)},
        {"evidence": b"short"},
        {"code": Code.ERASE},
    ],
)
def test_what_could_never_be_a_transfer_is_a_defect(change: dict[str, object]) -> None:
    fields: dict[str, object] = {
        "id": uuid7("id"),
        "source": NATURE,
        "target": CITIZEN,
        "asset": METRO_A,
        "amount": 1,
        "code": Code.ACCRUE,
        "cause": uuid7("cause"),
        "occurred_on": date(2026, 1, 1),
        "recorded_on": date(2026, 1, 1),
        "evidence": bytes(32),
    }
    Transfer(**fields)  # pyright: ignore[reportArgumentType] -- the fields are named above
    with pytest.raises(AssertionError):
        Transfer(**(fields | change))  # pyright: ignore[reportArgumentType] -- as above
