"""Terms (兑换率与奖励): what a gram or a behaviour is worth of a budget, set by two people.

Money comes in by two signatures, and terms say who gets it: one clerk who could let a milligram
be a point would empty what two had filled.
"""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import parse_public_id
from app.kernel.scopes import Scope
from app.points.errors import NotSimulated, TermsInPast
from app.points.programmes import Rate, Reward, find_programme, set_rate, set_reward
from app.staff import Approval, Asking, Deed, Signing, ask, note_act
from app.staff.approvals import Payload

RATE: Final = "programmes.set_rate"
REWARD: Final = "programmes.set_reward"


_SIMULATED: Final = """
select s.candidate, o.digest
  from campaign_simulation s
  join campaign_outcome o on o.simulation = s.id
  join programme p on p.id = s.programme
 where s.id = %s and p.code = %s"""


def ask_terms(
    session: Session,
    asking: Asking,
    code: str,
    terms: Rate | Reward,
    simulation: str | None = None,
) -> Approval:
    """Ask for a second signature under a rate or a reward, which may name how it was tried.

    Raises:
        ProgrammeUnknown, TermsInPast, NotSimulated: See their own words.
        ApprovalOpen: The same terms of this programme await their signature.
    """
    find_programme(session, code)
    if terms.valid_from < day_of(asking.at):
        raise TermsInPast
    told: dict[str, Any] = {
        name: value
        for name, value in terms._asdict().items()
        if value is not None and (name, value) != ("from_mg", 0)
    }
    payload = {"programme": code, **told, "valid_from": terms.valid_from.isoformat()}
    if simulation is not None:
        payload |= {"simulation": simulation, "sha256": _digest(session, code, terms, simulation)}
    act, of = (
        (RATE, f"{terms.grade} {terms.field or 'any'}{_tier(terms)}")
        if isinstance(terms, Rate)
        else (REWARD, terms.methodology)
    )
    return ask(session, asking, act, f"{code} {of}", payload, scope=Scope.PROGRAMMES_MANAGE)


def _digest(session: Session, code: str, terms: Rate | Reward, simulation: str) -> str:
    """Give the digest of a finished simulation that tried exactly these terms."""
    facts = (parse_public_id("sim", simulation), code)
    row = driver(session).execute(_SIMULATED, facts).fetchone()
    if row is None:
        raise NotSimulated
    wanted = {
        name: value for name, value in terms._asdict().items() if not name.startswith("valid")
    }
    if wanted not in json.loads(row[0])["rates" if isinstance(terms, Rate) else "rewards"]:
        raise NotSimulated
    return row[1].hex()


def _set_rate(session: Session, payload: Payload, signing: Signing) -> None:
    programme = find_programme(session, payload["programme"])
    rate = Rate(
        *(payload["grade"], payload.get("field"), payload["mg_per_point"], _first(payload)),
        from_mg=payload.get("from_mg", 0),
    )
    set_rate(session, programme, rate, today=day_of(signing.at))
    _note(session, RATE, payload, signing)


def _set_reward(session: Session, payload: Payload, signing: Signing) -> None:
    programme = find_programme(session, payload["programme"])
    reward = Reward(
        payload["methodology"],
        payload["points"],
        payload.get("person_day_points"),
        payload.get("budget_day_points"),
        _first(payload),
    )
    set_reward(session, programme, reward, today=day_of(signing.at))
    _note(session, REWARD, payload, signing)


def _tier(rate: Rate) -> str:
    return f" from {rate.from_mg} mg" if rate.from_mg else ""


def _first(payload: Payload) -> date:
    return date.fromisoformat(payload["valid_from"])


def _note(session: Session, act: str, payload: Payload, signing: Signing) -> None:
    told = {name: value for name, value in payload.items() if name != "programme"}
    note_act(session, signing.signed_by, act, payload["programme"], at=signing.at, **told)


DEEDS: Final[Mapping[str, Deed]] = {RATE: _set_rate, REWARD: _set_reward}
