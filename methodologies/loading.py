"""Reading a document: bytes in, a checked `Document` out, or every fault with its place.

Written for documents by strangers: the text is bounded before it is parsed, and nothing in it is
executed; its formula is rebuilt from a whitelist.
"""

import re
import tomllib
from decimal import Decimal
from typing import Final, cast

from . import clauses, sections
from .checking import Parts, check, missing
from .digest import canonical_bytes, sha256
from .document import Document
from .faults import DocumentFaults, Fault
from .places import scan
from .reading import Raw, Reader
from .words import Field, Object, Settlement

SIZE_MAX: Final = 64 * 1024
_DOTS_MAX: Final = 200
"""In one line: `tomllib` takes quadratic time over a key of many parts."""
_CODE: Final = r"[A-Za-z0-9][A-Za-z0-9.-]{0,39}"
_SCENARIO: Final = r"[a-z0-9][a-z0-9._-]{0,63}"
_WORD: Final = r"[a-z][a-z0-9_]{0,39}"
_AT: Final = re.compile(r"\(at line (\d+), column (\d+)\)")
_KEYS: Final = (
    "code",
    "version",
    "object",
    "field",
    "title",
    "effective",
    "until",
    "supersedes",
    "issuer",
    "document",
    "official_code",
    "region",
    "scenario",
    "mode",
    "proposal",
    "settlement",
    "inputs",
    "parameters",
    "tables",
    "eligibility",
    "formula",
    "caps",
    "evidence",
    "clauses",
    "ceilings",
    "history",
    "examples",
    "sources",
    "notes",
)


def load(source: bytes | str, name: str = "document.toml") -> Document:
    """Read and check one document.

    Raises:
        DocumentFaults: With every fault, each at its line and key path.
    """
    content = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
    text = _text(content, name)
    raw = _toml(text, name)
    reader = Reader(scan(text))
    document = _document(reader, raw, name=name, sha256=sha256(content))
    if reader.faults:
        raise DocumentFaults(name, tuple(reader.faults))
    return document


def _text(content: bytes, name: str) -> str:
    if len(content) > SIZE_MAX:
        message = f"{len(content)} bytes; at most {SIZE_MAX}"
        raise DocumentFaults(name, (Fault(1, "", "size.too_large", message),))
    canonical = canonical_bytes(content)
    for number, line in enumerate(canonical.split(b"\n"), start=1):
        if line.count(b".") > _DOTS_MAX:
            message = f"more than {_DOTS_MAX} dots in one line"
            raise DocumentFaults(name, (Fault(number, "", "size.too_many", message),))
    try:
        return canonical.decode("utf-8")
    except UnicodeDecodeError as bad:
        line = canonical[: bad.start].count(b"\n") + 1
        message = f"byte {bad.start} is not UTF-8"
        raise DocumentFaults(name, (Fault(line, "", "encoding.not_utf8", message),)) from None


def _toml(text: str, name: str) -> Raw:
    try:
        return cast("Raw", tomllib.loads(text, parse_float=Decimal))
    except (ValueError, ArithmeticError, RecursionError) as bad:
        message = str(bad)[:200] or type(bad).__name__
        at = _AT.search(message)
        line = int(at[1]) if at else 1
        if "end of document" in message:
            line = text.rstrip().count("\n") + 1
        raise DocumentFaults(name, (Fault(line, "", "toml.syntax", message),)) from None


def _document(reader: Reader, raw: Raw, *, name: str, sha256: str) -> Document:
    reader.allow(raw, (), _KEYS)
    code = reader.text(raw, (), "code", like=_CODE)
    inputs = sections.inputs(reader, raw)
    parts = Parts(
        inputs=inputs,
        parameters=sections.parameters(reader, raw),
        tables=sections.tables(reader, raw, inputs),
        eligibility=clauses.eligibility(reader, raw),
        steps=clauses.steps(reader, raw),
    )
    cap_mg, cap_source = clauses.cap(reader, raw)
    effective, until = reader.day(raw, (), "effective"), reader.day_or_none(raw, (), "until")
    if until is not None and until < effective:
        reader.fault(("until",), "date.order", "the last day is before the first")
    version = reader.whole(raw, (), "version")
    supersedes = reader.whole(raw, (), "supersedes") if "supersedes" in raw else None
    if supersedes is not None and supersedes >= version:
        reader.fault(("supersedes",), "version.order", "it supersedes an earlier version")
    return Document(
        name=name,
        code=code,
        version=version,
        object=reader.word(raw, (), "object", Object),
        field=reader.word(raw, (), "field", Field),
        title=reader.both(raw, (), "title"),
        effective=effective,
        until=until,
        supersedes=supersedes,
        issuer=reader.text(raw, (), "issuer", default=""),
        document=reader.text(raw, (), "document", default=""),
        official_code=reader.text(raw, (), "official_code", default=""),
        region=reader.text(raw, (), "region", default=""),
        scenario=reader.text(raw, (), "scenario", default=code.lower(), like=_SCENARIO),
        mode=reader.text(raw, (), "mode", default="", like=_WORD) or None,
        proposal=reader.flag(raw, (), "proposal"),
        settlement=reader.word(raw, (), "settlement", Settlement, default=Settlement.ACT),
        inputs=parts.inputs,
        parameters=tuple(parts.parameters),
        tables=tuple(parts.tables),
        eligibility=tuple(parts.eligibility),
        steps=tuple(parts.steps),
        cap_mg=cap_mg,
        cap_source=cap_source,
        evidence=clauses.evidence(reader, raw),
        clauses=clauses.clauses(reader, raw),
        ceilings=clauses.ceilings(reader, raw),
        history=clauses.history(reader, raw, inputs),
        examples=clauses.examples(reader, raw),
        sources=clauses.sources(reader, raw),
        notes=clauses.notes(reader, raw),
        sha256=sha256,
        missing_parameters=missing(parts),
        program=check(reader, parts),
    )
