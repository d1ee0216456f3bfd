"""Logging in as people do, in web tests (登录): a phone that shows its messages, an app's steps."""

import io
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, LiteralString

import psycopg
from httpx2 import Response
from psycopg import sql
from starlette.testclient import TestClient

from app.citizens.sms import ConsoleSms

DEVICE: Final = "device-of-alice-0001"
PHONE: Final = "+8613800000000"
AN_AGE: Final = timedelta(days=36_500)
TIMES: Final[dict[LiteralString, tuple[LiteralString, ...]]] = {
    "limit_use": ("slot", "kept_until"),
    "login_code": ("sent_at", "ends_at"),
    "session": ("opened_at", "ends_at", "rotated_at"),
}


@dataclass
class Phones:
    """Every phone of the city: what the console twin would have written."""

    stream: io.StringIO = field(default_factory=io.StringIO)

    @property
    def sms(self) -> ConsoleSms:
        return ConsoleSms(self.stream)

    def messages(self, phone: str) -> list[str]:
        return re.findall(rf"{re.escape(phone)}: ([0-9]{{6}})", self.stream.getvalue())


@dataclass
class Person:
    """Somebody with a phone and an installation of the app."""

    client: TestClient
    phones: Phones
    phone: str = PHONE
    device: str = DEVICE

    def ask(self) -> Response:
        body = {"phone": self.phone, "device": self.device}
        return self.client.post("/v1/auth/codes", json=body)

    def asked(self) -> tuple[str, str]:
        """A challenge, and the code that came by text message."""
        answer = self.ask()
        assert answer.status_code == 202, answer.text
        return answer.json()["challenge"], self.phones.messages(self.phone)[-1]

    def show(self, challenge: str, code: str, **more: object) -> Response:
        body = {"grant": "code", "challenge": challenge, "code": code, "device": self.device}
        return self.client.post("/v1/auth/tokens", json=body | more)

    def log_in(self, **more: object) -> dict[str, str]:
        shown = self.show(*self.asked(), **more)
        assert shown.status_code == 200, shown.text
        return shown.json()

    def wechat(self, code: str, **more: object) -> Response:
        return self.client.post("/v1/auth/tokens", json={"grant": "wechat", "code": code} | more)

    def link(self, token: str, **login: object) -> Response:
        return self.client.post("/v1/auth/logins", json=login, headers=bearer(token))

    def unlink(self, token: str, way: str) -> Response:
        return self.client.delete(f"/v1/auth/logins/{way}", headers=bearer(token))

    def refresh(self, token: str) -> Response:
        return self.client.post("/v1/auth/tokens/refresh", json={"refresh_token": token})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def pass_time(owner_url: str, passed: timedelta) -> None:
    """Let so much time pass for codes, sessions and limits, by moving them into the past.

    By way of another age, so that no row steps onto the key of one that has not moved yet.
    """
    with psycopg.connect(owner_url) as connection:
        for table, columns in TIMES.items():
            for by in (passed + AN_AGE, -AN_AGE):
                moved = sql.SQL(", ").join(
                    sql.SQL("{0} = {0} - {1}").format(sql.Identifier(name), by) for name in columns
                )
                connection.execute(sql.SQL("update {} set {}").format(sql.Identifier(table), moved))


def wrong(code: str) -> str:
    """Another code than this."""
    return f"{(int(code) + 1) % 10**6:06d}"
