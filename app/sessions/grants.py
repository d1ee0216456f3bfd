"""What a session gives (授予): who its holder is today, and the token to come back with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from app.kernel.scopes import Scope
from app.kernel.tokens import Kind, Principal
from app.sessions.refresh_tokens import RefreshToken

Rights = Mapping[Kind, Callable[[Session, Principal], frozenset[Scope]]]
"""What the holder of a session may do at this moment, by kind; nothing ends the session.

Asked at each refresh, so that a role that was taken away is gone with the access token.
"""


@dataclass(frozen=True, slots=True)
class Granted:
    """A session, as its holder is told of it."""

    who: Principal
    token: RefreshToken
    ends_at: datetime
    """When the holder has to log in again at the latest, if nothing refreshes it."""
