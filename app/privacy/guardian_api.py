"""Guardians over the API (监护人接口): the child shows a code, the guardian enters it."""

from secrets import randbelow
from typing import Annotated

from fastapi import APIRouter, Path, Response

from app.citizens.errors import GuardianshipUnknown
from app.citizens.guardians import RANDOM_DIGITS, wards_of, write_code
from app.kernel.auth import Me
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import ALPHABET, new_id, parse_public_id
from app.kernel.wiring import Db, Secrets
from app.privacy.api import citizen_of
from app.privacy.guarding import ask_guardian, stand_for, step_back
from app.privacy.schemas import CodeIn, CodeOut, GuardianOut, WardsOut
from app.privacy.shown import shown_guardianship

router = APIRouter(prefix="/v1/me", tags=["citizens 市民"])


@router.post(
    "/guardian-codes",
    operation_id="askGuardian",
    summary="Ask a guardian to consent for me 邀请监护人",
    status_code=201,
    responses=problems(s409="I need none, or I have one, or an erasure is under way."),
)
def ask_for_guardian(db: Db, keys: Secrets, me: Me) -> CodeOut:
    """Make a code that my guardian enters within a day; the one before it ends."""
    child = citizen_of(me)
    code = write_code(child, [randbelow(len(ALPHABET)) for _ in range(RANDOM_DIGITS)])
    return CodeOut(code=code, ends_at=db.transact(ask_guardian, keys, child, code, at=now()))


@router.post(
    "/wards",
    operation_id="becomeGuardian",
    summary="Consent for a child 监护人同意",
    status_code=201,
    responses=problems(
        s403="I have not declared to be a grown-up.",
        s404="Nobody shows this code, or no longer.",
        s409="The child has a guardian, or it is me, or an erasure is under way.",
    ),
)
def become_guardian(db: Db, keys: Secrets, me: Me, body: CodeIn) -> GuardianOut:
    """Stand for the child who shows this code: they may consent to providers from now on."""
    made = db.transact(stand_for, keys, citizen_of(me), body.code, named=new_id(), at=now())
    return shown_guardianship(made)


@router.get("/wards", operation_id="listWards", summary="Children I stand for 我监护的未成年人")
def list_wards(db: Db, me: Me) -> WardsOut:
    """Show for whom I have consented."""
    return WardsOut(data=[shown_guardianship(each) for each in db.read(wards_of, citizen_of(me))])


@router.delete(
    "/guardianships/{guardianship}",
    operation_id="endGuardianship",
    summary="End a guardianship 结束监护",
    status_code=204,
    responses=problems(s404="I have no such guardianship."),
)
def end_guardianship(
    db: Db, keys: Secrets, me: Me, guardianship: Annotated[str, Path(max_length=40)]
) -> Response:
    """End it, from either side; what a child under 14 had consented to ends at once."""
    which = parse_public_id("gua", guardianship)
    if which is None:
        raise GuardianshipUnknown
    db.transact(step_back, keys, citizen_of(me), which, at=now())
    return Response(status_code=204)
