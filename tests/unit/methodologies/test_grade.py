"""Grades are computed from document, sign-offs, approval and evidence, and from nothing else."""

from datetime import date, timedelta

import pytest

from methodologies import (
    Approval,
    Document,
    Evidence,
    Grade,
    ParameterMissing,
    SignOff,
    accrues,
    assess,
    grade,
)

from .documents import loaded

DAY = date(2026, 6, 1)
QUOTED = ('"official_text"', '"official_quote"')
APPROVED = Approval(
    scenario="xx-metro", valid_from=date(2026, 1, 1), valid_until=date(2026, 12, 31)
)
PARAMETER = """
[parameters.base]
value  = "5"
unit   = "g/pkm"
status = "{}"
source = "s"
"""


def signed(document: Document, *reviewers: str) -> list[SignOff]:
    on = date(2026, 1, 2)
    return [SignOff(reviewer=who, sha256=document.sha256, signed_on=on) for who in reviewers]


def test_official_text_in_an_approved_scenario_is_a() -> None:
    found = assess(loaded(), approval=APPROVED, on=DAY)
    assert (found.grade, found.why) == (Grade.A, ())


def test_a_quote_needs_two_reviewers_of_this_very_text() -> None:
    document, other = loaded(QUOTED), loaded(QUOTED, ('"31.7"', '"31.8"'))
    two = signed(document, "An", "Bo")
    cases: list[tuple[list[SignOff], Grade]] = [
        (two, Grade.A),
        (two[:1], Grade.B),
        ([], Grade.B),
        (signed(document, "An", " an "), Grade.B),
        (signed(document, "An", " "), Grade.B),
        (signed(other, "An", "Bo"), Grade.B),
    ]
    for sign_offs, expected in cases:
        assert grade(document, sign_offs=sign_offs, approval=APPROVED, on=DAY) is expected


def test_a_sign_off_holds_from_its_day_until_it_is_withdrawn() -> None:
    document = loaded(QUOTED)
    first, second = signed(document, "An", "Bo")
    withdrawn = SignOff(
        reviewer="Bo", sha256=document.sha256, signed_on=second.signed_on, withdrawn_on=DAY
    )
    grades = [
        grade(document, sign_offs=[first, withdrawn], approval=APPROVED, on=day)
        for day in (date(2026, 1, 1), date(2026, 1, 2), DAY - timedelta(1), DAY)
    ]
    assert grades == [Grade.B, Grade.A, Grade.A, Grade.B]


def test_an_approval_must_cover_the_day_and_the_scenario() -> None:
    document = loaded()
    elsewhere = Approval(
        scenario="other", valid_from=APPROVED.valid_from, valid_until=APPROVED.valid_until
    )
    assert grade(document, on=DAY) is Grade.B
    assert grade(document, approval=elsewhere, on=DAY) is Grade.B
    assert grade(document, approval=APPROVED, on=date(2026, 12, 31)) is Grade.A
    assert grade(document, approval=APPROVED, on=date(2027, 1, 1)) is Grade.B


def test_nothing_accrues_once_an_approval_has_ended() -> None:
    assert accrues(None, DAY)
    assert accrues(APPROVED, DAY)
    assert not accrues(APPROVED, date(2027, 1, 1))
    assert not accrues(APPROVED, date(2025, 12, 31))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("official_text", Grade.A),
        ("official_quote", Grade.A),
        ("published", Grade.B),
        ("secondary", Grade.C),
    ],
)
def test_the_weakest_number_decides(status: str, expected: Grade) -> None:
    more = PARAMETER.format(status)
    document = loaded(("passenger * saving", "passenger * (saving - base)"), more=more)
    sign_offs = signed(document, "An", "Bo")
    assert grade(document, sign_offs=sign_offs, approval=APPROVED, on=DAY) is expected


def test_a_row_of_a_table_counts_as_a_number() -> None:
    more = """
[inputs.kind]
options = ["a"]
[tables.t]
by = "kind"
unit = "1"
rows.a = { value = "1", status = "secondary", source = "s" }
"""
    found = assess(loaded(("passenger *", "passenger * t *"), more=more), on=DAY)
    assert found.grade is Grade.C
    assert found.why == ("source.secondary:t.a",)


def test_a_missing_number_has_no_grade_and_a_missing_clause_is_b() -> None:
    refuses = loaded(('value  = "31.7"\n', ""), ('"official_text"', '"missing"'))
    assert assess(refuses, on=DAY).grade is None
    with pytest.raises(ParameterMissing, match="saving") as refused:
        grade(refuses, on=DAY)
    assert refused.value.parameters == ("saving",)
    clause = """
[clauses.period]
status = "missing"
source = "looked for"
text = { zh = "计入期", en = "crediting period" }
"""
    found = assess(loaded(more=clause), approval=APPROVED, on=DAY)
    assert (found.grade, found.why) == (Grade.B, ("source.missing:period",))


def test_a_declaration_is_never_a() -> None:
    document = loaded()
    for evidence, expected in [
        (Evidence.PROVIDER_MEASURED, Grade.A),
        (Evidence.DOCUMENT_PROVED, Grade.A),
        (Evidence.SELF_DECLARED, Grade.B),
    ]:
        assert grade(document, approval=APPROVED, evidence=evidence, on=DAY) is expected


def test_evidence_below_what_grade_b_asks_for_is_c() -> None:
    document = loaded(more='\n[evidence]\ngrade_b = ["document_proved"]\n')
    assert grade(document, evidence=Evidence.DOCUMENT_PROVED, on=DAY) is Grade.B
    assert grade(document, evidence=Evidence.PROVIDER_MEASURED, on=DAY) is Grade.C


def test_behaviours_and_proposals_of_ours_are_never_a() -> None:
    for change in [
        ('"scenario"', '"behaviour"'),
        ("version   = 1", "version = 1\nproposal = true"),
    ]:
        assert grade(loaded(change), approval=APPROVED, on=DAY) is Grade.B
    assert grade(loaded(('"scenario"', '"project"')), approval=APPROVED, on=DAY) is Grade.A


def test_a_document_may_lower_its_own_grade() -> None:
    for ceiling, expected in [("A", Grade.A), ("B", Grade.B), ("C", Grade.C)]:
        more = f'\n[[ceilings]]\ngrade = "{ceiling}"\nreason = {{ zh = "因", en = "why" }}\n'
        assert grade(loaded(more=more), approval=APPROVED, on=DAY) is expected


def test_comparing_with_the_own_history_by_the_day_or_by_our_proposal_is_c() -> None:
    more = """
[inputs.expected]
unit = "kWh"
max = "100"
[inputs.used]
unit = "kWh"
max = "100"
[history]
window_days = 7
expected = "expected"
used = "used"
"""
    month = ("version   = 1", 'version = 1\nsettlement = "billing_month"')
    day = ("version   = 1", 'version = 1\nsettlement = "day"')
    ours = ("version   = 1", 'version = 1\nproposal = true\nsettlement = "billing_month"')
    grades = [grade(loaded(c, more=more), approval=APPROVED, on=DAY) for c in (month, day, ours)]
    assert grades == [Grade.A, Grade.C, Grade.C]
