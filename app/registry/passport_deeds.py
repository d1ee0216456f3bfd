"""Passports, ratios and obligations are set by two of the desk (用途护照的设定)."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.scopes import Scope
from app.organisations import find_organisation
from app.organisations.registry import SORT
from app.registry.passport import sorts_as_json
from app.registry.passport_rules import UnitSort
from app.staff import Approval, Asking, Deed, Signing, ask, note_act
from app.staff.approvals import Payload
from ledger.certificate import Purpose

PASSPORT: Final = "registry.passport"
RATIO: Final = "registry.surrender_ratio"
OBLIGATION: Final = "registry.surrender_obligation"
_SET: Final = """
insert into purpose_passport (id, purpose, year, units, set_at) values (%s, %s, %s, %s, %s)"""
_SET_RATIO: Final = """
insert into surrender_ratio (id, year, ratio_permille, set_at) values (%s, %s, %s, %s)"""
_SET_OBLIGATION: Final = """
insert into surrender_obligation (id, year, organisation, obligation_kg, set_at)
values (%s, %s, %s, %s, %s)"""


def ask_passport(
    session: Session, asking: Asking, purpose: Purpose, year: int, sorts: Sequence[UnitSort]
) -> Approval:
    """Ask for a second signature under what may serve a purpose from a year on.

    Raises:
        ApprovalOpen: Another passport of this purpose and year awaits its signature.
    """
    payload = {"purpose": int(purpose), "year": year, "units": sorts_as_json(sorts)}
    of = f"{int(purpose)} {year}"
    return ask(session, asking, PASSPORT, of, payload, scope=Scope.MARKET_MANAGE)


def ask_ratio(session: Session, asking: Asking, year: int, ratio_permille: int) -> Approval:
    """Ask for a second signature under how much of a year's obligation units may meet.

    Raises:
        ApprovalOpen: Another ratio of this year awaits its signature.
    """
    payload = {"year": year, "ratio_permille": ratio_permille}
    return ask(session, asking, RATIO, str(year), payload, scope=Scope.MARKET_MANAGE)


def ask_obligation(
    session: Session, asking: Asking, year: int, organisation: str, obligation_kg: int
) -> Approval:
    """Ask for a second signature under what an organisation has to surrender for a year.

    Raises:
        OrganisationUnknown: There is none of this id.
        ApprovalOpen: Another obligation of it for this year awaits its signature.
    """
    find_organisation(session, SORT.firm_of(organisation))
    payload = {"year": year, "organisation": organisation, "obligation_kg": obligation_kg}
    of = f"{organisation} {year}"
    return ask(session, asking, OBLIGATION, of, payload, scope=Scope.MARKET_MANAGE)


def _set(session: Session, payload: Payload, signing: Signing) -> None:
    units = json.dumps(payload["units"])
    facts = (payload["purpose"], payload["year"], units)
    driver(session).execute(_SET, (signing.approval, *facts, signing.at))
    _note(session, PASSPORT, payload, signing, f"{payload['purpose']} {payload['year']}")


def _set_ratio(session: Session, payload: Payload, signing: Signing) -> None:
    facts = (payload["year"], payload["ratio_permille"])
    driver(session).execute(_SET_RATIO, (signing.approval, *facts, signing.at))
    _note(session, RATIO, payload, signing, str(payload["year"]))


def _set_obligation(session: Session, payload: Payload, signing: Signing) -> None:
    organisation = SORT.firm_of(payload["organisation"])
    facts = (payload["year"], organisation, payload["obligation_kg"])
    driver(session).execute(_SET_OBLIGATION, (signing.approval, *facts, signing.at))
    _note(session, OBLIGATION, payload, signing, f"{payload['organisation']} {payload['year']}")


def _note(session: Session, act: str, payload: Payload, signing: Signing, of: str) -> None:
    told = {name: value for name, value in payload.items() if isinstance(value, int)}
    note_act(session, signing.signed_by, act, of, at=signing.at, **told)


PASSPORT_DEEDS: Final[Mapping[str, Deed]] = {
    PASSPORT: _set,
    RATIO: _set_ratio,
    OBLIGATION: _set_obligation,
}
