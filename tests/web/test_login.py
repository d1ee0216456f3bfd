"""Logging in by phone: the code, its limits, what is told and what never is."""

from starlette.testclient import TestClient
import pytest

from tests.web.entering import Person, Phones, bearer


@pytest.fixture
def phones(client: TestClient) -> Phones:
    made = Phones()
    client.app.state.sms = made.sms
    return made


@pytest.fixture
def alice(client: TestClient, phones: Phones) -> Person:
    return Person(client, phones)


def test_a_first_login_opens_the_citizen_and_a_second_finds_them(alice: Person) -> None:
    told = alice.log_in()
    assert told["who"].startswith("cit_")
    who = alice.client.get("/v1/auth/logins", headers=bearer(told["access_token"]))
    assert [each["way"] for each in who.json()["data"]] == ["phone"]
    fresh = alice.refresh(told["refresh_token"])
    assert fresh.status_code == 200, fresh.text
