"""Public ids: round trip, order, and nothing else read as one."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.kernel.ids import ALPHABET, DIGITS, new_id, parse_public_id, public_id

PREFIXES = st.sampled_from(["act", "bat", "req", "cit"])


@given(PREFIXES, st.uuids())
def test_an_id_comes_back_as_it_went(prefix: str, value: UUID) -> None:
    assert parse_public_id(prefix, public_id(prefix, value)) == value


@given(st.uuids(), st.uuids())
def test_ids_sort_as_their_values_do(one: UUID, other: UUID) -> None:
    assert (public_id("act", one) < public_id("act", other)) == (one < other)


@given(PREFIXES, st.text(max_size=40))
def test_whatever_is_read_is_spelt_in_one_way(prefix: str, text: str) -> None:
    found = parse_public_id(prefix, text)
    assert found is None or public_id(prefix, found) == text


@given(st.text(alphabet=ALPHABET, min_size=DIGITS, max_size=DIGITS))
def test_digits_past_128_bits_are_no_id(digits: str) -> None:
    found = parse_public_id("act", f"act_{digits}")
    assert (found is None) == (digits[0] > "7")


def test_another_prefix_case_or_length_is_no_id() -> None:
    text = public_id("act", new_id())
    assert parse_public_id("bat", text) is None
    assert parse_public_id("act", text.upper()) is None
    assert parse_public_id("act", text + "0") is None
    assert parse_public_id("act", text[:-1]) is None
    assert parse_public_id("act", f"act_{'٠' * DIGITS}") is None


def test_new_ids_are_version_7_and_ordered() -> None:
    made = [new_id() for _ in range(1000)]
    assert {each.version for each in made} == {7}
    assert made == sorted(made)
    assert len(set(made)) == 1000
