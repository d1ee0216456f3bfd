"""What of a provider needs two people of the desk (双人复核事项): a key by the desk, and a return.

Whoever holds a provider's key makes reductions, so one clerk alone puts none in force and lets
no suspended provider back in. Suspending makes nothing, and must not wait: one is enough.
"""

from base64 import b64decode
from collections.abc import Mapping
from typing import Final

from sqlmodel import Session

from app.providers.errors import ProviderNotSuspended
from app.providers.registry import find_provider, register_key, resume_provider
from app.staff import Deed, Signing
from app.staff.approvals import Payload

ADD_KEY: Final = "providers.add_key"
RESUME: Final = "providers.resume"


def _add_key(session: Session, payload: Payload, signing: Signing) -> None:
    provider = find_provider(session, payload["provider"])
    public = b64decode(payload["public_key"])
    register_key(session, provider, payload["key_id"], public, at=signing.at)


def _resume(session: Session, payload: Payload, _signing: Signing) -> None:
    if not resume_provider(session, find_provider(session, payload["provider"])):
        raise ProviderNotSuspended


DEEDS: Final[Mapping[str, Deed]] = {ADD_KEY: _add_key, RESUME: _resume}
