"""Phone numbers and networks as they are counted (手机号与网段): pure, and the same every time."""

import ipaddress
import re
import unicodedata
from typing import Final

_SPACING: Final = re.compile(r"[\s().-]+")
_CHINA: Final = re.compile(r"(?:\+86|0086|86)?(1[3-9][0-9]{9})")
_ABROAD: Final = re.compile(r"(?:\+|00)([1-9][0-9]{7,14})")
_CHINA_CODE: Final = "86"
IPV4_BITS: Final = 24
IPV6_BITS: Final = 64


def phone_of(text: str) -> str | None:
    """Write a phone number as E.164 does; a bare number is Chinese. ``None`` if it is none.

    >>> phone_of("138 0000 0000"), phone_of("+86-138-0000-0000"), phone_of("１３８００００００００")
    ('+8613800000000', '+8613800000000', '+8613800000000')
    >>> phone_of("+852 5123 4567"), phone_of("12345"), phone_of("+86 10 1234 5678")
    ('+85251234567', None, None)
    """
    digits = _SPACING.sub("", unicodedata.normalize("NFKC", text))
    if found := _CHINA.fullmatch(digits):
        return f"+{_CHINA_CODE}{found[1]}"
    found = _ABROAD.fullmatch(digits)
    if found is None or found[1].startswith(_CHINA_CODE):
        return None
    return f"+{found[1]}"


def network_of(address: str) -> str:
    """Give the network that an address is counted under: its /24, or its /64 where it is IPv6.

    >>> network_of("203.0.113.77"), network_of("::ffff:203.0.113.77"), network_of("2001:db8::1")
    ('203.0.113.0/24', '203.0.113.0/24', '2001:db8::/64')
    >>> network_of("unix")
    'unix'
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    bits = IPV4_BITS if found.version == 4 else IPV6_BITS  # noqa: PLR2004 -- of the protocol
    return str(ipaddress.ip_network((found, bits), strict=False))
