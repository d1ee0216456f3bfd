"""What a second signature does for a partner (合作机构的复核事项).

The regulator signs: what a partner's machine may read is the regulator's to show.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.ids import parse_public_id
from app.kernel.scopes import Scope
from app.partners.registry import Partner, PartnerKey, add_partner, rotate_key
from app.staff import Deed, Signing
from app.staff.approvals import Payload

ADMIT: Final = "partners.admit"
ROTATE: Final = "partners.rotate"


def admit(session: Session, payload: Payload, signing: Signing) -> None:
    """Open a partner with its first key."""
    scopes = frozenset(map(Scope, payload["scopes"]))
    partner = Partner(_id(payload), payload["name"], scopes, signing.at)
    add_partner(session, partner, _key(payload, signing))


def rotate(session: Session, payload: Payload, signing: Signing) -> None:
    """Put a key in force, and let the others end after the overlap."""
    old_until = signing.at + timedelta(hours=payload["overlap_hours"])
    rotate_key(session, _id(payload), _key(payload, signing), old_until=old_until)


def _key(payload: Payload, signing: Signing) -> PartnerKey:
    der = bytes.fromhex(payload["public_key"])
    return PartnerKey(payload["kid"], payload["algorithm"], der, signing.at)


def _id(payload: Payload) -> UUID:
    found = parse_public_id("par", payload["partner"])
    assert found is not None, payload
    return found


DEEDS: Final[Mapping[str, Deed]] = {ADMIT: admit, ROTATE: rotate}
