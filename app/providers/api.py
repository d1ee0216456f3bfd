"""A provider's own keys and secret over HTTP (提供方自助接口), signed with a key in force."""

from base64 import b64decode, b64encode
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.once import IdempotencyKey
from app.kernel.wiring import Db, Secrets
from app.providers.keyring import end_own_key, find_own_key, keys_of
from app.providers.registry import register_key, rotate_key
from app.providers.schemas import EvidenceSecretOut, KeyIn, KeyOut, KeysOut, key_out
from app.providers.senders import DENIED, Body, Reader, Sender, answer_signed
from app.staff import note_act

router = APIRouter(prefix="/v1/provider", tags=["providers 数据提供方"])


def actor(code: str) -> str:
    """Name a provider in the desk's log."""
    return f"provider/{code}"


@router.get(
    "/keys",
    operation_id="listProviderKeys",
    summary="One's own keys 本方密钥",
    responses=problems(**DENIED),
)
def list_keys(db: Db, sender: Reader) -> KeysOut:
    """List all keys that this provider ever had."""
    return KeysOut(data=[key_out(each) for each in db.read(keys_of, sender)])


@router.post(
    "/keys",
    operation_id="addProviderKey",
    summary="Register another key, or rotate to it 登记或轮换密钥",
    status_code=201,
    response_model=KeyOut,
    responses=problems(
        s400="The body is not the signed one, or the Idempotency-Key is missing.",
        **DENIED,
        s409="A key with this id was registered before, by anybody.",
        s422="The key is not of the required form, or the Idempotency-Key was used before.",
    ),
)
def add_key(
    request: Request,
    key: KeyIn,
    db: Db,
    signed: Sender,
    body: Body,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Put a key in force at once; with ``others_end_in_s`` it replaces the others."""
    sender, at = signed.key.provider, now()

    def deed(session: Session) -> KeyOut:
        public, overlap = b64decode(key.public_key), key.others_end_in_s
        if overlap is None:
            register_key(session, sender, key.key_id, public, at=at)
        else:
            until = at + timedelta(seconds=overlap)
            rotate_key(session, sender, key.key_id, public, at=at, old_until=until)
        act = "providers.add_key" if overlap is None else "providers.rotate_key"
        note_act(session, actor(sender.code), act, key.key_id, at=at, by=signed.key.keyid)
        return key_out(find_own_key(session, sender, key.key_id, at))

    return answer_signed(request, db, signed, idempotency_key, body, deed)


@router.delete(
    "/keys/{key_id}",
    operation_id="endProviderKey",
    summary="End one of one's own keys at once 吊销本方密钥",
    response_model=KeyOut,
    responses=problems(
        s400="The body is not the signed one, or the Idempotency-Key is missing.",
        **DENIED,
        s404="This provider has no such key in force.",
        s409="It is the last key without an end.",
        s422="The Idempotency-Key was used for another request.",
    ),
)
def end_key(
    request: Request,
    db: Db,
    signed: Sender,
    body: Body,
    key_id: Annotated[str, Path(pattern=r"^[\x21-\x7e]{1,200}$", examples=["sz-metro-2025"])],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """End a key; what it signed before stays valid."""
    sender, at = signed.key.provider, now()

    def deed(session: Session) -> KeyOut:
        ended = end_own_key(session, sender, key_id, at=at)
        note_act(
            session, actor(sender.code), "providers.end_key", key_id, at=at, by=signed.key.keyid
        )
        return key_out(ended)

    return answer_signed(request, db, signed, idempotency_key, body, deed, status=200)


@router.get(
    "/evidence-secret",
    operation_id="getEvidenceSecret",
    summary="The secret that opens one's evidence commitments 证据承诺密钥",
    responses=problems(**DENIED),
)
def read_evidence_secret(db: Db, keys: Secrets, sender: Reader) -> EvidenceSecretOut:
    """Hand out the secret that the platform and this provider share; every reading is logged."""
    db.transact(note_act, actor(sender.code), "providers.read_secret", sender.code, at=now())
    return EvidenceSecretOut(secret=b64encode(keys.provider_secret(sender.code)).decode())
