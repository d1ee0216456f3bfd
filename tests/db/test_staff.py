"""Clerks (工作人员): one enrolment, a login that guessing does not open, who signs for whom."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlmodel import Session

from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.scopes import Role, Scope, scopes_of
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.sessions import Granted, open_session, refresh
from app.sessions.refresh_tokens import SECRET_BYTES
from app.staff import DEEDS, Approval, Asking, clerk_scopes, sign
from app.staff.asking import ask_admission, ask_change
from app.staff.clerks import Clerk, allowed_roles, clerk_named, clerks, find_clerk
from app.staff.credentials import STEP_S, commitment, new_enrolment, new_totp
from app.staff.deeds import RESET, ROLES, SUSPEND, principal_of
from app.staff.errors import (
    ClerkChanged,
    ClerkUnknown,
    EnrolmentInvalid,
    LoginRefused,
    LoginTaken,
    PasswordWeak,
    RolesConflict,
)
from app.staff.login import admit, check_login, count_try, enrol
from tests.support.clerks import PASSWORD, Enrolled, admitted, enrolled, later, principal

AT = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
GUESSERS = 12
OPERATOR, REGULATOR = principal(Role.OPERATOR), principal(Role.REGULATOR)


def log_in(
    db: Database, keys: Keys, login: str, password: str, code: str, *, at: datetime
) -> Clerk:
    attempt, step = check_login(db, keys, login, password, code, at=at)
    return db.transact(admit, attempt, step, at=at)


@pytest.fixture
def an(db: Database, keys: Keys) -> Enrolled:
    """A clerk with a password and an authenticator."""
    return enrolled(db, keys, "an.li", Role.OPERATOR, at=AT)


def rows(db: Database, query: str) -> list[tuple[Any, ...]]:
    return db.read(lambda session: driver(session).execute(query.encode()).fetchall())


class TestEnrolment:
    """One secret, which only the clerk knows."""

    def test_the_secret_opens_once_until_the_first_login(self, db: Database, keys: Keys) -> None:
        _, secret = admitted(db, "an.li", Role.EXPERT, at=AT)
        lost, kept = new_totp(), new_totp()
        enrol(db, keys, "an.li", secret, PASSWORD, lost, at=AT)
        enrol(db, keys, "an.li", secret, PASSWORD, kept, at=AT)
        an = Enrolled(clerk_named_(db, "an.li"), kept)
        assert log_in(db, keys, "an.li", PASSWORD, an.code(AT), at=AT) == an.clerk
        with pytest.raises(EnrolmentInvalid):
            enrol(db, keys, "an.li", secret, PASSWORD, new_totp(), at=AT)

    @pytest.mark.parametrize(
        ("login", "hours", "is_right"),
        [("an.li", 72, True), ("an.li", 0, False), ("bo.li", 0, True), ("no.one", 0, True)],
    )
    def test_wrong_secret_time_or_login_is_one_refusal(
        self, db: Database, keys: Keys, login: str, hours: int, *, is_right: bool
    ) -> None:
        _, secret = admitted(db, "an.li", Role.EXPERT, at=AT)
        admitted(db, "bo.li", Role.EXPERT, at=AT)
        shown = secret if is_right else new_enrolment()
        at = AT + timedelta(hours=hours)
        with pytest.raises(EnrolmentInvalid):
            enrol(db, keys, login, shown, PASSWORD, new_totp(), at=at)

    @pytest.mark.parametrize("password", ["short", "a" * 40, "an.li and his dog", "x" * 201])
    def test_a_weak_password_is_refused(self, db: Database, keys: Keys, password: str) -> None:
        _, secret = admitted(db, "an.li", Role.EXPERT, at=AT)
        with pytest.raises(PasswordWeak):
            enrol(db, keys, "an.li", secret, password, new_totp(), at=AT)

    def test_the_database_holds_nothing_that_opens_it(self, an: Enrolled, db: Database) -> None:
        stored = repr(rows(db, "select k::text, password, totp from clerk_credential k"))
        assert PASSWORD not in stored
        assert an.totp.hex() not in stored
        assert repr(an.totp) not in stored


class TestLogin:
    """Password and code, each code once, and few tries."""

    def test_right_is_let_in(self, db: Database, keys: Keys, an: Enrolled) -> None:
        assert log_in(db, keys, "an.li", PASSWORD, an.code(AT), at=AT) == an.clerk
        acts = rows(db, "select actor, act from audit_entry order by number")
        assert acts == [(an.clerk.public, "staff.enrol"), (an.clerk.public, "staff.log_in")]

    def test_a_code_is_used_up_and_so_are_those_before_it(
        self, db: Database, keys: Keys, an: Enrolled
    ) -> None:
        log_in(db, keys, "an.li", PASSWORD, an.code(AT), at=AT)
        for code in (an.code(AT), an.code(AT, steps=-1)):
            with pytest.raises(LoginRefused):
                log_in(db, keys, "an.li", PASSWORD, code, at=AT)
        log_in(db, keys, "an.li", PASSWORD, an.code(AT, steps=1), at=AT)

    def test_one_code_shown_by_many_at_once_lets_one_in(
        self, db: Database, keys: Keys, an: Enrolled
    ) -> None:
        """As whoever watched the clerk type would do."""
        tries, start = 4, Barrier(4)

        def one(_: int) -> bool:
            start.wait(timeout=30)
            try:
                log_in(db, keys, "an.li", PASSWORD, an.code(AT), at=AT)
            except LoginRefused:
                return False
            return True

        with ThreadPoolExecutor(tries) as pool:
            assert sum(pool.map(one, range(tries))) == 1

    @pytest.mark.parametrize(
        ("login", "password", "steps"),
        [("an.li", "wrong horse battery", 0), ("an.li", PASSWORD, 2), ("no.one", PASSWORD, 0)],
    )
    def test_wrong_is_one_refusal_whatever_is_wrong(
        self, db: Database, keys: Keys, an: Enrolled, login: str, password: str, steps: int
    ) -> None:
        with pytest.raises(LoginRefused) as refused:
            log_in(db, keys, login, password, an.code(AT, steps=steps), at=AT)
        assert refused.value.facts == {}

    def test_who_has_not_enrolled_or_is_suspended_is_refused_alike(
        self, db: Database, keys: Keys, an: Enrolled
    ) -> None:
        admitted(db, "bo.li", Role.EXPERT, at=AT)
        with pytest.raises(LoginRefused):
            log_in(db, keys, "bo.li", PASSWORD, "123456", at=AT)
        change(db, an.clerk, SUSPEND, at=AT)
        with pytest.raises(LoginRefused):
            log_in(db, keys, "an.li", PASSWORD, an.code(AT), at=AT)

    def test_five_wrong_logins_lock_out_the_right_one_for_a_while(
        self, db: Database, keys: Keys, an: Enrolled
    ) -> None:
        guess(db, keys, range(5))
        with pytest.raises(LoginRefused):
            log_in(db, keys, "an.li", PASSWORD, an.code(AT), at=AT)
        soon, after = later(AT, 59), later(AT, 61)
        with pytest.raises(LoginRefused):
            log_in(db, keys, "an.li", PASSWORD, an.code(soon), at=soon)
        log_in(db, keys, "an.li", PASSWORD, an.code(after), at=after)
        guess(db, keys, range(4), at=after)
        log_in(db, keys, "an.li", PASSWORD, an.code(after, steps=1), at=after)

    def test_guesses_side_by_side_count_each(self, db: Database, keys: Keys, an: Enrolled) -> None:
        """With a check before the count, all of them would be checked."""
        start = Barrier(GUESSERS)

        def one(number: int) -> None:
            start.wait(timeout=30)
            guess(db, keys, [number])

        with ThreadPoolExecutor(GUESSERS) as pool:
            list(pool.map(one, range(GUESSERS)))
        ((failures, until),) = rows(db, "select failures, locked_until from clerk_credential")
        assert (failures, until) == (5, later(AT, 60))
        assert an.clerk.login == "an.li"

    def test_a_day_of_guessing_is_few_guesses(self, db: Database, an: Enrolled) -> None:
        """Try each half minute: what is checked in a day stays under forty."""
        at, checked = AT, 0
        while at < AT + timedelta(days=1):
            before = failures(db)
            db.transact(count_try, an.clerk.login, at=at)
            checked += failures(db) - before
            at += timedelta(seconds=600 if failures(db) > 8 else STEP_S)
        assert checked < 40

    def test_a_reset_meanwhile_wins(self, db: Database, keys: Keys, an: Enrolled) -> None:
        attempt, step = check_login(db, keys, "an.li", PASSWORD, an.code(AT), at=AT)
        change(db, an.clerk, RESET, at=AT)
        with pytest.raises(LoginRefused):
            db.transact(admit, attempt, step, at=AT)


class TestClerks:
    """Who becomes one, and who says so."""

    def test_a_clerk_is_admitted_by_two_and_enrols_by_a_secret_of_their_own(
        self, db: Database, keys: Keys
    ) -> None:
        secret = new_enrolment()
        approval = admission(db, [Role.EXPERT], secret)
        assert approval.scope == Scope.STAFF_MANAGE
        assert secret not in repr(approval)
        signed(db, approval, principal(Role.OPERATOR))
        totp = new_totp()
        enrol(db, keys, "bo.wang", secret, PASSWORD, totp, at=AT)
        bo = Enrolled(clerk_named_(db, "bo.wang"), totp)
        assert bo.clerk.roles == {Role.EXPERT}
        assert log_in(db, keys, "bo.wang", PASSWORD, bo.code(AT), at=AT) == bo.clerk

    @pytest.mark.parametrize("role", [Role.REGULATOR, Role.VERIFIER])
    def test_the_operator_makes_nobody_who_oversees_it(self, db: Database, role: Role) -> None:
        approval = admission(db, [role], new_enrolment())
        assert approval.scope == Scope.OVERSIGHT_MANAGE
        assert approval.scope not in OPERATOR.scopes
        signed(db, approval, REGULATOR)
        assert clerk_named_(db, "bo.wang").roles == {role}

    def test_nor_makes_it_one_of_a_clerk_that_is_there(self, db: Database, an: Enrolled) -> None:
        approval = asked_change(db, an.clerk, ROLES, roles=[Role.VERIFIER])
        assert approval.scope == Scope.OVERSIGHT_MANAGE
        regulator, _ = admitted(db, "chen", Role.REGULATOR, at=AT)
        for act in (SUSPEND, RESET):
            assert asked_change(db, regulator, act).scope == Scope.OVERSIGHT_MANAGE

    def test_a_request_is_void_once_the_roles_it_names_have_changed(
        self, db: Database, an: Enrolled
    ) -> None:
        """Else two operators could keep one against whoever becomes a regulator later."""
        kept = asked_change(db, an.clerk, SUSPEND)
        signed(db, asked_change(db, an.clerk, ROLES, roles=[Role.REGULATOR]), REGULATOR)
        with pytest.raises(ClerkChanged):
            signed(db, kept, principal(Role.OPERATOR))
        assert find(db, an.clerk).suspended_at is None

    @pytest.mark.parametrize(
        "roles",
        [
            [],
            [Role.CITIZEN],
            [Role.MERCHANT_OWNER],
            [Role.OPERATOR, Role.REGULATOR],
            [Role.OPERATOR, Role.VERIFIER],
        ],
    )
    def test_some_roles_do_not_go_together(self, db: Database, roles: list[Role]) -> None:
        with pytest.raises(RolesConflict):
            allowed_roles(roles)
        with pytest.raises(RolesConflict):
            admission(db, roles, new_enrolment())
        words = sorted(role.value for role in roles)
        stored = "insert into clerk values (%s, 'x1', 'x', 'x', %s, now())"
        with pytest.raises(Exception, match=r"clerk_(roles|overseers)|clerk_check"):
            db.transact(lambda session: driver(session).execute(stored, (new_id(), words)))

    def test_a_login_is_one_persons(self, db: Database, an: Enrolled) -> None:
        with pytest.raises(LoginTaken):
            admission(db, [Role.EXPERT], new_enrolment(), login=an.clerk.login)
        waiting = admission(db, [Role.EXPERT], new_enrolment())
        admitted(db, "bo.wang", Role.EXPERT, at=AT)
        with pytest.raises(LoginTaken):
            signed(db, waiting, principal(Role.OPERATOR))

    def test_other_roles_are_the_next_tokens(self, db: Database, keys: Keys, an: Enrolled) -> None:
        granted = session_of(db, an.clerk, at=AT)
        signed(db, asked_change(db, an.clerk, ROLES, roles=[Role.EXPERT]), principal(Role.OPERATOR))
        found = refreshed(db, keys, granted, at=later(AT, 60))
        assert isinstance(found, Granted)
        assert found.who.scopes == scopes_of([Role.EXPERT])

    @pytest.mark.parametrize("act", [SUSPEND, RESET])
    def test_suspension_and_reset_end_every_session(
        self, db: Database, keys: Keys, an: Enrolled, act: str
    ) -> None:
        other, _ = admitted(db, "chen", Role.EXPERT, at=AT)
        granted, kept = session_of(db, an.clerk, at=AT), session_of(db, other, at=AT)
        change(db, an.clerk, act, at=AT)
        closed = "select holder from session where closed_for = 'revoked'"
        assert rows(db, closed) == [(an.clerk.id,)]
        assert not isinstance(refreshed(db, keys, granted, at=later(AT, 60)), Granted)
        assert isinstance(refreshed(db, keys, kept, at=later(AT, 60)), Granted)

    def test_a_reset_brings_back_who_was_suspended_with_a_new_secret_alone(
        self, db: Database, keys: Keys, an: Enrolled
    ) -> None:
        change(db, an.clerk, SUSPEND, at=AT)
        assert db.read(clerk_scopes, principal_of(an.clerk)) == frozenset()
        secret, totp = new_enrolment(), new_totp()
        change(db, an.clerk, RESET, at=AT, secret=secret)
        with pytest.raises(LoginRefused):
            log_in(db, keys, "an.li", PASSWORD, an.code(AT), at=AT)
        enrol(db, keys, "an.li", secret, PASSWORD, totp, at=AT)
        log_in(db, keys, "an.li", PASSWORD, Enrolled(an.clerk, totp).code(AT), at=AT)
        assert db.read(clerk_scopes, principal_of(an.clerk)) == scopes_of([Role.OPERATOR])

    def test_whom_nobody_knows_may_nothing(self, db: Database) -> None:
        assert db.read(clerk_scopes, Principal("clerk", new_id(), frozenset())) == frozenset()
        with pytest.raises(ClerkUnknown):
            db.read(find_clerk, new_id())

    def test_clerks_are_listed_page_by_page(self, db: Database) -> None:
        made = [admitted(db, f"clerk-{number}", Role.EXPERT, at=AT)[0] for number in range(3)]
        first = db.read(clerks, after=None, limit=2)
        assert first + db.read(clerks, after=first[-1].id, limit=2) == made


def clerk_named_(db: Database, login: str) -> Clerk:
    return db.read(clerk_named, login)


def find(db: Database, clerk: Clerk) -> Clerk:
    return db.read(find_clerk, clerk.id)


def failures(db: Database) -> int:
    return rows(db, "select failures from clerk_credential")[0][0]


def guess(db: Database, keys: Keys, numbers: Iterable[int], *, at: datetime = AT) -> None:
    for number in numbers:
        with pytest.raises(LoginRefused):
            check_login(db, keys, "an.li", f"guess number {number}", "000000", at=at)


def admission(db: Database, roles: list[Role], secret: str, *, login: str = "bo.wang") -> Approval:
    facts = {"name": "王博", "organisation": "x", "enrolment": commitment(secret).hex()}

    def command(session: Session) -> Approval:
        asking = Asking(OPERATOR, "Joins", new_id(), AT)
        return ask_admission(session, asking, new_id(), login, roles, facts)

    return db.transact(command)


def asked_change(
    db: Database, clerk: Clerk, act: str, *, roles: list[Role] | None = None, secret: str = ""
) -> Approval:
    enrolment = commitment(secret or new_enrolment()).hex() if act == RESET else None

    def command(session: Session) -> Approval:
        asking = Asking(OPERATOR, "Why not", new_id(), AT)
        return ask_change(session, asking, clerk.id, act, roles=roles, enrolment=enrolment)

    return db.transact(command)


def signed(db: Database, approval: Approval, who: Principal, *, at: datetime = AT) -> None:
    db.transact(sign, who, approval.id, DEEDS, agrees=True, at=at)


def change(db: Database, clerk: Clerk, act: str, *, at: datetime, secret: str = "") -> None:
    signed(db, asked_change(db, clerk, act, secret=secret), REGULATOR, at=at)


def session_of(db: Database, clerk: Clerk, *, at: datetime) -> Granted:
    def command(session: Session) -> Granted:
        secret = bytes(SECRET_BYTES)
        who = principal_of(clerk)
        return open_session(session, who, label="x", family=new_id(), secret=secret, at=at)

    return db.transact(command)


def refreshed(db: Database, keys: Keys, granted: Granted, *, at: datetime) -> object:
    return db.transact(refresh, keys, {"clerk": clerk_scopes}, granted.token, at=at)
