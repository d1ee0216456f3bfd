"""Logging in as people do, in web tests (登录): a phone that shows its messages, an app's steps."""

import io
import re
from dataclasses import dataclass, field

from httpx2 import Response
from starlette.testclient import TestClient

from app.citizens.sms import ConsoleSms

DEVICE = "device-of-alice-0001"
PHONE = "+8613800000000"


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

    def show(self, challenge: str, code: str, **more: object) -> Response:
        body = {"grant": "code", "challenge": challenge, "code": code, "device": self.device}
        return self.client.post("/v1/auth/tokens", json=body | more)

    def log_in(self, **more: object) -> dict[str, str]:
        asked = self.ask()
        assert asked.status_code == 202, asked.text
        shown = self.show(asked.json()["challenge"], self.phones.messages(self.phone)[-1], **more)
        assert shown.status_code == 200, shown.text
        return shown.json()

    def refresh(self, token: str) -> Response:
        return self.client.post("/v1/auth/tokens/refresh", json={"refresh_token": token})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
