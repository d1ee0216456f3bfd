"""Codes by text message (短信): the operator's gateway, and the console twin of development."""

import sys
from typing import Final, Protocol, TextIO

from app.citizens.errors import SmsAway
from app.citizens.outbound import OutboundFailed, fetch
from app.kernel.settings import Settings

WAIT_S: Final = 3.0


class SmsProvider(Protocol):
    """Sends a code to a phone. Over the network, so never inside a command; may send twice."""

    def send(self, phone: str, code: str, *, minutes: int) -> None:
        """Hand a code over for delivery to a number in E.164, telling how long it is good for.

        Raises:
            SmsAway: It was not taken over.
        """
        ...


class GatewaySms:
    """An HTTP gateway that the operator runs in front of its vendor, whose templates it knows."""

    def __init__(self, url: str, token: str) -> None:
        """Post to ``url`` as the bearer of ``token``."""
        self._url, self._token = url, token

    def __repr__(self) -> str:
        """Show nothing: the address may hold a secret as well."""
        return "GatewaySms()"

    def send(self, phone: str, code: str, *, minutes: int) -> None:
        """Post ``{"to", "code", "minutes"}``; see :class:`SmsProvider`."""
        body = {"to": phone, "code": code, "minutes": minutes}
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            fetch(self._url, "", wait_s=WAIT_S, body=body, headers=headers)
        except OutboundFailed as error:
            raise SmsAway from error


class ConsoleSms:
    """Shows the code on the terminal; production refuses to start with it."""

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream``, which is no log."""
        self._stream = stream

    def send(self, phone: str, code: str, *, minutes: int) -> None:
        """Write one line; see :class:`SmsProvider`."""
        self._stream.write(f"短信 SMS {phone}: {code} ({minutes} min)\n")
        self._stream.flush()


def sms_of(settings: Settings) -> SmsProvider:
    """Give the gateway that the settings name, or else the terminal."""
    if settings.sms_url is None or settings.sms_token is None:
        assert not settings.is_production, "the settings refuse this"
        return ConsoleSms(sys.stdout)
    return GatewaySms(settings.sms_url.get_secret_value(), settings.sms_token.get_secret_value())
