"""The way in (登录入口): what happens between a request and the commands, network included.

Whether a number has a citizen is looked up only once its code was right: until then every number
is answered alike, by the same statements.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from sqlmodel import Session

from app.citizens.codes import (
    DIGITS,
    LIFETIME,
    NETWORK_HOUR,
    TRIES_HOUR,
    Attempt,
    keep_code,
    use_code,
    uses_of,
)
from app.citizens.consents import Citizen
from app.citizens.errors import CodeWrong, IdentityOff
from app.citizens.identities import IdentityProvider, Subject
from app.citizens.logins import link_login, log_in
from app.citizens.schemas import ByCode, CodeGrant, LoginIn, TokensIn
from app.citizens.sms import SmsProvider
from app.kernel.db import Database
from app.kernel.ids import new_id, parse_public_id
from app.kernel.limits import Left, Limits
from app.kernel.secrets import SIZE_BYTES, Keys
from app.sessions import Granted, open_session

ALARM_PART: Final = 5
"""The last fifth of the city's codes an hour is worth waking somebody for."""
NO_CHALLENGE: Final = UUID(int=0)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """A code that is on its way."""

    challenge: UUID
    ends_at: datetime
    left: Left
    """Of what the caller's network may ask for."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """What one request to log in stands on."""

    db: Database
    keys: Keys
    limits: Limits
    sms: SmsProvider
    wechat: IdentityProvider | None
    city_most: int
    network: str
    """The caller's, as it is counted."""

    def ask_code(self, phone: str, device: str, *, at: datetime) -> Asked:
        """Send a code to a phone, within every limit.

        Raises:
            LimitExceeded: Of the number, the device, the network or the city.
            SmsAway: The message was not taken over; what it took of the limits stays taken.
        """
        subject = Subject("phone", phone)
        uses = uses_of(self.keys, subject, device, self.network, self.city_most)
        *_, network, city = self.limits.take(uses, at=at)
        _alarm(city)
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        attempt = Attempt(new_id(), device, code)
        ends_at = self.db.transact(keep_code, self.keys, subject, attempt, at=at)
        self.sms.send(phone, code, minutes=int(LIFETIME.total_seconds()) // 60)
        assert network.limit == NETWORK_HOUR, network
        return Asked(attempt.challenge, ends_at, network)

    def enter(self, grant: TokensIn, *, at: datetime) -> Granted:
        """Log in, on one device.

        Raises:
            LimitExceeded: Too many tries from this network.
            CodeWrong, LoginUnknown, LoginLeaving: See their own words.
            IdentityRefused, IdentityAway, IdentityOff: See their own words.
        """
        self._count_try(at)
        family, secret = new_id(), secrets.token_bytes(SIZE_BYTES)

        def opened(session: Session, subject: Subject, *, may_open: bool) -> Granted:
            who = log_in(session, self.keys, subject, may_open=may_open, at=at)
            label = grant.label
            return open_session(session, who, label=label, family=family, secret=secret, at=at)

        def by_code(session: Session, attempt: Attempt) -> Granted | None:
            subject = use_code(session, self.keys, attempt, at=at)
            return None if subject is None else opened(session, subject, may_open=True)

        if isinstance(grant, CodeGrant):
            granted = self.db.transact(by_code, _attempt(grant))
        else:
            subject = self._vouched(grant.code)
            granted = self.db.transact(opened, subject, may_open=grant.open)
        if granted is None:
            raise CodeWrong
        return granted

    def link(self, citizen: Citizen, login: LoginIn, *, at: datetime) -> bool:
        """Give a citizen who is logged in one more way in; says whether it is new.

        A code for a number that is somebody else's stays good, to log in with as that person.

        Raises:
            LimitExceeded: Too many tries from this network.
            LoginTaken, LoginHeld: See their own words.
            CodeWrong, IdentityRefused, IdentityAway, IdentityOff: See their own words.
        """
        self._count_try(at)

        def by_code(session: Session, attempt: Attempt) -> bool | None:
            subject = use_code(session, self.keys, attempt, at=at)
            if subject is None:
                return None
            return link_login(session, self.keys, citizen, subject, at=at)

        if isinstance(login, ByCode):
            linked = self.db.transact(by_code, _attempt(login))
        else:
            subject = self._vouched(login.code)
            linked = self.db.transact(link_login, self.keys, citizen, subject, at=at)
        if linked is None:
            raise CodeWrong
        return linked

    def _count_try(self, at: datetime) -> None:
        network = self.keys.login_hash("network", self.network.encode())
        self.limits.take([(TRIES_HOUR, network)], at=at)

    def _vouched(self, code: str) -> Subject:
        if self.wechat is None:
            raise IdentityOff
        return self.wechat.exchange(code)


def _attempt(shown: ByCode) -> Attempt:
    """Read what was shown; a challenge of another form is one that does not exist."""
    challenge = parse_public_id("chl", shown.challenge)
    return Attempt(challenge or NO_CHALLENGE, shown.device, shown.code)


def _alarm(city: Left) -> None:
    if city.remaining == 0:
        log.error("the city's codes for this hour are spent", most=city.limit.most)
    elif city.remaining == city.limit.most // ALARM_PART:
        log.warning("the city's codes for this hour run out", remaining=city.remaining)
