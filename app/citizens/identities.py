"""Who somebody is to another platform (第三方身份): WeChat's mini program, and its offline twin."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal, Protocol, cast
from urllib.parse import urlencode

from app.citizens.errors import IdentityAway, IdentityRefused
from app.citizens.outbound import OutboundFailed, fetch
from app.kernel.secrets import Keys
from app.kernel.settings import Settings

Way = Literal["phone", "wechat"]
WECHAT: Final = "https://api.weixin.qq.com"
WAIT_S: Final = 3.0
BUSY: Final = frozenset({-1, 45011})
"""WeChat's codes for: busy, and asked too often."""
OFFLINE_PARTS: Final = 2


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody, by what one way of logging in calls them: a number in E.164, an openid."""

    way: Way
    id: str = field(repr=False)

    def hash(self, keys: Keys) -> bytes:
        """Hash the id under a key outside the database; all that an index holds of it."""
        return keys.login_hash(self.way, self.id.encode())


class IdentityProvider(Protocol):
    """A platform that vouches for its own users.

    ``exchange`` goes over the network, so never inside a command. A code works once: whoever
    lost the answer asks the platform's client for another.
    """

    def exchange(self, code: str) -> Subject:
        """Give whom a code speaks of.

        Raises:
            IdentityRefused: The code is wrong, used or too old.
            IdentityAway: The platform does not answer, or not now.
        """
        ...


class Wechat:
    """WeChat's ``code2Session``; the session key that comes with it is dropped here."""

    def __init__(self, app_id: str, app_secret: str, *, origin: str = WECHAT) -> None:
        """Speak for one mini program."""
        self._app_id, self._app_secret, self._origin = app_id, app_secret, origin

    def __repr__(self) -> str:
        """Show the program, never its secret."""
        return f"Wechat({self._app_id!r})"

    def exchange(self, code: str) -> Subject:
        """Ask WeChat whose code it is; see :class:`IdentityProvider`."""
        asked = {
            "appid": self._app_id,
            "secret": self._app_secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        path = f"/sns/jscode2session?{urlencode(asked)}"
        try:
            answer = json.loads(fetch(self._origin, path, wait_s=WAIT_S))
        except (OutboundFailed, ValueError) as error:
            raise IdentityAway from error
        return _subject(answer)


class OfflineWechat:
    """A WeChat without a network, for development alone: ``alice.1`` logs alice in, once."""

    def __init__(self) -> None:
        """Know nobody yet, which is to say everybody."""
        self._used: set[str] = set()

    def exchange(self, code: str) -> Subject:
        """Give a made-up openid for the part before the dot; see :class:`IdentityProvider`."""
        parts = code.split(".")
        if len(parts) != OFFLINE_PARTS or not all(parts) or code in self._used:
            raise IdentityRefused
        self._used.add(code)
        return Subject("wechat", "offline-" + sha256(parts[0].encode()).hexdigest()[:20])


def wechat_of(settings: Settings) -> IdentityProvider | None:
    """Give WeChat as the settings name it, its twin in development, or none."""
    if settings.wechat_app_id is not None and settings.wechat_app_secret is not None:
        return Wechat(settings.wechat_app_id, settings.wechat_app_secret.get_secret_value())
    return None if settings.is_production else OfflineWechat()


def _subject(answer: object) -> Subject:
    """Read WeChat's answer, which has status 200 whatever it says."""
    if not isinstance(answer, dict):
        raise IdentityAway
    told = cast("dict[str, object]", answer)
    if told.get("errcode", 0) in BUSY:
        raise IdentityAway
    openid = told.get("openid")
    if told.get("errcode", 0) != 0 or not isinstance(openid, str) or not openid:
        raise IdentityRefused
    return Subject("wechat", openid)
