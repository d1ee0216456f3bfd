"""The wire forms of inventories and of the factors they use (排放清单与因子的对外形式)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field
from pydantic import StringConstraints as Text

from app.kernel.http import Int, Str, Written
from app.kernel.quantities import ReductionOut, mass
from app.kernel.sheets import TableFault
from app.neutrality.categories import Category, category_of, understates
from app.neutrality.gathering_schemas import COUNT_MAX, FROZEN, Digest, Sentence
from app.neutrality.inventories import Closing, Inventory
from app.neutrality.inventory_rules import Entry, Line, Origin, Stage, Tier, default_of
from methodologies.published import FactorRow

ADDED_MAX: Final = 200


Quantity = Annotated[
    Str,
    Text(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$"),
    Field(examples=["125000"], description="Above zero, at most six decimals. 数量"),
]
UnitName = Annotated[
    Str,
    Text(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9*/().^ ]+$"),
    Field(examples=["kWh"], description="kWh, GJ, L, m3, kg, t, km, pkm, t*km, room*night. 单位"),
]
TableName = Annotated[
    Str, Text(min_length=1, max_length=40, pattern=r"^[a-z0-9-]+$"), Field(examples=["cn-grid"])
]
RowName = Annotated[
    Str,
    Text(min_length=1, max_length=80, pattern=r"^[0-9A-Za-z_./()\u4e00-\u9fff-]+$"),
    Field(examples=["上海/2023"]),
]
LineId = Annotated[str, Field(examples=["lin_01k0000000000000000000000c"])]


class LineIn(BaseModel):
    """An amount of something, and the published row that says what it emits."""

    model_config = FROZEN

    category: Category
    label: Annotated[Written, Text(max_length=200)] = Field(examples=["Stadium, metered"])
    quantity: Quantity
    unit: UnitName
    table: TableName
    row: RowName
    tier: Tier
    evidence: Digest | None = None
    note: Annotated[Str, Text(max_length=500)] = ""


class LinesIn(BaseModel):
    """Lines to add, all or none."""

    model_config = FROZEN

    stage: Stage
    lines: Annotated[tuple[LineIn, ...], Field(min_length=1, max_length=ADDED_MAX)]


class FactorOut(BaseModel):
    """A row of a published table (因子行)."""

    model_config = FROZEN

    table: str = Field(examples=["desnz-2025"])
    row: str = Field(examples=["29_600_4009_13_1"])
    names: Sequence[str] = Field(examples=[["Scope 3", "Hotel stay", "Hotel stay", "China"]])
    value: str = Field(
        examples=["53.50000"], description="Decimal; rounded as its note says. 因子值"
    )
    unit: str = Field(examples=["kg CO2e / Room per night"])
    region: str = Field(examples=["CN"])
    year: int = Field(examples=[2025])
    status: str = Field(examples=["published"])
    source: str
    note: str = Field(
        description="What was done to the figure, or which it is.", examples=["as published"]
    )
    default: str | None = Field(description="For what it stands in, if it is from elsewhere.")
    understates: str | None = Field(description="Why it may be less than what is emitted here.")
    category: Category | None = Field(description="Of which lines it may be the factor.")


class LineOut(BaseModel):
    """A line of an inventory (清单条目)."""

    model_config = FROZEN

    id: LineId
    stage: Stage
    origin: Origin
    category: Category
    label: str
    quantity: str
    unit: str
    factor: FactorOut
    emissions: ReductionOut = Field(description="quantity x factor, rounded up once. 排放")
    tier: Tier
    evidence: Digest | None
    note: str


class LinesOut(BaseModel):
    """Lines that were added."""

    model_config = FROZEN

    data: Sequence[LineOut]


class LinePage(BaseModel):
    """Lines, in the order in which they were added."""

    model_config = FROZEN

    data: Sequence[LineOut]
    next_cursor: str | None


class ClosingIn(BaseModel):
    """What an inventory says as a whole."""

    model_config = FROZEN

    stage: Stage
    attendance: Int = Field(
        ge=1, le=COUNT_MAX, examples=[36512], description="How many came, or are expected. 到场"
    )
    exclusions: Annotated[dict[Category, Sentence], Field(max_length=len(Category))] = Field(
        default_factory=dict[Category, Sentence],
        description="Of each category without a line, why. 排除理由",
    )
    assumptions: Annotated[tuple[Sentence, ...], Field(max_length=50)] = ()


class InventoryOut(BaseModel):
    """An inventory that was closed (排放清单)."""

    model_config = FROZEN

    stage: Stage
    version: int
    total: ReductionOut
    lines: int
    sha256: Digest
    closed_at: datetime
    document: Mapping[str, Any] = Field(
        description="What the digest covers: as canonical JSON (UTF-8, names sorted, no spaces)."
    )


class ImportLineOut(BaseModel):
    """What becomes of one row of a table, or would."""

    model_config = FROZEN

    row: int = Field(examples=[1])
    outcome: Literal["added", "valid", "refused"]
    errors: Sequence[TableFault]


class LinesImportOut(BaseModel):
    """What a table became, or would become."""

    model_config = FROZEN

    dry_run: bool
    refused: int
    rows: Sequence[ImportLineOut]
    lines: Sequence[LineOut] = Field(description="Made of all rows together; none if one is off.")


class FactorPage(BaseModel):
    """Rows of a table, in its order."""

    model_config = FROZEN

    data: Sequence[FactorOut]
    next_cursor: str | None


class FactorTableOut(BaseModel):
    """A published table of factors (因子表)."""

    model_config = FROZEN

    id: str
    title: str
    licence: str
    identity: str = Field(description="What names a row.")
    sha256: Digest
    rows: int


class FactorTablesOut(BaseModel):
    """Every table that ships."""

    model_config = FROZEN

    data: Sequence[FactorTableOut]


def entry_in(body: LineIn) -> Entry:
    """Read a line."""
    evidence = bytes.fromhex(body.evidence) if body.evidence else None
    told = body.model_dump(exclude={"quantity", "evidence"})
    return Entry(**told, quantity=Decimal(body.quantity), evidence=evidence)


def closing_in(body: ClosingIn) -> Closing:
    """Read what an inventory says as a whole."""
    return Closing(body.attendance, body.exclusions, body.assumptions)


def factor_out(row: FactorRow) -> FactorOut:
    """Tell a factor."""
    return FactorOut(
        table=row.table,
        row=row.id,
        names=row.names,
        value=format(row.value, "f"),
        unit=row.published_unit,
        region=row.region,
        year=row.year,
        status=row.status.value,
        source=row.source,
        note=row.note,
        default=default_of(row),
        understates=understates(row),
        category=category_of(row),
    )


def line_out(line: Line) -> LineOut:
    """Tell a line."""
    entry = line.entry
    return LineOut(
        id=line.public,
        stage=line.stage,
        origin=line.origin,
        category=entry.category,
        label=entry.label,
        quantity=entry.amount,
        unit=entry.unit,
        factor=factor_out(line.factor),
        emissions=mass(line.emissions_mg),
        tier=entry.tier,
        evidence=entry.evidence.hex() if entry.evidence else None,
        note=entry.note,
    )


def inventory_out(inventory: Inventory) -> InventoryOut:
    """Tell an inventory."""
    return InventoryOut(
        stage=inventory.stage,
        version=inventory.version,
        total=mass(inventory.total_mg),
        lines=inventory.lines,
        sha256=inventory.digest.hex(),
        closed_at=inventory.closed_at,
        document=inventory.told,
    )
