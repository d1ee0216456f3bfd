"""The chart of accounts as a graph: the grade walls are facts about which ways exist."""

from collections.abc import Iterable

import pytest

from ledger.accounts import SYSTEM_ACCOUNTS, Account, AccountKind, owner, system
from ledger.assets import Asset, AssetKind
from ledger.chart import RULES, ChartRow, Code, chart_rows, check_chart, is_note, is_permitted
from ledger.errors import NotInChart
from tests.vectors.city import METRO_A, METRO_B, POINTS, UNITS

PLACES = {*SYSTEM_ACCOUNTS, *(kind.name.lower() for kind in AccountKind)} - {"system"}
CITIZEN = owner(AccountKind.CITIZEN, 65_536)


def reachable(start: str, edges: Iterable[tuple[str, str]]) -> set[str]:
    ways = list(edges)
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for source, target in ways:
            if source == here and target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def edges(kind: AssetKind, grade: str = "") -> list[tuple[str, str]]:
    return [
        (source, target)
        for rules in RULES.values()
        for rule in rules
        if rule.asset is kind and grade in (rule.grades or ("",))
        for source in rule.sources
        for target in rule.targets
    ]


def test_every_place_in_the_chart_exists_and_every_code_that_moves_has_a_rule() -> None:
    named = {
        place
        for rules in RULES.values()
        for rule in rules
        for place in (*rule.sources, *rule.targets)
    }
    assert named <= PLACES
    assert set(RULES) == {code for code in Code if not is_note(code)}
    for rules in RULES.values():
        for rule in rules:
            assert bool(rule.grades) == (rule.asset is AssetKind.REDUCTION)


def test_grade_b_never_reaches_the_pool() -> None:
    assert PLACES - reachable("issuance/reduction", edges(AssetKind.REDUCTION, "B")) >= {
        "pool",
        "issued",
        "given",
    }
    for place in PLACES - {"pool"}:
        assert "pool" not in reachable(place, edges(AssetKind.REDUCTION, "B"))


def test_grade_a_is_never_absorbed() -> None:
    assert "absorbed" not in reachable("issuance/reduction", edges(AssetKind.REDUCTION, "A"))


def test_no_behaviour_becomes_a_reduction() -> None:
    """A reduction has one spring, and the codes of behaviours do not touch that asset."""
    assert [rule.asset for rule in RULES[Code.GRANT_BEHAVIOUR]] == [AssetKind.POINTS]
    into_holders = {
        code
        for code, rules in RULES.items()
        for rule in rules
        if rule.asset is AssetKind.REDUCTION and set(rule.targets) & {"citizen", "organisation"}
    }
    assert into_holders == {Code.ACCRUE}
    springs = {source for source, _ in edges(AssetKind.REDUCTION, "A")} - {
        target for _, target in edges(AssetKind.REDUCTION, "A")
    }
    assert springs == {"issuance/reduction"}


def test_a_gram_leaves_its_holder_to_one_exit_and_an_exit_only_to_correction() -> None:
    for grade, exits in (
        ("A", {"pool", "cancelled", "given", "correction"}),
        ("B", {"absorbed", "cancelled", "correction"}),
    ):
        ways = edges(AssetKind.REDUCTION, grade)
        assert {target for source, target in ways if source == "citizen"} == exits
        for way_out in exits - {"correction", "pool"}:
            assert {target for source, target in ways if source == way_out} == {"correction"}
        assert not [target for source, target in ways if source == "correction"]


def test_points_and_units_and_money_end_where_they_should() -> None:
    assert "bank" in reachable("bank", edges(AssetKind.MONEY))
    assert "merchant" in reachable("bank", edges(AssetKind.MONEY))
    assert reachable("issuance/unit", edges(AssetKind.UNIT)) >= {"retired", "invalidated"}
    assert "merchant" not in reachable("issuance/points", edges(AssetKind.POINTS))


def test_owners_meet_only_through_clearing() -> None:
    for row in chart_rows():
        owners = [kind for kind in (row.source_kind, row.target_kind) if kind != AccountKind.SYSTEM]
        if len(owners) == 2:
            assert row.code in (Code.HOLD, Code.RELEASE)


def test_rows_are_the_rules_flat_and_once() -> None:
    rows = list(chart_rows())
    assert len(rows) == len(set(rows))
    assert ChartRow(Code.EXCHANGE_POOL, 1, 0, 100, 10, 1, "A") in rows
    assert ChartRow(Code.EXCHANGE_POOL, 1, 0, 100, 10, 1, "B") not in rows
    assert ChartRow(Code.ISSUE_UNIT, 100, 3, 9, 0, 3, "") in rows
    assert all(1 <= row.code <= 255 for row in rows)


@pytest.mark.parametrize(
    ("code", "way", "asset"),
    [
        (Code.EXCHANGE_POOL, (CITIZEN, system("pool")), METRO_B),
        (Code.EXCHANGE_ABSORB, (CITIZEN, system("absorbed")), METRO_A),
        (Code.GIVE, (CITIZEN, system("given")), METRO_B),
        (Code.ACCRUE, (system("issuance/reduction"), CITIZEN), POINTS),
        (Code.ACCRUE, (system("issuance/points"), CITIZEN), METRO_A),
        (Code.GRANT_BEHAVIOUR, (system("issuance/reduction"), CITIZEN), METRO_A),
        (Code.RETIRE, (owner(AccountKind.ORGANISATION, 65_538), system("retired")), UNITS),
    ],
)
def test_what_is_not_in_the_chart_is_refused(
    code: Code, way: tuple[Account, Account], asset: Asset
) -> None:
    assert not is_permitted(code, *way, asset)
    with pytest.raises(NotInChart) as refused:
        check_chart(code, *way, asset)
    assert refused.value.code == "ledger.not_in_chart"
    assert refused.value.facts["movement"] == code.name.lower()


def test_codes_keep_their_published_numbers() -> None:
    assert {code.name: int(code) for code in Code} == {
        "ACCRUE": 1,
        "CORRECT": 2,
        "EXCHANGE_POOL": 3,
        "EXCHANGE_ABSORB": 4,
        "GRANT_EXCHANGE": 5,
        "GRANT_BEHAVIOUR": 6,
        "HOLD": 7,
        "RELEASE": 8,
        "REDEEM": 9,
        "REFUND": 10,
        "EXPIRE": 11,
        "CANCEL": 12,
        "GIVE": 13,
        "OFFSET_DEBT": 14,
        "ISSUE_POOLED": 15,
        "ISSUE_UNIT": 16,
        "RETIRE": 17,
        "INVALIDATE": 18,
        "TRADE": 19,
        "REPLACE": 20,
        "FUND": 21,
        "SETTLE": 22,
        "PAY_OUT": 23,
        "LAPSE": 24,
        "ERASE": 200,
        "DEBT_OPENED": 201,
        "DEBT_WRITTEN_OFF": 202,
    }  # fmt: skip -- a table
