"""The chart of accounts: which code may move what, from where, to where (科目表).

Anything that is not in `RULES` cannot be posted: the pure core refuses it here, and the
database refuses it by a check that is generated from `chart_rows`. The grade walls are
properties of this table (a test walks it as a graph): a grade B reduction never reaches
`pool`, and only `ACCRUE` makes reductions, so that no behaviour can (ledger law 7).

Codes are published in every entry. They are append-only: never renumbered, never reused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

from ledger.accounts import SYSTEM_ACCOUNTS, Account, AccountKind
from ledger.assets import Asset, AssetKind, Reduction, kind_of
from ledger.errors import NotInChart


class Code(IntEnum):
    """Why something moved; from 200 up, notes that move nothing."""

    ACCRUE = 1
    """An act became a reduction (记账)."""
    CORRECT = 2
    """What should not have been is taken back, from where it went (更正)."""
    EXCHANGE_POOL = 3
    """A grade A reduction becomes points and joins the pool (兑积分入池)."""
    EXCHANGE_ABSORB = 4
    """A grade B reduction becomes points and is extinguished (兑积分核减)."""
    GRANT_EXCHANGE = 5
    """Points for an exchanged reduction (兑得积分)."""
    GRANT_BEHAVIOUR = 6
    """Points for a grade C act, from a sponsored budget (行为积分)."""
    HOLD = 7
    """Reserve, on the owner's own held account (冻结)."""
    RELEASE = 8
    """Give a reservation back (解冻)."""
    REDEEM = 9
    """Points were taken at the till (核销)."""
    REFUND = 10
    """A redemption was reversed; its points return, with their expiry (退还)."""
    EXPIRE = 11
    """Points passed their date, or their owner left (过期)."""
    CANCEL = 12
    """A voluntary cancellation for the public good (自愿注销)."""
    GIVE = 13
    """A gift to a gathering (捐赠)."""
    OFFSET_DEBT = 14
    """A later earning pays what a correction left owing (抵扣)."""
    ISSUE_POOLED = 15
    """Pooled milligrams became an issue batch (签发出池)."""
    ISSUE_UNIT = 16
    """The units of an issue batch (签发)."""
    RETIRE = 17
    """A unit is used, for ever (注销使用)."""
    INVALIDATE = 18
    """A unit is declared void (失效)."""
    TRADE = 19
    """Units from one owner to another, a leg each, through clearing (交割)."""
    REPLACE = 20
    """Units from the buffer in place of void ones, a leg each, through clearing (替换)."""
    FUND = 21
    """Money came in from a bank (注资)."""
    SETTLE = 22
    """A budget pays a merchant's claims, a leg each, through clearing (结算)."""
    PAY_OUT = 23
    """Money went out to a bank (付款)."""
    LAPSE = 24
    """What would have reached an erased owner (R20) (失主归公)."""

    ERASE = 200
    """Note: an owner's openings were destroyed (删除)."""
    DEBT_OPENED = 201
    """Note: a correction left points owing (挂账)."""
    DEBT_WRITTEN_OFF = 202
    """Note: a debt was forgiven (核销欠分)."""


FIRST_NOTE_CODE = 200


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the chart: any of these sources, targets and assets, together."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    asset: AssetKind
    grades: str = ""
    """For reductions the letters of the grades that may move so; else empty."""


_MG, _PT, _KG, _FEN = AssetKind.REDUCTION, AssetKind.POINTS, AssetKind.UNIT, AssetKind.MONEY
_UNIT_HOLDERS = ("organisation", "organisation_held", "gathering", "gathering_held", "buffer")


def _own_pairs(*, release: bool) -> tuple[Rule, ...]:
    pairs = (("citizen", _PT), ("organisation", _KG), ("gathering", _KG))
    return tuple(
        Rule((f"{who}_held",), (who,), asset) if release else Rule((who,), (f"{who}_held",), asset)
        for who, asset in pairs
    )


RULES: Mapping[Code, tuple[Rule, ...]] = MappingProxyType(
    {
        Code.ACCRUE: (Rule(("issuance/reduction",), ("citizen", "organisation"), _MG, "AB"),),
        Code.CORRECT: (
            Rule(("citizen", "organisation", "cancelled"), ("correction",), _MG, "AB"),
            Rule(("pool", "issued", "given"), ("correction",), _MG, "A"),
            Rule(("absorbed",), ("correction",), _MG, "B"),
            Rule(("citizen",), ("correction",), _PT),
        ),
        Code.EXCHANGE_POOL: (Rule(("citizen", "organisation"), ("pool",), _MG, "A"),),
        Code.EXCHANGE_ABSORB: (Rule(("citizen", "organisation"), ("absorbed",), _MG, "B"),),
        Code.GRANT_EXCHANGE: (Rule(("issuance/points",), ("citizen",), _PT),),
        Code.GRANT_BEHAVIOUR: (Rule(("issuance/points",), ("citizen",), _PT),),
        Code.HOLD: _own_pairs(release=False),
        Code.RELEASE: _own_pairs(release=True),
        Code.REDEEM: (Rule(("citizen_held", "citizen"), ("redeemed",), _PT),),
        Code.REFUND: (Rule(("redeemed",), ("citizen",), _PT),),
        Code.EXPIRE: (Rule(("citizen",), ("expired",), _PT),),
        Code.CANCEL: (Rule(("citizen", "organisation"), ("cancelled",), _MG, "AB"),),
        Code.GIVE: (Rule(("citizen",), ("given",), _MG, "A"),),
        Code.OFFSET_DEBT: (Rule(("citizen",), ("correction",), _PT),),
        Code.ISSUE_POOLED: (Rule(("pool",), ("issued",), _MG, "A"),),
        Code.ISSUE_UNIT: (Rule(("issuance/unit",), ("organisation", "buffer"), _KG),),
        Code.RETIRE: (Rule(("organisation_held", "gathering_held", "buffer"), ("retired",), _KG),),
        Code.INVALIDATE: (Rule(_UNIT_HOLDERS, ("invalidated",), _KG),),
        Code.TRADE: (
            Rule(("organisation", "organisation_held", "gathering"), ("clearing",), _KG),
            Rule(("clearing",), ("organisation", "gathering"), _KG),
            Rule(("organisation",), ("clearing",), _FEN),
            Rule(("clearing",), ("organisation",), _FEN),
        ),
        Code.REPLACE: (
            Rule(("buffer",), ("clearing",), _KG),
            Rule(("clearing",), ("organisation", "gathering"), _KG),
        ),
        Code.FUND: (Rule(("bank",), ("budget", "organisation"), _FEN),),
        Code.SETTLE: (
            Rule(("budget",), ("clearing",), _FEN),
            Rule(("clearing",), ("merchant",), _FEN),
        ),
        Code.PAY_OUT: (Rule(("merchant", "organisation", "budget"), ("bank",), _FEN),),
        Code.LAPSE: (
            Rule(("issuance/points", "redeemed"), ("expired",), _PT),
            Rule(("issuance/reduction",), ("cancelled",), _MG, "AB"),
        ),
    }
)


class ChartRow(NamedTuple):
    """One permitted combination, flat, as the database's check wants it."""

    code: int
    source_kind: int
    source_system: int
    """The id of the system account, or 0 for an owner's."""
    target_kind: int
    target_system: int
    asset_kind: int
    grade: str
    """`A` or `B` for a reduction, else empty."""


def is_note(code: Code) -> bool:
    """Say whether entries of this code move nothing.

    >>> is_note(Code.ERASE), is_note(Code.GIVE)
    (True, False)
    """
    return code >= FIRST_NOTE_CODE


def _number(place: str) -> tuple[int, int]:
    if place in SYSTEM_ACCOUNTS:
        return int(AccountKind.SYSTEM), SYSTEM_ACCOUNTS[place]
    return int(AccountKind[place.upper()]), 0


_PERMITTED = frozenset(
    (code, source, target, rule.asset, grade)
    for code, rules in RULES.items()
    for rule in rules
    for source in rule.sources
    for target in rule.targets
    for grade in rule.grades or ("",)
)


def chart_rows() -> Iterator[ChartRow]:
    """List every permitted combination, one row each.

    >>> next(chart_rows())[:5]
    (1, 100, 1, 1, 0)
    """
    for code, source, target, kind, grade in sorted(_PERMITTED):
        yield ChartRow(int(code), *_number(source), *_number(target), int(kind), grade)


def is_permitted(code: Code, source: Account, target: Account, asset: Asset) -> bool:
    """Say whether the chart has this movement."""
    grade = asset.grade if isinstance(asset, Reduction) else ""
    return (code, source.place, target.place, kind_of(asset), grade) in _PERMITTED


def check_chart(code: Code, source: Account, target: Account, asset: Asset) -> None:
    """Pass a movement that the chart has.

    Raises:
        NotInChart: The chart has no such movement.
    """
    if not is_permitted(code, source, target, asset):
        raise NotInChart(
            movement=code.name.lower(),
            source=source.place,
            target=target.place,
            asset=type(asset).__name__.lower(),
        )
