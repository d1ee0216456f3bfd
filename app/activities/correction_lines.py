r"""The lines of a correction (更正行): which earlier act of the sender's, and what it really was.

A line is a JSON object: ``external_id`` of the act, a ``reason`` such as ``trip.refunded``, and
either ``withdrawn: true`` or ``inputs``, which are all of the act's inputs and not only those
that differ. What else an act is (whose, when, with what) cannot be corrected: withdraw it, and
tell it again under another id.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from app.activities.items import Malformed, Value
from app.activities.marks import plain_inputs
from app.activities.preparing import DAILY_INPUT, reading_fault
from methodologies import Document, Evidence, Ineligible, Settlement, quantify_many

INPUTS_MAX: Final = 40
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
_Reason = Annotated[str, msgspec.Meta(max_length=50, pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")]
_Name = Annotated[str, msgspec.Meta(max_length=64)]


class CorrectionLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line as it was read."""

    external_id: _Id
    reason: _Reason
    withdrawn: bool = False
    inputs: dict[_Name, msgspec.Raw] | None = None


class Worth(msgspec.Struct, frozen=True):
    """What corrected inputs come to."""

    raw_mg: int
    """Before the cap [mg]; 0 where the methodology gives nothing."""
    texts: Mapping[str, str]
    """The inputs, as they are kept."""
    reason: str = ""
    """Why it gives nothing."""


_LINE: Final = msgspec.json.Decoder(CorrectionLine)
_WORD: Final = msgspec.json.Decoder(Annotated[str, msgspec.Meta(min_length=1, max_length=64)])
_NUMBER: Final = msgspec.json.Decoder(Decimal)


def read_line(number: int, text: bytes | None) -> CorrectionLine | Malformed:
    """Read one line; ``None`` stands for one that was too long.

    >>> read_line(1, b'{"external_id": "r1", "reason": "trip.refunded"}')
    Malformed(line=1, reason='line.neither_withdrawn_nor_inputs', external_id='r1')
    """
    if text is None:
        return Malformed(number, "line.too_long")
    try:
        line = _LINE.decode(text)
    except msgspec.ValidationError:
        return Malformed(number, "line.not_a_correction")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Malformed(number, "line.not_json")
    fault = _fault(line)
    return Malformed(number, fault, line.external_id) if fault else line


def _fault(line: CorrectionLine) -> str:
    if not line.external_id.isprintable():
        return "field.external_id"
    if line.withdrawn is (line.inputs is not None):
        return "line.neither_withdrawn_nor_inputs"
    return "field.inputs" if len(line.inputs or ()) > INPUTS_MAX else ""


def worth_of(
    line: CorrectionLine, document: Document, evidence: Evidence, day: date
) -> Worth | str:
    """Compute what an act is worth with its corrected inputs; names the fault where it cannot.

    Under the version that it was computed with, whatever became of that version since.
    """
    inputs = _values(line, document)
    if isinstance(inputs, str):
        return inputs
    texts = plain_inputs(inputs)
    if document.settlement is Settlement.BILLING_MONTH:
        return reading_fault(inputs) or Worth(0, texts)
    version = replace(document, effective=date.min, until=None)
    values = [inputs.get(name) for name in version.input_names]
    (answer,) = quantify_many(version, [(values, evidence, day)])
    if not isinstance(answer, Ineligible):
        return Worth(answer, texts)
    return answer.reason if answer.is_input else Worth(0, texts, answer.reason)


def record_of_correction(line: CorrectionLine, code: str, texts: Mapping[str, str] | None) -> bytes:
    """Write a correction as its record, which the provider can make again (R7).

    >>> line = CorrectionLine(external_id="r1", reason="trip.refunded", withdrawn=True)
    >>> record_of_correction(line, "M", None).decode()
    '["correction","M","r1","trip.refunded",true,null]'
    """
    told = None if texts is None else sorted(texts.items())
    return msgspec.json.encode(
        ("correction", code, line.external_id, line.reason, line.withdrawn, told)
    )


def _values(line: CorrectionLine, document: Document) -> dict[str, Value] | str:
    """Read the inputs as the document's kinds; a fault's name where one is not."""
    words = {each.name for each in document.inputs if each.is_choice}
    names = {*document.input_names}
    if document.settlement is Settlement.BILLING_MONTH:
        names.add(DAILY_INPUT)
    values: dict[str, Value] = {}
    for name, raw in (line.inputs or {}).items():
        if name not in names:
            return "field.unknown"
        try:
            values[name] = _WORD.decode(raw) if name in words else _NUMBER.decode(raw)
        except msgspec.MsgspecError:
            return f"field.{name}"
    return values
