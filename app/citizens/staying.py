"""Who is still here (在册市民): an access token may outlive its citizen by minutes."""

from typing import Final

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.tokens import TokenInvalid

_LOCK: Final = "select 1 from subject where bucket = %s and account = %s for no key update"


def lock_citizen(session: Session, bucket: int, owner: int) -> None:
    """Lock a citizen until the commit: what they write takes turns, and no erasure ends meanwhile.

    Raises:
        TokenInvalid: They were erased, and so has ended whatever token says that they are here.
    """
    row = driver(session).execute(_LOCK, (bucket, owner)).fetchone()
    if row is None:
        raise TokenInvalid
