"""What proves a statement (声明证明): its document, how it stands, its retirements' certificates.

Each certificate is one that anybody can ask for by itself; together with the document they say that
these units were retired for this gathering. One whose epoch is not final yet is named as pending.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from app.certificates import PREFIX, find_certificate
from app.certificates.errors import CertificateUnknown
from app.kernel.ids import parse_public_id
from app.neutrality.statements import find_statement
from ledger.receipt import Json

FORMAT: Final = "tanpu-neutrality-proof/1"


def proof_of(
    session: Session,
    key: Ed25519PrivateKey,
    origin: str,
    gathering: UUID | None,
    version: int | None,
    *,
    at: datetime,
) -> Json:
    """Put together what ``ledger/verify_statement.py`` checks; how it stands comes first.

    Raises:
        GatheringUnknown, StatementUnknown: See their own words.
    """
    found = find_statement(session, gathering, version)
    said, certificates, pending = found.statement.told, list[Json](), list[str]()
    for each in said["retirements"]:
        named = parse_public_id(PREFIX, each["certificate"])
        try:
            shown = find_certificate(session, origin, named)
        except CertificateUnknown:
            pending.append(each["certificate"])
        else:
            certificates.append(shown.to_json(key, at=at))
    return {
        "format": FORMAT,
        "status": found.status(key, at=at),
        "statement": said,
        "certificates": certificates,
        "pending": pending,
    }
