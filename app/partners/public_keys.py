"""Public keys on the wire (公钥格式): JSON Web Keys on Ed25519 (RFC 8037) and P-256 (RFC 7518)."""

from base64 import urlsafe_b64decode
from typing import Annotated, Final, Literal

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, ConfigDict, Field

from app.partners.errors import PartnerKeyMalformed

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
Coordinate = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_-]{43}$", examples=["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"]),
]
KID: Final = r"^[A-Za-z0-9._~-]{1,100}$"
Kid = Annotated[str, Field(pattern=KID, examples=["2026-06"])]


class Ed25519In(BaseModel):
    """An Ed25519 public key; a private part is refused."""

    model_config = _FROZEN

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: Coordinate
    kid: Kid
    alg: Literal["EdDSA"] = "EdDSA"
    use: Literal["sig"] = "sig"


class P256In(BaseModel):
    """A P-256 public key; a private part is refused."""

    model_config = _FROZEN

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Coordinate
    y: Coordinate
    kid: Kid
    alg: Literal["ES256"] = "ES256"
    use: Literal["sig"] = "sig"


PublicKeyIn = Annotated[Ed25519In | P256In, Field(discriminator="kty")]


def der_of(key: Ed25519In | P256In) -> bytes:
    """Give a key as DER.

    Raises:
        PartnerKeyMalformed: It is no point of its curve.
    """
    try:
        if isinstance(key, Ed25519In):
            made = Ed25519PublicKey.from_public_bytes(_raw(key.x))
        else:
            x, y = (int.from_bytes(_raw(part), "big") for part in (key.x, key.y))
            made = EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
    except ValueError as error:
        raise PartnerKeyMalformed from error
    return made.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _raw(coordinate: str) -> bytes:
    return urlsafe_b64decode(coordinate + "=")
