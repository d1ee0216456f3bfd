"""What may be sent, to whom, where, and when again (规则): values in, values out."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

OPERATOR: Final = "operator"
"""Owner of the operator's own endpoints."""


def merchant_owner(merchant: UUID) -> str:
    """Name a merchant as the owner of endpoints and messages."""
    return f"merchant:{merchant}"


def partner_owner(partner: UUID) -> str:
    """Name a partner likewise."""
    return f"partner:{partner}"


def organisation_owner(organisation: UUID) -> str:
    """Name an organisation likewise."""
    return f"organisation:{organisation}"


class NewsKind(StrEnum):
    """What there is to tell."""

    VOUCHER_REDEEMED = "voucher.redeemed"
    VOUCHER_REVERSED = "voucher.reversed"
    SETTLEMENT_CLOSED = "settlement.closed"
    OFFER_APPROVED = "offer.approved"
    OFFER_REFUSED = "offer.refused"
    POINTS_EXPIRING = "points.expiring"
    """How many points of the city end on a day; nobody's in particular."""
    BUDGET_LOW = "budget.low"
    PURCHASE_PAID = "purchase.paid"
    """The buyer has the units, or they are retired for it; the seller has sold them."""
    PURCHASE_EXPIRED = "purchase.expired"
    RESERVATION_ENDED = "reservation.ended"
    """What a gathering had set aside is its organisation's again: its day is over."""
    RECALL_OPENED = "recall.opened"
    """Units that somebody holds or used stand for nothing; what is done about it is public."""
    PING = "webhook.ping"
    """Sent when the owner asks for it, whatever else the endpoint is told."""


MERCHANT_NEWS: Final = frozenset(
    {
        NewsKind.VOUCHER_REDEEMED,
        NewsKind.VOUCHER_REVERSED,
        NewsKind.SETTLEMENT_CLOSED,
        NewsKind.OFFER_APPROVED,
        NewsKind.OFFER_REFUSED,
    }
)
NEWS: Final[Mapping[str, frozenset[NewsKind]]] = MappingProxyType(
    {
        "merchant": MERCHANT_NEWS,
        "organisation": frozenset(
            {
                NewsKind.PURCHASE_PAID,
                NewsKind.PURCHASE_EXPIRED,
                NewsKind.RESERVATION_ENDED,
                NewsKind.RECALL_OPENED,
            }
        ),
        "partner": frozenset({NewsKind.POINTS_EXPIRING}),
        "operator": frozenset({NewsKind.POINTS_EXPIRING, NewsKind.BUDGET_LOW}),
    }
)
"""What each kind of owner may be told."""

WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Between tries; after the last of them a delivery has failed."""
JITTER_PERMILLE: Final = 200
"""By how much a wait may be longer, so that what failed together does not come back together."""


def next_try(step: int, jitter_permille: int, *, at: datetime) -> datetime | None:
    """Say when to try again after the try number ``step``, counted from 0; None: not again.

    >>> next_try(1, 100, at=datetime(2026, 1, 1)).isoformat()
    '2026-01-01T00:05:30'
    >>> next_try(9, 0, at=datetime(2026, 1, 1)) is None
    True
    """
    if step >= len(WAITS):
        return None
    return at + WAITS[step] * (1000 + jitter_permille) / 1000


class Reach(NamedTuple):
    """How far messages may go in this deployment."""

    plain: bool = False
    """Over HTTP without TLS, too."""
    loopback: bool = False
    """To this machine, at any port; for development and tests."""


class Target(NamedTuple):
    """Where a message goes."""

    is_plain: bool
    host: str
    port: int
    path: str
    """And the query."""


URL_MAX: Final = 500
TLS_PORTS: Final = frozenset({443, 8443})
PLAIN_PORTS: Final = frozenset({80, 8080})
_URL: Final = re.compile(r"https?://[\x21-\x7e]+")
_NAME: Final = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
)
_OTHERS: Final = (
    ip_network("168.63.129.16/32"),  # a cloud's own service, at an address that looks public
    ip_network("192.88.99.0/24"),  # relays of 6to4, which lead into it
    ip_network("64:ff9b::/96"),  # NAT64, 6to4 and Teredo carry any IPv4 address, private ones too
    ip_network("2002::/16"),
    ip_network("2001::/32"),
)
"""Not everybody's, though the registries call them global."""


def read_url(text: str, reach: Reach) -> Target | None:
    """Read where an endpoint is; None, where messages may not go.

    A name is judged again by what it resolves to, each time that something is sent.

    >>> read_url("https://shop.example/hook?a=1", Reach())
    Target(is_plain=False, host='shop.example', port=443, path='/hook?a=1')
    >>> read_url("http://shop.example/", Reach()), read_url("https://127.1/", Reach())
    (None, None)
    """
    if len(text) > URL_MAX or not _URL.fullmatch(text) or "#" in text or "\\" in text:
        return None
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or ""), parts.port
    except ValueError:
        return None
    is_plain = parts.scheme == "http"
    port = port or (80 if is_plain else 443)
    if "@" in parts.netloc or not _is_host(host, reach) or (is_plain and not reach.plain):
        return None
    if not reach.loopback and port not in (PLAIN_PORTS if is_plain else TLS_PORTS):
        return None
    query = f"?{parts.query}" if parts.query else ""
    return Target(is_plain, host, port, (parts.path or "/") + query)


def may_reach(address: str, reach: Reach) -> bool:
    """Say whether messages may go to an address: one that means the same to everybody.

    >>> [may_reach(each, Reach()) for each in ("1.1.1.1", "10.0.0.1", "169.254.169.254")]
    [True, False, False]
    >>> may_reach("::ffff:1.1.1.1", Reach()), may_reach("127.0.0.1", Reach(loopback=True))
    (False, True)
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if found.is_loopback:
        return reach.loopback
    if isinstance(found, IPv6Address) and (found.ipv4_mapped is not None or found.is_site_local):
        return False
    strange = found.is_multicast or found.is_reserved or found.is_unspecified or found.is_link_local
    return found.is_global and not strange and not any(found in each for each in _OTHERS)


def _is_host(host: str, reach: Reach) -> bool:
    """Say whether this is a name, or an address as everybody writes it that may be reached."""
    try:
        ip_address(host)
    except ValueError:
        return _NAME.fullmatch(host) is not None
    return may_reach(host, reach)
