"""What of a firm needs two people of the desk, and what one may do alone (单位的复核事项).

Whoever is a firm holds what is worth money; so one clerk alone makes none, gives no login back and
lets no suspended one in again. Suspending gives nobody anything, and must not wait: one is enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlmodel import Session

from app.firms.applications import Applications, NewFirm, Reach
from app.firms.people import FirmUser, People
from app.firms.register import Firm, Register
from app.firms.sort import Sort
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.kernel.tokens import PREFIXES, Principal
from app.staff import Approval, Asking, Deed, Signing, ask, note_act
from app.staff.approvals import Payload

WORKER: Final = "worker"
"""Who does in the log what nobody of the desk does."""

FirmT = TypeVar("FirmT", bound=Firm)
UserT = TypeVar("UserT", bound=FirmUser)
NewT = TypeVar("NewT", bound=NewFirm)


class Reasoned(NamedTuple):
    """Who of the desk acts, and why."""

    who: Principal
    reason: str


@dataclass(frozen=True, slots=True)
class Approved:
    """What a signed approval names."""

    application: UUID
    owner: UUID
    """The id that the first owner will have."""
    keys: Keys


@dataclass(frozen=True, slots=True)
class Firms(Generic[FirmT, UserT, NewT]):
    """The firms of one sort, their people and their applications, as the desk deals with them."""

    sort: Sort
    register: Register[FirmT]
    people: People[UserT]
    applications: Applications[NewT]

    def act(self, verb: str) -> str:
        """Name an act, as requests and the log have it."""
        return f"{self.sort.plural}.{verb}"

    def deeds(self) -> Mapping[str, Deed]:
        """Give what a second signature sets in motion, but for the approval."""
        return {
            self.act("refuse"): self._refuse,
            self.act("resume"): self._resume,
            self.act("reset"): self._reset,
            self.act("contact"): self._change_contact,
        }

    def suspend(self, session: Session, by: Reasoned, firm: UUID | None, *, at: datetime) -> None:
        """Stop a firm's logins, sessions and all that its people have open at once. Idempotent.

        Raises:
            Refusal: ``unknown``.
        """
        found = self.register.find(session, firm)
        if not self.register.suspend(session, found.id, at=at):
            return
        self.people.end_firm(session, found.id, at=at)
        act, name = self.act("suspend"), by.who.name
        note_act(session, name, act, found.public, at=at, reason=by.reason)

    def approved(self, payload: Payload, signing: Signing) -> Approved:
        """Read what a signed approval names."""
        assert signing.keys is not None, "an owner in the books needs a sealed secret"
        owner = _known(self.sort.user_of(payload["owner"]))
        return Approved(self._firm(payload), owner, signing.keys)

    def ask_approval(
        self, session: Session, asking: Asking, application: str, owner: UUID, terms: Payload
    ) -> Approval:
        """Ask for an application's approval; ``terms`` are what else the signer shall see.

        Raises:
            LoginTaken, ApprovalOpen: See their own words.
            Refusal: ``application_unknown``, ``application_decided``.
        """
        found = self.applications.open(session, self.sort.firm_of(application))
        self.people.refuse_taken(session, found.owner.login)
        shown = {"registration": found.firm.registration, "login": found.owner.login}
        first = public_id(PREFIXES[self.sort.kind], owner)
        return self.ask(session, asking, "approve", application, {"owner": first, **shown, **terms})

    def ask_refusal(self, session: Session, asking: Asking, application: str) -> Approval:
        """Ask that an application be refused.

        Raises:
            ApprovalOpen: See its own words.
            Refusal: ``application_unknown``, ``application_decided``.
        """
        self.applications.open(session, self.sort.firm_of(application))
        return self.ask(session, asking, "refuse", application, {})

    def ask_resumption(self, session: Session, asking: Asking, firm: str) -> Approval:
        """Ask that a suspended firm may work again.

        Raises:
            ApprovalOpen: See its own words.
            Refusal: ``unknown``, ``not_suspended``.
        """
        if self.register.find(session, self.sort.firm_of(firm)).suspended_at is None:
            raise self.sort.refusals.not_suspended
        return self.ask(session, asking, "resume", firm, {})

    def ask_reset(
        self, session: Session, asking: Asking, firm: str, user: str, enrolment: str
    ) -> Approval:
        """Ask that somebody of a firm may enrol anew.

        Raises:
            ApprovalOpen: See its own words.
            Refusal: ``unknown``, ``user_unknown``.
        """
        found = self.register.find(session, self.sort.firm_of(firm))
        named = self.people.find(session, found.id, self.sort.user_of(user)).public
        facts = {self.sort.kind: found.public, "user": named, "enrolment": enrolment}
        act = self.act("reset")
        return ask(session, asking, act, named, facts, scope=self.sort.manage)

    def ask_contact(
        self, session: Session, asking: Asking, keys: Keys, firm: str, reach: Reach
    ) -> Approval:
        """Ask for another contact and bank account; the request names them by a digest alone.

        Raises:
            ApprovalOpen: See its own words.
            Refusal: ``unknown``, ``application_unknown``.
        """
        found = self.register.find(session, self.sort.firm_of(firm))
        digest = self.applications.wish(session, keys, found.id, reach)
        return self.ask(session, asking, "contact", found.public, {"sha256": digest})

    def lapse(self, session: Session, *, before: datetime, at: datetime) -> int:
        """Refuse the applications that nobody decided; gives how many. Resumable."""
        lapsed = self.applications.lapse(session, before=before, at=at)
        for each in lapsed:
            note_act(session, WORKER, self.act("lapse"), self.sort.named(each), at=at)
        return len(lapsed)

    def ask(
        self, session: Session, asking: Asking, verb: str, firm: str, facts: Payload
    ) -> Approval:
        """Ask for a second signature about one firm, whose id the caller has looked up.

        Raises:
            ApprovalOpen: See its own words.
        """
        payload = {self.sort.kind: firm, **facts}
        return ask(session, asking, self.act(verb), firm, payload, scope=self.sort.manage)

    def _refuse(self, session: Session, payload: Payload, signing: Signing) -> None:
        self.applications.refuse(session, self._firm(payload), at=signing.at)

    def _resume(self, session: Session, payload: Payload, _signing: Signing) -> None:
        self.register.resume(session, self._firm(payload))

    def _change_contact(self, session: Session, payload: Payload, _signing: Signing) -> None:
        self.applications.grant(session, self._firm(payload), payload["sha256"])

    def _reset(self, session: Session, payload: Payload, signing: Signing) -> None:
        user = self.people.find(session, self._firm(payload), self.sort.user_of(payload["user"]))
        self.people.reset(session, user, bytes.fromhex(payload["enrolment"]), at=signing.at)

    def _firm(self, payload: Payload) -> UUID:
        return _known(self.sort.firm_of(payload[self.sort.kind]))


def _known(found: UUID | None) -> UUID:
    assert found is not None, "a request names what was looked up when it was asked"
    return found
