"""The closed vocabularies of a methodology document.

Append-only: a published document is never edited, so a word that one of them uses stays.
"""

from enum import StrEnum


class Object(StrEnum):
    """What is classified (分类): only the first two can reach grade A."""

    PROJECT = "project"
    """减排项目"""
    SCENARIO = "scenario"
    """减排场景"""
    BEHAVIOUR = "behaviour"
    """行为场景"""


class Field(StrEnum):
    """The field of life that a methodology belongs to (领域)."""

    GREEN_TRAVEL = "green_travel"
    """绿色出行"""
    ENERGY_SAVING = "energy_saving"
    """节能降耗"""
    RESOURCE_RECYCLING = "resource_recycling"
    """资源回收"""
    RENEWABLE_ENERGY = "renewable_energy"
    """可再生能源"""
    OTHER = "other"
    """其他"""


class Status(StrEnum):
    """How well a number or a clause is sourced, best first (来源状态)."""

    OFFICIAL_TEXT = "official_text"
    """The official wording itself was seen."""
    OFFICIAL_QUOTE = "official_quote"
    """Press or a notice that quotes the official text or platform."""
    PUBLISHED = "published"
    """A recognised public data set: DESNZ, IPCC, the ministry's grid table."""
    SECONDARY = "secondary"
    """Public code, a digest, an advocacy figure."""
    MISSING = "missing"
    """Looked for and not found; the methodology refuses to run."""


class Evidence(StrEnum):
    """Where the amount of an act comes from (证据等级)."""

    PROVIDER_MEASURED = "provider_measured"
    DOCUMENT_PROVED = "document_proved"
    SELF_DECLARED = "self_declared"
    """Counts half (Wuhan 2021: 52 of 105 g) and is never grade A."""


class Settlement(StrEnum):
    """Over what one set of inputs runs (结算周期)."""

    ACT = "act"
    DAY = "day"
    BILLING_MONTH = "billing_month"


class Grade(StrEnum):
    """What a reduction may become (分级): see domain.md §3."""

    A = "A"
    """可登记: may be pooled, issued and sold."""
    B = "B"
    """可记账: held, exchanged, cancelled; never issued."""
    C = "C"
    """行为激励: points only, no reduction is recorded."""
