"""A person's own data (个人信息接口): profile, settings, consents, export.

Withdrawing is one call, as giving is. Every statement names the asker's own bucket and owner.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from app.catalogue import library
from app.citizens import Citizen, travel_scenes
from app.kernel.auth import Me
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.tokens import Principal
from app.kernel.wiring import Db, Secrets
from app.privacy.consenting import Wanted, known_scenes, put_consents, standings, withdraw_all
from app.privacy.profile import change_profile, profile_of
from app.privacy.schemas import (
    ConsentsIn,
    ConsentsOut,
    ProfileIn,
    ProfileOut,
    ProviderConsentsOut,
)
from app.privacy.shown import shown_profile, shown_standing
from app.providers import ProviderUnknown

NO_PROVIDER = "There is no such provider, or nothing was ever consented to there."
Code = Annotated[str, Path(max_length=40, pattern=r"^[a-z0-9][a-z0-9-]*$")]

router = APIRouter(prefix="/v1/me", tags=["citizens 市民"])


def citizen_of(me: Principal) -> Citizen:
    """Give the citizen who asks."""
    return Citizen(me.bucket, me.owner)


@router.get("", operation_id="getProfile", summary="My profile and settings 个人资料与设置")
def get_profile(db: Db, keys: Secrets, me: Me) -> ProfileOut:
    """Show who I am here, and what I chose."""
    return shown_profile(db.read(profile_of, keys, citizen_of(me), at=now()))


@router.patch(
    "",
    operation_id="changeProfile",
    summary="Change my profile or settings 修改资料与设置",
    responses=problems(s409="A birth date was declared before, or an erasure is under way."),
)
def patch_profile(db: Db, keys: Secrets, me: Me, body: ProfileIn) -> ProfileOut:
    """Change the fields that the body names; `null` takes back a name or a language."""
    at, changes = now(), body.model_dump(include=body.model_fields_set)
    db.transact(change_profile, keys, citizen_of(me), changes, at=at)
    return shown_profile(db.read(profile_of, keys, citizen_of(me), at=at))


@router.get("/consents", operation_id="listConsents", summary="My consents 我的授权")
def list_consents(db: Db, me: Me) -> ConsentsOut:
    """Show every consent with its whole history, and what can be consented to."""
    found = db.read(standings, citizen_of(me))
    return ConsentsOut(
        data=[shown_standing(each) for each in found],
        scenes=db.read(known_scenes),
        travel=sorted(db.read(lambda session: travel_scenes(library(session).values()))),
    )


@router.get(
    "/consents/{provider}",
    operation_id="getConsents",
    summary="My consents at one provider 对某提供方的授权",
    responses=problems(s404=NO_PROVIDER),
)
def get_consents(db: Db, me: Me, provider: Code) -> ProviderConsentsOut:
    """Show what I ever consented to at this provider."""
    for each in db.read(standings, citizen_of(me)):
        if each.provider.code == provider:
            return shown_standing(each)
    raise ProviderUnknown(provider=provider)


@router.put(
    "/consents/{provider}",
    operation_id="putConsents",
    summary="Consent to a provider 授权提供方",
    responses=problems(
        s403="Under 14 and without a guardian, or the provider is suspended.",
        s404="No such provider.",
        s409="A number belongs to another citizen, or an erasure is under way.",
        s422="No such scene.",
    ),
)
def put_consents_at(
    db: Db, keys: Secrets, me: Me, provider: Code, body: ConsentsIn
) -> ProviderConsentsOut:
    """Make what I consent to at this provider exactly this; whereabouts are asked for apart."""
    wanted = Wanted(body.scenes, body.whereabouts, body.instruments, body.at_least_14)
    db.transact(put_consents, keys, citizen_of(me), provider, wanted, at=now())
    return get_consents(db, me, provider)


@router.delete(
    "/consents/{provider}",
    operation_id="withdrawConsents",
    summary="Withdraw from a provider 撤回授权",
    status_code=204,
    responses=problems(s404="No such provider."),
)
def withdraw_consents(db: Db, me: Me, provider: Code) -> Response:
    """Take back every consent and link at this provider; what counted before stays."""
    db.transact(withdraw_all, citizen_of(me), provider, at=now())
    return Response(status_code=204)
