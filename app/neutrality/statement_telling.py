"""A statement in words (声明文字): for page and print, in both languages, what is lacking first."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from app.certificates.telling import Told
from app.kernel.quantities import mass
from app.neutrality.categories import Category
from app.neutrality.inventory_rules import Tier
from app.neutrality.statements import ShownStatement

CATEGORIES: Final = {
    Category.FUEL: "化石燃料 Fuel",
    Category.ENERGY: "电力与热力 Energy",
    Category.TRANSPORT: "交通 Transport",
    Category.ROOMS_MEALS: "住宿餐饮 Rooms and meals",
    Category.MATERIALS: "用品 Materials",
    Category.WASTE: "废弃物 Waste",
}
TIERS: Final = {
    Tier.MEASURED: "实测 Measured",
    Tier.ESTIMATED: "估算 Estimated",
    Tier.DEFAULT: "缺省 Default",
}


class ToldLine(NamedTuple):
    """A line of the inventory: what, how much, by which factor, and what it comes to."""

    label: str
    quantity: str
    factor: str
    tier: str
    co2e: str


class ToldStatement(NamedTuple):
    """A statement, ready to be set."""

    public: str
    title: str
    is_whole: bool
    status: str
    """The first thing that is read."""
    facts: Sequence[Told]
    balance: Sequence[Told]
    categories: Sequence[Told]
    tiers: Sequence[Told]
    lines: Sequence[ToldLine]
    reductions: Sequence[Told]
    retirements: Sequence[Told]
    notes: Sequence[str]
    digest: str


def told(found: ShownStatement, as_of: str) -> ToldStatement:
    """Put a statement into words."""
    said = found.statement.told
    return ToldStatement(
        public=found.gathering.public,
        title=f"{said['subject']['title_zh']} {said['subject']['title_en']}",
        is_whole=found.state == "neutral",
        status=_status(found, as_of),
        facts=[*_facts(said)],
        balance=[*_balance(said["balance"])],
        categories=[
            Told(CATEGORIES[Category(name)], mass(mg).co2e)
            for name, mg in said["inventory"]["categories"].items()
        ],
        tiers=[Told(TIERS[Tier(name)], mass(mg).co2e) for name, mg in said["tiers"].items()],
        lines=[_line(each) for each in said["inventory"]["lines"]],
        reductions=[
            Told(f"{each['taken_on']} · {CATEGORIES[Category(each['category'])]}", each["text"])
            for each in said["reductions"]
        ],
        retirements=[
            Told(each["serials"], f"{each['quantity_kg']} kg · {each['certificate']}")
            for each in said["retirements"]
        ],
        notes=[*said["notes"], *said["inventory"]["assumptions"], *_excluded(said["inventory"])],
        digest=found.statement.digest.hex(),
    )


def _status(found: ShownStatement, as_of: str) -> str:
    standing = found.standing
    if found.state == "neutral":
        return f"碳中和 Carbon neutral · {as_of}"
    lacking, footprint = mass(standing.lacking_mg).co2e, mass(standing.footprint_mg).co2e
    left = mass(standing.covered_mg).co2e
    return (
        f"已核减，尚未中和 REDUCED, NOT NEUTRAL · 尚缺 {lacking} lacking"
        f" · {left} of {footprint} covered · {as_of}"
    )


def _facts(said: Any) -> Iterator[Told]:  # noqa: ANN401 -- JSON
    who, when = said["responsible"], said["period"]
    yield Told("责任主体 Responsible", f"{who['name_zh']} {who['name_en']} {who['registration']}")
    yield Told("活动期间 Period", f"{when['starts_on']} – {when['ends_on']}")
    yield Told("地点 Place", said["subject"]["place"])
    yield Told("核算边界 Boundary", said["boundary"])
    yield Told("声明版本 Version", f"{said['version']} · {said['issued_at']}")
    yield Told("依据 Shape", said["shape"])


def _balance(balance: Any) -> Iterator[Told]:  # noqa: ANN401 -- JSON
    yield Told("实际排放 Emitted", mass(balance["inventory_mg"]).co2e)
    kept_kg = balance["kept_by_attendees_kg"]
    yield Told("归参与者的出行减排（加回，进整） Kept by attendees, added, up", f"{kept_kg} kg")
    yield Told("应抵消 Footprint", mass(balance["footprint_mg"]).co2e)
    yield Told("注销 Retired", f"{balance['retired_kg']} kg")
    yield Told("受赠（舍零） Given, rounded down", f"{balance['given_kg']} kg")
    yield Told("已抵消 Made up for", mass(balance["covered_mg"]).co2e)


def _line(line: Any) -> ToldLine:  # noqa: ANN401 -- JSON
    factor = line["factor"]
    named = f"{factor['table']} {factor['row']}: {factor['value']} {factor['unit']}"
    default = f" ({factor['default']})" if factor["default"] else ""
    return ToldLine(
        label=line["label"],
        quantity=f"{line['quantity']} {line['unit']}",
        factor=named + default,
        tier=TIERS[Tier(line["tier"])],
        co2e=mass(line["co2e_mg"]).co2e,
    )


def _excluded(inventory: Any) -> Iterator[str]:  # noqa: ANN401 -- JSON
    for name, why in inventory["exclusions"].items():
        yield f"{CATEGORIES[Category(name)]}: {why}"
