"""Certificates for anybody (公开证书接口): as page, print and proof, and what is left of one."""

from datetime import datetime, timedelta
from importlib.resources import files
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from app.certificates.page import HEADERS, page_of
from app.certificates.pdf_file import pdf_of
from app.certificates.reading import Shown, find_certificate
from app.certificates.takedowns import PREFIX
from app.certificates.telling import told
from app.kernel.clock import now
from app.kernel.etags import OPEN, Known, tagged
from app.kernel.http import NotFound, problems
from app.kernel.ids import parse_public_id
from app.kernel.limits import Limit
from app.kernel.networks import count_of_network
from app.kernel.printing import PDF
from app.kernel.wiring import Configuration, Db, Limited, Secrets

PRINTS: Final = Limit("certificates.printed", 60, timedelta(minutes=10))
"""A print takes a third of a second."""
FRESH: Final = {**OPEN, "cache-control": "no-store", "vary": "accept"}
"""Asked for anew each time, and kept by no cache: a name may be withdrawn, a correction come."""
DAY: Final = {**OPEN, "cache-control": "public, max-age=86400"}
UNKNOWN: Final = "There is no such certificate, or not yet."
VERIFIER: Final = {
    **{
        name: ("ledger", name, "text/x-python; charset=utf-8")
        for name in ("verify_certificate.py", "verify_statement.py")
    },
    **{
        name: ("app.certificates", f"verifier/{name}", "text/javascript; charset=utf-8")
        for name in ("page.js", "certificate.js", "proof.js")
    },
}
"""What checks a certificate, by name: (package, file, media type)."""
FORMS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "As JSON, as a page for whoever asks for one, or to print.",
        "content": {"application/json": {}, "text/html": {}, PDF: {}},
    }
}
PROGRAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The program.", "content": {"text/javascript": {}, "text/x-python": {}}},
    **problems(s404="There is no such program."),
}
Named = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-z_]{1,40}(\.(json|html|pdf))?$",
        examples=["cert_01k0000000000000000000000a.json"],
        description="Its id, and in which form if not by `Accept`. 证书编号，可带后缀",
    ),
]
CertificateId = Annotated[str, Path(max_length=40, examples=["cert_01k0000000000000000000000a"])]

router = APIRouter(prefix="/v1/public", tags=["certificates 证书"])


class CertificateStatusOut(BaseModel):
    """What is left of a certificate, signed by the receipt key over its other fields' JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: Literal["valid", "reduced", "revoked"]
    certificate: str = Field(examples=["cert_01k0000000000000000000000a"])
    amount: str = Field(description="In the claim's unit.", examples=["1200000"])
    remaining: str = Field(description="Less what corrections took back.", examples=["1200000"])
    as_of: str = Field(examples=["2026-11-22T18:00:00Z"])
    signature: str = Field(description="Ed25519, over the canonical JSON of the others; hex.")


@router.get(
    "/certificates/{certificate}",
    operation_id="getCertificate",
    summary="A certificate 证书",
    response_class=Response,
    responses={**FORMS, **problems(s404=UNKNOWN, s429="Too many prints from one network.")},
)
def get_certificate(  # noqa: PLR0917 -- who, what, and what it stands on
    certificate: Named,
    request: Request,
    db: Db,
    keys: Secrets,
    settings: Configuration,
    limits: Limited,
    accept: Annotated[str, Header(max_length=1000)] = "",
) -> Response:
    """Show a certificate: what was lost of it first, for whom it is by choice, and its proof."""
    name, _, form = certificate.partition(".")
    found, at = db.read(find_certificate, settings.origin, parse_public_id(PREFIX, name)), now()
    if form == "pdf":
        count_of_network(PRINTS, request, limits, keys)
    form = form or ("html" if "text/html" in accept else "json")
    if form == "json":
        return JSONResponse(found.to_json(keys.receipt, at=at), headers=FRESH)
    return _set(found, form, f"{settings.site}/v1/public/certificates/{found.public}", at)


@router.get(
    "/certificates/{certificate_id}/status",
    operation_id="getCertificateStatus",
    summary="What is left of a certificate 证书状态",
    responses=problems(s404=UNKNOWN),
)
def get_status(
    certificate_id: CertificateId,
    db: Db,
    keys: Secrets,
    settings: Configuration,
    response: Response,
) -> CertificateStatusOut:
    """Say what corrections left of it by now: keep it beside the certificate."""
    response.headers.update(FRESH)
    found = db.read(find_certificate, settings.origin, parse_public_id(PREFIX, certificate_id))
    return CertificateStatusOut.model_validate(found.status(keys.receipt, at=now()))


@router.get(
    "/verifier/{name}",
    operation_id="getVerifier",
    summary="What checks a certificate 查验程序",
    response_class=Response,
    responses=PROGRAM,
)
def get_verifier(
    name: Annotated[str, Path(max_length=40, examples=["verify_certificate.py"])],
    if_none_match: Known = None,
) -> Response:
    """Give the program that the page runs, or the one to run at home."""
    if name not in VERIFIER:
        raise NotFound
    package, file, kind = VERIFIER[name]
    return tagged(files(package).joinpath(file).read_bytes(), kind, DAY, if_none_match)


def _set(found: Shown, form: str, link: str, at: datetime) -> Response:
    """Set a certificate as page or print."""
    said = told(found, f"{at:%Y-%m-%d %H:%M UTC}")
    if form == "html":
        return HTMLResponse(page_of(said, link), headers={**FRESH, **HEADERS})
    headers = {**FRESH, "content-disposition": f'inline; filename="{found.public}.pdf"'}
    return Response(pdf_of(said, link), media_type=PDF, headers=headers)
