"""One methodology document, parsed and checked: what a reviewer signed, as values.

``loading.load`` makes it; nobody else should. Numbers are `Decimal` in the unit written beside
them, never floats. The document is identified by (code, version) and proved by ``sha256``.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .compiling import Program
from .words import Evidence, Field, Grade, Object, Settlement, Status


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in Chinese and English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a number or a rule was read (来源)."""

    id: str
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What an activity must tell (输入): a quantity with bounds, or one of a few words."""

    name: str
    unit: str
    """The empty string for a choice."""
    options: tuple[str, ...] = ()
    otherwise: str = "input.not_an_option"
    """The reason given for a word outside ``options``."""
    minimum: Decimal = Decimal(0)
    maximum: Decimal = Decimal(0)
    decimals: int = 6
    """How many decimal places a value may carry."""
    default: str | None = None
    help: Text | None = None

    @property
    def is_choice(self) -> bool:
        """Whether the value is a word and not a quantity."""
        return bool(self.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """What another source says of the same number: shown, never averaged away."""

    value: Decimal
    unit: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorReference:
    """The entry of the dated factor library that a value was copied from and must equal."""

    id: str
    region: str
    purpose: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A constant of the formula (参数); ``value`` is None exactly when its status is missing."""

    name: str
    value: Decimal | None
    unit: str
    status: Status
    source: str
    factor: FactorReference | None = None
    derived: str = ""
    """How the value follows from its source, where it is not printed there."""
    title: Text | None = None
    spread: tuple[Spread, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One parameter for each word of a choice, for example a saving by material (查找表)."""

    name: str
    by: str
    unit: str
    rows: tuple[Parameter, ...]
    """Named after the options of the input ``by``, each exactly once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A condition of eligibility and the reason given when it does not hold (适用条件)."""

    require: str
    reason: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One named line of the working; the last one is ``reduction`` (计算步骤)."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A rule of the text that no formula needs, for example the crediting period (条款)."""

    name: str
    status: Status
    source: str
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """The best grade that the document allows itself, with its reason (分级上限)."""

    grade: Grade
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRule:
    """Which evidence is accepted at all, and which carries grade B."""

    accepts: tuple[Evidence, ...] = tuple(Evidence)
    grade_b: tuple[Evidence, ...] = tuple(Evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Which inputs hold a household's own moving mean and its use (历史基线)."""

    window_days: int
    expected: str
    used: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A worked example, which is a test (算例)."""

    given: dict[str, str]
    evidence: Evidence
    reduction: str | None
    """The expected mass with its unit, or None when ``reason`` is expected."""
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Document:
    """A methodology version (方法学版本)."""

    name: str
    """The file it was read from, for messages."""
    code: str
    version: int
    object: Object
    field: Field
    title: Text
    effective: date
    until: date | None
    """The last day in force, where one is set."""
    supersedes: int | None
    issuer: str
    document: str
    """The title of the official text."""
    official_code: str
    region: str
    scenario: str
    """The scenario of the reduction's asset class (R4)."""
    mode: str | None
    proposal: bool
    """Labelled *Tanpu reference, a proposal* (R13)."""
    settlement: Settlement
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    tables: tuple[Table, ...]
    eligibility: tuple[Rule, ...]
    steps: tuple[Step, ...]
    cap_mg: int | None
    """For each person and day (R9) [mg]."""
    cap_source: str
    evidence: EvidenceRule
    clauses: tuple[Clause, ...]
    ceilings: tuple[Ceiling, ...]
    history: History | None
    examples: tuple[Example, ...]
    sources: tuple[Source, ...]
    notes: tuple[Text, ...]
    sha256: str
    missing_parameters: tuple[str, ...]
    """What the formula needs and no source gives; not empty means that it refuses to run."""
    program: Program | None
    """The compiled formula; None exactly when a parameter is missing."""

    @property
    def input_names(self) -> tuple[str, ...]:
        """The order in which a row of `quantify_many` gives its values."""
        return tuple(each.name for each in self.inputs)
