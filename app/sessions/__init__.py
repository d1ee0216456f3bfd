"""Sessions (会话): how somebody who logged in once stays logged in, on each device by itself.

A session is a family of refresh tokens, each the successor of the one before. The token before
the last still works for half a minute, so a reply that is lost logs nobody out; any older one
was copied, and ends the session for whoever holds it. People have sessions: citizens, clerks, and
who works for a merchant or an organisation; machines log in anew each time.
"""

from app.sessions.commands import close_all, close_session, open_session, refresh, sweep
from app.sessions.delivery import deliver
from app.sessions.grants import Granted, Rights
from app.sessions.schemas import Delivery, TokensOut

__all__ = [
    "Delivery",
    "Granted",
    "Rights",
    "TokensOut",
    "close_all",
    "close_session",
    "deliver",
    "open_session",
    "refresh",
    "sweep",
]
