"""Phone numbers and networks: however they are written, one person is counted as one."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.citizens.rules import phone_of
from app.kernel.limits import network_of

MOBILE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
PREFIX = st.sampled_from(["", "+86", "86", "0086", "+86 ", "+86-", "(+86) "])
SPACE = st.sampled_from(["", " ", "-", ".", "  "])


@given(MOBILE, PREFIX, SPACE, SPACE)
def test_a_number_is_the_same_however_it_is_written(
    mobile: str, prefix: str, one: str, other: str
) -> None:
    text = f"{prefix}{mobile[:3]}{one}{mobile[3:7]}{other}{mobile[7:]}"
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in text)
    assert phone_of(text) == phone_of(wide) == f"+86{mobile}"


@given(st.text(max_size=32))
def test_what_comes_out_is_e164_and_comes_out_again(text: str) -> None:
    found = phone_of(text)
    if found is not None:
        assert found[0] == "+"
        assert found[1:].isascii()
        assert found[1:].isdigit()
        assert 8 <= len(found[1:]) <= 15
        assert phone_of(found) == found


@pytest.mark.parametrize(
    "text",
    [
        *["", "+", "+86", "1", "12800000000", "1380000000", "138000000000", "13800000000a"],
        *["+8612345678901", "+86138000000000", "+0123456789", "+1234567", "+1234567890123456"],
        "٠١٣٨٠٠٠٠٠٠٠",
    ],
)
def test_what_is_no_mobile_number(text: str) -> None:
    assert phone_of(text) is None


def test_numbers_of_other_countries_are_kept() -> None:
    assert phone_of("+1 (415) 555-0100") == "+14155550100"
    assert phone_of("00852 5123 4567") == "+85251234567"


def test_a_trunk_prefix_in_parentheses_makes_no_second_person() -> None:
    assert phone_of("+44 (0)7911 123456") == phone_of("+44 7911 123456") == "+447911123456"
    assert phone_of("+86 (0)138 0000 0000") == "+8613800000000"


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_a_network_has_256_neighbours(one: ipaddress.IPv4Address, other: object) -> None:
    assert network_of(str(one)) == network_of(f"::ffff:{one}")
    same = int(one) >> 8 == int(ipaddress.IPv4Address(str(other))) >> 8
    assert (network_of(str(one)) == network_of(str(other))) == same


@given(st.ip_addresses(v=6))
def test_an_ipv6_household_is_one(address: ipaddress.IPv6Address) -> None:
    if address.ipv4_mapped is None:
        other = ipaddress.IPv6Address(int(address) ^ (2**63 + 1))
        assert network_of(str(address)) == network_of(str(other))
