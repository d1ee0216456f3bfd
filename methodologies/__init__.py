"""The methodologies (方法学): how a low-carbon act becomes milligrams of CO2e, and why.

Pure: values in, values out; no framework, no clock, no log, no database. A methodology is one
TOML document that people read, diff and sign and the machine runs; its formula is arithmetic,
its units are its types, its examples are its tests, its digest goes on the chain.

Reading a document::

    load(source: bytes | str, name="document.toml") -> Document    # raises DocumentFaults
    lint(source: bytes, name) -> tuple[Fault, ...]     # faults and warnings, never raises
    find(code, on=date) -> Document     # the catalogued version in force; KeyError
    get(code, version) -> Document      # KeyError
    CATALOG                             # Mapping[(code, version), Document], loaded lazily

Running it (every number is a Decimal or text in the *input's own unit*)::

    document.input_names                # the order of the values of a row
    quantify(document, {"distance": "10.3"}, evidence=Evidence.PROVIDER_MEASURED,
             occurred_on=date(2026, 1, 1)) -> Reduction | Ineligible
    quantify_many(document, rows) -> list[int | Ineligible]         # mg; the hot path
        # rows of (values in the order of input_names, evidence, occurred_on)
    explain(document, inputs, evidence=..., occurred_on=...) -> tuple[Working, ...] | Ineligible
    read_inputs(document, {"distance": "10.3 km"}) -> dict  # raises BadQuantity
    parse_quantity("10.3 km", to="km") -> Decimal                     # raises BadQuantity

An ``Ineligible`` is a value with a ``reason`` (``trip.too_short``) and, where one input is to
blame, ``about``. A reason under ``input.`` means that the value itself was refused. A document
whose formula lacks a sourced parameter answers ``methodology.parameter_missing`` for every act
and names the parameters (R11).

Caps and grades (R9, R4, domain.md §3)::

    cap(document, before_mg, mg) -> int           # what of mg still counts for that person-day
    grade(document, sign_offs=(), approval=None, evidence=..., on=date) -> Grade
    assess(...) -> Assessment(grade | None, why)  # the same with its reasons, never raises
    accrues(approval, on) -> bool                 # False once a scenario's approval has ended

    settle_month(...), noise_credit(...)          # a household against its own history (R10)

What outsiders check::

    document.sha256                     # of its canonical bytes
    methodology_key(code, version)      # anchoring.md §2
    render(document) -> str             # a Markdown page, zh and en
    factor(id, region=..., purpose=..., on=...) -> Factor
"""

from .caps import cap
from .compiling import Program
from .digest import methodology_key
from .document import Document, Input, Parameter
from .factors import Factor, NoFactor, factor
from .faults import DocumentFaults, Fault
from .grade import Approval, Assessment, ParameterMissing, SignOff, accrues, assess, grade
from .history import noise_credit, settle_month
from .library import CATALOG, find, get, source
from .lint import lint
from .loading import load
from .outcomes import Ineligible, Reduction, Working
from .quantify import explain, quantify, quantify_many
from .quantities import BadQuantity, parse_quantity, read_inputs
from .render import render
from .words import Evidence, Field, Grade, Object, Settlement, Status

__all__ = [
    "CATALOG",
    "Approval",
    "Assessment",
    "BadQuantity",
    "Document",
    "DocumentFaults",
    "Evidence",
    "Factor",
    "Fault",
    "Field",
    "Grade",
    "Ineligible",
    "Input",
    "NoFactor",
    "Object",
    "Parameter",
    "ParameterMissing",
    "Program",
    "Reduction",
    "Settlement",
    "SignOff",
    "Status",
    "Working",
    "accrues",
    "assess",
    "cap",
    "explain",
    "factor",
    "find",
    "get",
    "grade",
    "lint",
    "load",
    "methodology_key",
    "noise_credit",
    "parse_quantity",
    "quantify",
    "quantify_many",
    "read_inputs",
    "render",
    "settle_month",
    "source",
]
