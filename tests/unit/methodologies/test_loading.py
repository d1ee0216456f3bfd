"""Reading documents: what loads, and every fault with its place."""

from datetime import date
from decimal import Decimal

import pytest

from methodologies import DocumentFaults, Evidence, Object, Settlement, load

from .documents import METRO, changed, faults, faults_of, loaded

NUMBER = "value='1'\nunit='g'\nstatus='published'\nsource='s'"
TABLE = "[inputs.kind]\noptions=['a']\n[tables.t]\nby='kind'\nunit='g'"
HISTORY = "[history]\nwindow_days = {}\nexpected = '{}'\nused = '{}'"
GRID = """
[parameters.f]
value = "{}"
unit = "{}"
status = "published"
source = "s"

[parameters.f.factor]
id = "electricity.average"
region = "CN"
purpose = "consumption"
on = 2023-06-01
"""


def test_it_reads_a_document_into_values() -> None:
    document = load(METRO, "metro.toml")
    assert (document.name, document.code, document.version) == ("metro.toml", "XX-METRO", 1)
    assert document.object is Object.SCENARIO
    assert document.effective == date(2024, 1, 1)
    assert document.scenario == "xx-metro"
    assert document.input_names == ("distance",)
    assert document.parameters[0].value == Decimal("31.7")
    assert document.cap_mg == 1_000_000
    assert document.settlement is Settlement.ACT
    assert document.evidence.accepts == tuple(Evidence)
    assert document.missing_parameters == ()


def test_it_reads_bytes_and_text_alike_whatever_the_line_ends() -> None:
    windows = b"\xef\xbb\xbf" + METRO.replace("\n", "\r\n").encode()
    assert load(windows).sha256 == load(METRO).sha256 == load(METRO.encode()).sha256


def test_it_reports_every_fault_with_line_and_key_in_the_order_of_the_text() -> None:
    text = changed(
        ("version   = 1", 'version   = "one"'),
        ('unit = "km"', 'unit = "furlong"'),
        ('value  = "31.7"', "value  = 31.7"),
        ('reason  = "trip.too_short"', 'reason  = "Too short"'),
        ('reduction = "1 kg"', 'reduction = "a lot"'),
    )
    with pytest.raises(DocumentFaults) as refused:
        load(text, "x.toml")
    found = [(fault.line, fault.path, fault.code) for fault in refused.value.faults]
    assert found == [
        (2, "version", "type.not_a_whole_number"),
        (11, "inputs.distance.unit", "unit.unknown"),
        (16, "parameters.saving.value", "number.not_text"),
        (23, "eligibility[0].reason", "text.malformed"),
        (29, "caps.person_day.reduction", "text.malformed"),
    ]
    assert str(refused.value).splitlines()[1] == (
        "x.toml: line 11: inputs.distance.unit: unit.unknown: no unit is called 'furlong'"
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('code      = "XX-METRO"', "", ("code", "key.missing")),
        ('"XX-METRO"', '"上海"', ("code", "text.malformed")),
        ('"XX-METRO"', "7", ("code", "type.not_text")),
        ("version   = 1", "version   = 0", ("version", "type.not_a_whole_number")),
        ("version   = 1", "version   = true", ("version", "type.not_a_whole_number")),
        ("version   = 1", "", ("version", "key.missing")),
        ('"scenario"', '"hobby"', ("object", "word.unknown")),
        ('object    = "scenario"', "", ("object", "key.missing")),
        ("2024-01-01", "2024-01-01T00:00:00Z", ("effective", "type.not_a_date")),
        ("effective = 2024-01-01", "", ("effective", "key.missing")),
        ("2024-01-01", "2024-01-01\nuntil = 2023-01-01", ("until", "date.order")),
        ("version   = 1", "version   = 2\nsupersedes = 2", ("supersedes", "version.order")),
        ("version   = 1", "version   = 1\nproposal = 1", ("proposal", "type.not_a_flag")),
        ("version   = 1", "version   = 1\ncolour = 'red'", ("colour", "key.unknown")),
        ('zh = "轨道交通", ', "", ("title.zh", "key.missing")),
        ('title     = { zh = "轨道交通", en = "Metro" }', "", ("title", "key.missing")),
        ('"an issuer"', f'"{"x" * 2001}"', ("issuer", "text.too_long")),
        ('"an issuer"', '"a\\u0000b"', ("issuer", "text.too_long")),
        ('max  = "100"', "", ("inputs.distance.max", "key.missing")),
        ('max  = "100"', 'max  = "NaN"', ("inputs.distance.max", "number.malformed")),
        ('max  = "100"', 'max  = "Infinity"', ("inputs.distance.max", "number.malformed")),
        ('max  = "100"', "max  = nan", ("inputs.distance.max", "number.not_text")),
        ('max  = "100"', "max  = 100", ("inputs.distance.max", "number.not_text")),
        ('max  = "100"', 'max  = "1e3"', ("inputs.distance.max", "number.malformed")),
        ('max  = "100"', f'max  = "{"9" * 30}"', ("inputs.distance.max", "number.malformed")),
        ('min  = "0"', 'min  = "200"', ("inputs.distance.max", "input.bounds")),
        ('min  = "0"', "decimals = 99", ("inputs.distance.decimals", "type.not_a_whole_number")),
        ('min  = "0"', 'default = "101"', ("inputs.distance.default", "input.default")),
        ('"official_text"', '"unverified"', ("parameters.saving.status", "word.unknown")),
        ('source = "somewhere"', "", ("parameters.saving.source", "key.missing")),
        ('"somewhere"', '""', ("parameters.saving.source", "text.malformed")),
        (
            '"official_text"',
            '"missing"',
            ("parameters.saving.value", "parameter.missing_with_value"),
        ),
        ('unit   = "g/pkm"', "", ("parameters.saving.unit", "key.missing")),
        ("[formula]", "[formulas]", ("formula", "key.missing")),
        ('reduction = "distance', 'result = "distance', ("formula", "formula.no_reduction")),
        ('"1 kg"', '"1 km"', ("caps.person_day.reduction", "text.malformed")),
        ("[caps.person_day]", "[caps.person_week]", ("caps.person_week", "key.unknown")),
        ("[[examples]]", "[examples]", ("examples", "type.not_a_list")),
        (
            'expect = { reduction = "95.1 g" }',
            "expect = {}",
            ("examples[0].expect", "example.expect"),
        ),
        (
            "given  = { distance",
            "given  = { distance = 3 }\n#",
            ("examples[0].given.distance", "type.not_text"),
        ),
        (
            "[inputs.distance]",
            "[inputs]\ndistance = 3\n[other]",
            ("inputs.distance", "type.not_a_table"),
        ),
    ],
)
def test_it_names_the_fault_and_its_key(old: str, new: str, fault: tuple[str, str]) -> None:
    assert fault in faults((old, new))


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("[title]\n", ("", "toml.syntax")),
        (f"[parameters.distance]\n{NUMBER}", ("parameters.distance", "name.duplicate")),
        (f"[parameters.if]\n{NUMBER}", ("parameters.if", "name.reserved")),
        (f"[parameters.'a b']\n{NUMBER}", ("parameters.a b", "name.malformed")),
        (
            f"[parameters.other]\n{NUMBER.replace('g', 'parsec')}",
            ("parameters.other.unit", "unit.unknown"),
        ),
        ("[inputs.kind]\noptions = []", ("inputs.kind.options", "input.options")),
        ("[inputs.kind]\noptions = ['a', 'a']", ("inputs.kind.options", "input.options")),
        ("[inputs.kind]\noptions = ['a b']", ("inputs.kind.options", "text.malformed")),
        ("[inputs.kind]\noptions = ['a', 3]", ("inputs.kind.options[1]", "type.not_text")),
        ("[inputs.kind]\noptions = ['a']\ndefault = 'b'", ("inputs.kind.default", "input.default")),
        (f"[inputs.kind]\noptions = [{'1,' * 65}]", ("inputs.kind.options", "size.too_many")),
        ("\n".join(f"[clauses.c{n}]" for n in range(65)), ("clauses", "size.too_many")),
        ("[tables.t]\nby='distance'\nunit='g'", ("tables.t.by", "table.no_choice")),
        (TABLE, ("tables.t", "table.rows_differ")),
        (f"{TABLE}\n[tables.t.rows.a]\n{NUMBER}", ("tables.t.rows.a.unit", "key.unknown")),
        ("[evidence]\naccepts = ['hearsay']", ("evidence.accepts", "word.unknown")),
        ("[evidence]\naccepts = []", ("evidence.accepts", "word.unknown")),
        ("[evidence]\naccepts = 'all'", ("evidence.accepts", "type.not_a_list")),
        (
            "[[ceilings]]\ngrade = 'D'\nreason = { zh = '一', en = 'one' }",
            ("ceilings[0].grade", "word.unknown"),
        ),
        (HISTORY.format(7, "distance", "nothing"), ("history.expected", "history.no_energy")),
        (
            f"[inputs.x]\nunit = 'parsec'\nmax = '1'\n{HISTORY.format(7, 'x', 'x')}",
            ("history.used", "history.no_energy"),
        ),
        (
            HISTORY.format(0, "distance", "nothing"),
            ("history.window_days", "type.not_a_whole_number"),
        ),
        (
            f"[parameters.f]\n{NUMBER}\nfactor={{id='x',region='CN',purpose='p',on=2024-01-01}}",
            ("parameters.f.factor", "factor.not_found"),
        ),
        (GRID.format("0.5", "kgCO2/kWh"), ("parameters.f.value", "factor.differs")),
        (GRID.format("0.5306", "g/kWh"), ("parameters.f.value", "factor.differs")),
    ],
)
def test_it_names_the_fault_of_a_further_section(more: str, fault: tuple[str, str]) -> None:
    assert fault in faults(more="\n" + more)


def test_it_refuses_lists_that_hold_something_other_than_tables() -> None:
    found = faults_of(
        'eligibility = [3, { require = "true" }]\n'
        + METRO.replace(
            '[[eligibility]]\nrequire = "distance >= 0.5 * km"\nreason  = "trip.too_short"\n', ""
        )
    )
    assert ("eligibility[0]", "type.not_a_table") in found
    assert ("eligibility[1].reason", "key.missing") in found


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        (b"code = '\xff'\n", "encoding.not_utf8", 1),
        (b"a = 1\nb = '\xe4\xb8'\n", "encoding.not_utf8", 2),
        (b"#" * 70_000, "size.too_large", 1),
        (b"a = 1\nb" + b".b" * 30_000 + b" = 1", "size.too_many", 2),
        (b"a = [\n" * 2, "toml.syntax", 2),
        (b"a = 1\na = 2\n", "toml.syntax", 2),
        (b"a = 1\nb = \x00\n", "toml.syntax", 2),
        (b"a = " + b"[" * 20_000, "toml.syntax", 1),
        (b"a = " + b"9" * 5_000, "toml.syntax", 1),
        (b"a = 1979-13-45\n", "toml.syntax", 1),
        ("a = '\udc80'", "encoding.not_utf8", 1),
    ],
)
def test_it_refuses_what_is_not_toml(source: bytes | str, code: str, line: int) -> None:
    with pytest.raises(DocumentFaults) as refused:
        load(source)
    (fault,) = refused.value.faults
    assert (fault.code, fault.line, fault.path) == (code, line, "")
    assert fault.place == f"line {line}"


def test_it_refuses_an_empty_document_by_what_it_lacks() -> None:
    missing = {path for path, code in faults_of("") if code == "key.missing"}
    assert missing == {"code", "version", "object", "field", "title", "effective", "formula"}


def test_it_loads_without_running_when_a_parameter_is_missing() -> None:
    document = loaded(('value  = "31.7"\n', ""), ('"official_text"', '"missing"'))
    assert document.missing_parameters == ("saving",)
    assert document.program is None


def test_it_still_checks_the_units_of_a_document_that_cannot_run() -> None:
    found = faults(
        ('value  = "31.7"\n', ""), ('"official_text"', '"missing"'), ("g/pkm", "kWh/pkm")
    )
    assert found == [("formula.reduction", "unit.not_a_mass")]


def test_it_names_the_missing_row_of_a_table() -> None:
    more = """
[inputs.kind]
options = ["a", "b"]
[tables.t]
by = "kind"
unit = "g/pkm"
rows.a = { value = "1", status = "published", source = "s" }
rows.b = { status = "missing", source = "s" }
"""
    document = loaded(("passenger * saving", "passenger * (saving + t)"), more=more)
    assert document.missing_parameters == ("t.b",)


def test_it_copies_a_value_that_the_factor_library_confirms() -> None:
    more = """
[parameters.grid]
value  = "0.5306"
unit   = "kg CO2/kWh"
status = "official_quote"
source = "s"
factor = { id = "electricity.average", region = "CN", purpose = "consumption", on = 2023-06-01 }
"""
    reference = loaded(more=more).parameters[1].factor
    assert reference is not None
    assert reference.id == "electricity.average"


def test_it_keeps_a_broken_name_from_being_reported_twice() -> None:
    assert faults(('unit = "km"', 'unit = "furlong"')) == [("inputs.distance.unit", "unit.unknown")]


def test_it_finds_keys_behind_texts_of_several_lines() -> None:
    text = changed(
        ('"an issuer"', '"""several\nversion = 9\nlines"""'), ("version   = 1", "version   = 0")
    )
    with pytest.raises(DocumentFaults) as refused:
        load(text)
    assert [fault.line for fault in refused.value.faults] == [2]
