"""Merchants (商户): what side by side can go wrong, and what the database itself refuses."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import psycopg
import pytest
from sqlmodel import Session

from app.firms import Application, FirstOwner
from app.firms.deeds import Reasoned
from app.firms.people import USERS_MAX
from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.scopes import Role
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.merchants import NewMerchant, Terms, find_merchant, merchant_scopes
from app.merchants.applications import apply, approve
from app.merchants.deeds import suspend
from app.merchants.errors import (
    ApplicationDecided,
    MembersMany,
    RegistrationTaken,
    TillClosed,
)
from app.merchants.people import (
    MEMBERS,
    MemberRole,
    MerchantUser,
    add_user,
    log_in,
    suspend_user,
)
from app.merchants.registry import MerchantKind, resume_merchant
from app.merchants.shifts import LONGEST, open_shift
from app.merchants.tills import find_till
from app.staff.credentials import commitment, new_enrolment, new_totp
from app.staff.errors import LoginRefused
from tests.support.clerks import PASSWORD, code_of, principal
from tests.support.mall import Shop, merchant, registration, till

OPERATOR = Reasoned(principal(Role.OPERATOR), "a test")
REACH = {"contact": {"name": "李安"}, "bank": {"number": "6222000000"}}
ROUNDS = 5


def wish(number: int, *, login: str | None = None) -> Application[NewMerchant]:
    new = NewMerchant(
        new_id(), MerchantKind.BUSINESS, "咖啡", "Coffee", registration(number)
    )  # fmt: skip
    owner = FirstOwner(login or f"o.{new.id.hex[-12:]}", "李安", commitment(new_enrolment()))
    return Application(new, owner, now())


def race(*tries: object) -> list[object]:
    """Run callables side by side; gives what each returned or raised."""
    start = Barrier(len(tries))

    def one(each: object) -> object:
        assert callable(each)
        start.wait(timeout=10)
        try:
            return each()
        except Exception as error:  # noqa: BLE001 -- the outcome is what is looked at
            return error

    with ThreadPoolExecutor(len(tries)) as pool:
        return list(pool.map(one, tries, timeout=30))


def test_of_two_approvals_side_by_side_one_makes_the_merchant(db: Database, keys: Keys) -> None:
    for number in range(ROUNDS):
        made = db.transact(apply, keys, wish(number), REACH).firm.id

        def deed(made: UUID = made) -> object:
            return db.transact(approve, keys, made, Terms(0, 0), owner=new_id(), at=now())

        outcomes = race(deed, deed)
        kinds = sorted(type(each).__name__ for each in outcomes)
        assert kinds == ["ApplicationDecided", "Merchant"]
    assert ApplicationDecided.status == 409


def test_a_failed_approval_leaves_nothing(db: Database, keys: Keys) -> None:
    shop = merchant(db, keys, 7)
    made = db.transact(apply, keys, wish(7), REACH).firm.id
    counted = "select (select count(*) from merchant_user), (select count(*) from account)"

    def count() -> object:
        return db.read(lambda session: driver(session).execute(counted).fetchone())

    before = count()
    with pytest.raises(RegistrationTaken):
        db.transact(approve, keys, made, Terms(0, 0), owner=new_id(), at=now())
    assert count() == before
    assert db.read(find_merchant, shop.merchant.id) == shop.merchant


def test_no_shift_outlives_a_suspension_that_it_raced(db: Database, keys: Keys) -> None:
    """Whichever is first, once both are over no shift is open."""
    shop = merchant(db, keys)
    outcomes: set[str] = set()
    for _ in range(ROUNDS * 4):
        made = till(db, shop, is_open=False).till

        def opening(id_: UUID = made.id) -> object:
            return db.transact(open_shift, id_, shop.keeper.id, shift=new_id(), at=now())

        def suspending() -> object:
            return db.transact(suspend, OPERATOR, shop.merchant.id, at=now())

        first, second = race(opening, suspending)
        assert second is None, second
        outcomes.add(type(first).__name__)
        assert outcomes <= {"datetime", "TillClosed"}, first
        assert db.read(find_till, shop.merchant.id, made.id).keeper is None
        db.transact(resume_merchant, shop.merchant.id)


def test_no_shift_outlives_its_keeper_s_suspension(db: Database, keys: Keys) -> None:
    for number in range(ROUNDS):
        shop = merchant(db, keys, number)
        made = till(db, shop, is_open=False).till

        def opening(shop: Shop = shop, id_: UUID = made.id) -> object:
            return db.transact(open_shift, id_, shop.keeper.id, shift=new_id(), at=now())

        def suspending(shop: Shop = shop) -> object:
            return db.transact(suspend_user, shop.keeper, at=now())

        first, second = race(opening, suspending)
        assert second is None, second
        assert type(first).__name__ in {"datetime", "LoginRefused"}, first
        assert db.read(find_till, shop.merchant.id, made.id).keeper is None


def test_a_shift_ends_by_itself_and_stays_at_its_till(db: Database, keys: Keys) -> None:
    shop, other, at = merchant(db, keys), merchant(db, keys, 2), now()
    made = till(db, shop, at=at).till
    found = db.read(find_till, shop.merchant.id, made.id)
    assert found.shift_ends_at == at + LONGEST == at + timedelta(hours=12)
    with pytest.raises(LoginRefused):
        db.transact(open_shift, made.id, other.keeper.id, shift=new_id(), at=at)
    with pytest.raises(TillClosed):
        db.transact(open_shift, new_id(), shop.keeper.id, shift=new_id(), at=at)


def test_a_code_shown_twice_side_by_side_lets_one_in(db: Database, keys: Keys) -> None:
    shop, totp, at = merchant(db, keys), new_totp(), now()
    login = shop.owner.login
    MEMBERS.enrol(db, keys, login, shop.secrets[login], PASSWORD, totp, at=at)

    def trying() -> Principal:
        attempt, step = MEMBERS.check_login(db, keys, login, PASSWORD, code_of(totp, at), at=at)
        return db.transact(log_in, attempt, step, at=at)

    outcomes = race(trying, trying, trying)
    assert sorted(type(each).__name__ for each in outcomes) == [
        "LoginRefused",
        "LoginRefused",
        "Principal",
    ]


def test_scopes_are_those_of_the_role_while_both_stand(db: Database, keys: Keys) -> None:
    shop, at = merchant(db, keys), now()
    for user in (shop.owner, shop.keeper):
        who = shop.principal(user)
        assert db.read(merchant_scopes, who) == who.scopes
    db.transact(suspend_user, shop.keeper, at=at)
    assert db.read(merchant_scopes, shop.principal(shop.keeper)) == frozenset()
    db.transact(suspend, OPERATOR, shop.merchant.id, at=at)
    assert db.read(merchant_scopes, shop.principal()) == frozenset()


def test_a_merchant_has_so_many_people(db: Database, keys: Keys) -> None:
    shop, at = merchant(db, keys), now()

    def fill(session: Session) -> None:
        for number in range(USERS_MAX - 2):
            user = MerchantUser(
                new_id(), shop.merchant.id, f"k.{number}", "王波", MemberRole.KEEPER, at
            )
            add_user(session, user, bytes(32))

    db.transact(fill)
    one_more = MerchantUser(new_id(), shop.merchant.id, "k.more", "王波", MemberRole.KEEPER, at)
    with pytest.raises(MembersMany):
        db.transact(add_user, one_more, bytes(32))


@pytest.mark.parametrize(
    "statement",
    [
        "update merchant set account = account + 2",
        "update merchant set registration = '91350100M000100Y43'",
        "update till set public_key = sha256('x')",
        "update till set merchant = gen_random_uuid()",
        "update merchant_user set role = 'owner'",
        "update merchant_application set enrolment = sha256('x')",
        "delete from merchant",
        "delete from till",
    ],
)
def test_what_decides_who_is_paid_cannot_be_changed_by_the_application(
    db: Database, keys: Keys, statement: str
) -> None:
    till(db, merchant(db, keys))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.transact(lambda session: driver(session).execute(statement.encode()))
