"""``tanpu staff`` (工作人员命令): the first clerk comes from the console, and the way back too."""

from pathlib import Path

import pytest

from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.staff.credentials import new_totp
from app.staff.errors import EnrolmentInvalid, LoginRefused
from app.staff.login import check_login, enrol
from app.staff.queries import Sought, entries
from tests.cli.conftest import Home, Run
from tests.support.clerks import PASSWORD, code_of

NAMED = ("--name", "李安", "--organisation", "某市生态环境局")


@pytest.fixture
def login() -> str:
    """A login that no other test of this city has."""
    return f"c{new_id().hex[-12:]}"


def test_a_clerk_is_added_enrols_is_suspended_and_comes_back(
    city: Run, home: Home, home_keys: Path, login: str
) -> None:
    roles = ("--role", "operator", "--role", "expert")
    told = city("staff", "add", login, *NAMED, *roles, "--json").json()
    db = Database(home.addresses.database_url, pool_size=1)
    keys = Keys(home_keys, make_missing=False)
    try:
        proves_who_they_are(db, keys, login, told["enrolment"])
        assert city("staff", "suspend", login).code == 0
        listed = {each["login"]: each for each in city("staff", "list", "--json").json()["clerks"]}
        assert listed[login]["roles"] == "expert, operator"
        assert listed[login]["suspended_at"] is not None
        with pytest.raises(EnrolmentInvalid):
            proves_who_they_are(db, keys, login, told["enrolment"])
        again = city("staff", "reset", login, "--json").json()["enrolment"]
        proves_who_they_are(db, keys, login, again)
        done = db.read(entries, Sought(actor="console"), before=None, limit=200)
        of_them = [each.entry.act for each in done if each.entry.object == told["clerk"]]
        assert of_them == ["staff.reset", "staff.suspend", "staff.admit"]
    finally:
        db.dispose()


def proves_who_they_are(db: Database, keys: Keys, login: str, secret: str) -> None:
    """Enrol, and log in as far as the code's being right."""
    at, totp = now(), new_totp()
    enrol(db, keys, login, secret, PASSWORD, totp, at=at)
    with pytest.raises(LoginRefused):
        check_login(db, keys, login, "wrong horse battery", "000000", at=at)
    code = code_of(totp, at)
    attempt, _ = check_login(db, keys, login, PASSWORD, code, at=at)
    assert attempt.failures == 2, "the wrong one, and this one until it is let in"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "An Li", *NAMED, "--role", "expert"), 2, "a-z 0-9"),
        (("add", "an.li", *NAMED, "--role", "mayor"), 2, "mayor"),
        (("add", "an.li", *NAMED, "--role", "citizen"), 4, "staff.roles_conflict"),
        (("add", "an.li", *NAMED, "--role", "operator", "--role", "verifier"), 4, "conflict"),
        (("suspend", "no.one"), 4, "staff.unknown"),
        (("reset", "no.one"), 4, "staff.unknown"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    city: Run, words: tuple[str, ...], code: int, said: str
) -> None:
    answer = city("staff", *words)
    assert answer.code == code, answer
    assert said in answer.err
