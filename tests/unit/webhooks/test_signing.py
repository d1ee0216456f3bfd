"""Signatures (签名) against the vectors that Standard Webhooks publishes with its libraries."""

from base64 import b64decode
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from app.webhooks.signing import Scheme, headers_of, public_key, shared_secret

MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
AT = datetime.fromtimestamp(1614265330, UTC)
HMAC_SECRET = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
HMAC_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
SEED = b64decode("VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=")
SIGNATURE = (
    "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
)


def test_the_published_vectors() -> None:
    asymmetric = headers_of(Scheme.ED25519, [SEED], MESSAGE, BODY, at=AT)
    assert asymmetric == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }
    symmetric = headers_of(Scheme.HMAC, [HMAC_SECRET], MESSAGE, BODY, at=AT)
    assert symmetric["webhook-signature"] == HMAC_SIGNATURE


def test_while_a_secret_is_replaced_either_one_checks_the_message() -> None:
    old, new = bytes(32), bytes([1]) * 32
    headers = headers_of(Scheme.HMAC, [new, old], MESSAGE, BODY, at=datetime.now(UTC))
    for each in (old, new):
        assert Webhook(shared_secret(each)).verify(BODY, headers) == {"test": 2432232314}
    both = headers_of(Scheme.ED25519, [new, old], MESSAGE, BODY, at=AT)["webhook-signature"]
    for secret, signature in zip((new, old), both.split(" "), strict=True):
        key = Ed25519PublicKey.from_public_bytes(b64decode(public_key(secret)[5:]))
        key.verify(b64decode(signature[4:]), f"{MESSAGE}.1614265330.".encode() + BODY)
