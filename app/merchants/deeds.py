"""What of a merchant needs two people of the desk (商户的复核事项): as a firm's, and its terms."""

from collections.abc import Mapping
from typing import Final

from sqlmodel import Session

from app.firms.deeds import Firms
from app.merchants.applications import APPLICATIONS, approve
from app.merchants.people import PEOPLE
from app.merchants.registry import MERCHANTS, SORT, Terms, change_terms
from app.staff import Deed, Signing
from app.staff.approvals import Payload

FIRMS: Final = Firms(SORT, MERCHANTS, PEOPLE, APPLICATIONS)
suspend = FIRMS.suspend


def _approve(session: Session, payload: Payload, signing: Signing) -> None:
    of = FIRMS.approved(payload, signing)
    approve(session, of.keys, of.application, _terms(payload), owner=of.owner, at=signing.at)


def _change_terms(session: Session, payload: Payload, _signing: Signing) -> None:
    merchant = SORT.firm_of(payload["merchant"])
    assert merchant is not None, payload
    change_terms(session, merchant, _terms(payload))


def _terms(payload: Payload) -> Terms:
    return Terms(int(payload["fee_permille"]), int(payload["offline_cap_points"]))


DEEDS: Final[Mapping[str, Deed]] = {
    FIRMS.act("approve"): _approve,
    FIRMS.act("terms"): _change_terms,
    **FIRMS.deeds(),
}
