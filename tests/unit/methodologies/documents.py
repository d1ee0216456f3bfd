"""Documents for tests: a small one that loads, and changes to it; none of them ships."""

from methodologies import Document, DocumentFaults, load

METRO = """\
code      = "XX-METRO"
version   = 1
object    = "scenario"
field     = "green_travel"
issuer    = "an issuer"
document  = "a text"
effective = 2024-01-01
title     = { zh = "轨道交通", en = "Metro" }

[inputs.distance]
unit = "km"
min  = "0"
max  = "100"

[parameters.saving]
value  = "31.7"
unit   = "g/pkm"
status = "official_text"
source = "somewhere"

[[eligibility]]
require = "distance >= 0.5 * km"
reason  = "trip.too_short"

[formula]
reduction = "distance * passenger * saving"

[caps.person_day]
reduction = "1 kg"
source    = "a rule"

[[examples]]
given  = { distance = "3 km" }
expect = { reduction = "95.1 g" }
"""


def changed(*changes: tuple[str, str], text: str = METRO) -> str:
    """Replace pieces of a document; a piece that is not there is a mistake of the test."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def loaded(*changes: tuple[str, str], more: str = "") -> Document:
    """Load the small document with changes, and with more sections after it."""
    return load(changed(*changes) + more)


def faults(*changes: tuple[str, str], more: str = "", text: str = METRO) -> list[tuple[str, str]]:
    """Give the (key path, code) of every fault of a changed document that must not load."""
    return faults_of(changed(*changes, text=text) + more)


def faults_of(source: str | bytes) -> list[tuple[str, str]]:
    """Give the (key path, code) of every fault of a text that must not load."""
    refused = refusal(source)
    assert refused is not None, "it loads"
    assert all(fault.line >= 1 for fault in refused.faults)
    return [(fault.path, fault.code) for fault in refused.faults]


def refusal(source: str | bytes) -> DocumentFaults | None:
    """Give what keeps a text from loading; None when it loads."""
    try:
        load(source)
    except DocumentFaults as refused:
        return refused
    return None
