"""Whose is it (对象级授权): what is another's answers as if it were nobody's, and stays as it is.

Every path with an id in it is either somebody's own, and then seeded here with a real object that
a second person tries, or it is listed as shared with why; a new path is neither and fails.
"""

import io
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.city import City
from app.kernel.scopes import Scope
from tests.support.offers import picture
from tests.support.serving import shared_app
from tests.web.gathering_seeds import (
    ACTION,
    ATTENDANCE,
    CLOSING,
    LINES,
    PLAN,
    SITUATION,
    SURVEY,
    coming,
    gathering_line,
    line_table,
    past,
)
from tests.web.market_seeds import own_listing, purchase
from tests.web.neutrality_seeds import (
    EARLY,
    TICKETS,
    asked_retirement,
    counted,
    reservation,
    tickets,
    trued_up,
)
from tests.web.project_seeds import (
    REPORT,
    REVISION,
    monitoring_report,
    organisation_user,
    project,
    registered_project,
    scenario_application,
)
from tests.web.registry_seeds import gram
from tests.web.retirement_seeds import retirement
from tests.web.seeds import (
    Ask,
    Held,
    World,
    activity,
    appeal,
    batch,
    cancellation,
    certificate,
    consent,
    endpoint,
    guardianship,
    merchant_till,
    merchant_user,
    notice,
    offer,
    offer_picture,
    order,
    provider_key,
    redemption,
    session,
    settled,
    settlement,
    shown_name,
    statement,
    voucher,
    waiting_offer,
)

CORRECTION: Final = b'{"external_id":"ride-1","reason":"trip.refunded","withdrawn":true}\n'
RESET: Final = {"enrolment_sha256": "9f" * 32}
DISPUTE: Final = {"places": [0], "reason": "Not what we sold."}
REPLAY: Final = {"since": "2026-01-01T00:00:00Z"}
OWN_SCOPES: Final = (
    Scope.ME,
    Scope.REDUCTIONS_CANCEL,
    Scope.MERCHANT_MANAGE,
    Scope.SETTLEMENTS_READ,
    Scope.WEBHOOKS_MANAGE,
    Scope.ORGANISATION_MANAGE,
    Scope.HOLDINGS_READ,
    Scope.GATHERINGS_MANAGE,
    Scope.PROJECTS_MANAGE,
    Scope.SCENARIOS_OPERATE,
)
PERSONAL: Final = tuple({scope} for scope in OWN_SCOPES)
LIVE: Final = "/v1/me/live"
"""A stream that stays open; its own tests read it."""


class Try(NamedTuple):
    """A path with somebody's object in it."""

    seed: Callable[[World], Held]
    works: int
    """What its owner is answered."""
    body: Any = None


OWN: Final[Mapping[str, Try]] = {
    "DELETE /v1/auth/sessions/{session_id}": Try(session, 204),
    "GET /v1/me/activities/{activity_id}": Try(activity, 200),
    "GET /v1/me/consents/{provider}": Try(consent, 200),
    "DELETE /v1/me/guardianships/{guardianship}": Try(guardianship, 204),
    "DELETE /v1/me/statements/{statement_id}": Try(statement, 204),
    "GET /v1/me/statements/{statement_id}/checks": Try(statement, 200),
    "GET /v1/activity-batches/{batch_id}": Try(batch, 200),
    "POST /v1/activity-batches/{batch_id}/corrections": Try(batch, 201, CORRECTION),
    "GET /v1/activity-batches/{batch_id}/inclusion": Try(batch, 200),
    "DELETE /v1/provider/keys/{key_id}": Try(provider_key, 409),
    "POST /v1/merchant/users/{user_id}/suspension": Try(merchant_user, 200),
    "POST /v1/merchant/users/{user_id}/reset": Try(merchant_user, 200, RESET),
    "DELETE /v1/merchant/tills/{till_id}": Try(merchant_till, 200),
    "GET /v1/merchant/offers/{offer_id}": Try(offer, 200),
    "PATCH /v1/merchant/offers/{offer_id}": Try(offer, 200, {"stocked": 1}),
    "POST /v1/merchant/offers/{offer_id}/submission": Try(offer, 200),
    "POST /v1/merchant/offers/{offer_id}/withdrawal": Try(waiting_offer, 200),
    "POST /v1/merchant/offers/{offer_id}/images": Try(offer, 201, picture()),
    "GET /v1/merchant/offers/{offer_id}/images/{name}": Try(offer_picture, 200),
    "GET /v1/orders/{order_id}": Try(order, 200),
    "POST /v1/orders/{order_id}/cancel": Try(order, 200),
    "POST /v1/orders/{order_id}/offline": Try(order, 201),
    "GET /v1/vouchers/{voucher_id}": Try(voucher, 200),
    "GET /v1/merchant/settlements/{settlement_id}": Try(settlement, 200),
    "GET /v1/merchant/settlements/{settlement_id}.csv": Try(settlement, 200),
    "GET /v1/merchant/settlements/{settlement_id}.pdf": Try(settlement, 200),
    "GET /v1/merchant/settlements/{settlement_id}/redemptions/{redemption_id}/proof": Try(
        settled, 200
    ),
    "POST /v1/merchant/settlements/{settlement_id}/disputes": Try(settlement, 201, DISPUTE),
    "GET /v1/merchant/redemptions/{redemption_id}": Try(redemption, 200),
    "POST /v1/merchant/redemptions/{redemption_id}/reverse": Try(redemption, 201),
    "POST /v1/merchant/redemptions/{redemption_id}/reversal-confirmation": Try(redemption, 202),
    "GET /v1/cancellations/{cancellation_id}": Try(cancellation, 200),
    "POST /v1/cancellations/{cancellation_id}/reversion": Try(cancellation, 200),
    "GET /v1/certificates/{certificate_id}": Try(certificate, 200),
    "DELETE /v1/certificates/{certificate_id}/{text}": Try(shown_name, 204),
    "GET /v1/retirements/{retirement_id}": Try(retirement, 200),
    "GET /v1/me/units/{lot_id}/{activity_id}": Try(gram, 200),
    "POST /v1/retirements/{retirement_id}/revert": Try(retirement, 200),
    "POST /v1/listings/{listing_id}/withdraw": Try(own_listing, 200),
    "GET /v1/purchases/{purchase_id}": Try(purchase, 200),
    "POST /v1/purchases/{purchase_id}/cancel": Try(purchase, 200),
    "POST /v1/organisation/users/{user_id}/suspension": Try(organisation_user, 200),
    "POST /v1/organisation/users/{user_id}/reset": Try(organisation_user, 200, RESET),
    "GET /v1/organisation/scenario-applications/{application_id}": Try(scenario_application, 200),
    "GET /v1/projects/{project_id}": Try(project, 200),
    "POST /v1/projects/{project_id}/revisions": Try(project, 201, REVISION),
    "POST /v1/projects/{project_id}/withdrawal": Try(project, 200, {"reason": "Sold."}),
    "GET /v1/projects/{project_id}/reports": Try(project, 200),
    "POST /v1/projects/{project_id}/reports": Try(registered_project, 201, REPORT),
    "GET /v1/projects/{project_id}/reports/{report_id}": Try(monitoring_report, 200),
    "GET /v1/gatherings/{gathering_id}": Try(coming, 200),
    "PUT /v1/gatherings/{gathering_id}": Try(coming, 200, SITUATION),
    "GET /v1/gatherings/{gathering_id}/inventory/lines": Try(coming, 200),
    "POST /v1/gatherings/{gathering_id}/inventory/lines": Try(coming, 201, LINES),
    "DELETE /v1/gatherings/{gathering_id}/inventory/lines/{line_id}": Try(gathering_line, 204),
    "POST /v1/gatherings/{gathering_id}/inventory/tables/{kind}": Try(line_table, 422, "no table"),
    "GET /v1/gatherings/{gathering_id}/inventory": Try(past, 200),
    "POST /v1/gatherings/{gathering_id}/inventory": Try(past, 201, CLOSING),
    "GET /v1/gatherings/{gathering_id}/plan": Try(coming, 200),
    "POST /v1/gatherings/{gathering_id}/plan": Try(coming, 201, PLAN),
    "GET /v1/gatherings/{gathering_id}/actions": Try(coming, 200),
    "POST /v1/gatherings/{gathering_id}/actions": Try(coming, 201, ACTION),
    "GET /v1/gatherings/{gathering_id}/survey": Try(past, 200),
    "POST /v1/gatherings/{gathering_id}/survey": Try(past, 201, SURVEY),
    "GET /v1/gatherings/{gathering_id}/survey/qr.svg": Try(past, 200),
    "GET /v1/gatherings/{gathering_id}/survey/tickets": Try(past, 200),
    "POST /v1/gatherings/{gathering_id}/survey/lines": Try(past, 409, ATTENDANCE),
    "GET /v1/gatherings/{gathering_id}/reservations": Try(counted, 200),
    "POST /v1/gatherings/{gathering_id}/reservations": Try(counted, 422, EARLY),
    "POST /v1/gatherings/{gathering_id}/reservations/{reservation_id}/release": Try(
        reservation, 200
    ),
    "GET /v1/gatherings/{gathering_id}/standing": Try(counted, 200),
    "POST /v1/gatherings/{gathering_id}/true-up": Try(counted, 201),
    "GET /v1/gatherings/{gathering_id}/retirement": Try(trued_up, 200),
    "POST /v1/gatherings/{gathering_id}/retirement": Try(trued_up, 201),
    "POST /v1/gatherings/{gathering_id}/retirement/{retirement_id}/reversal": Try(
        asked_retirement, 200
    ),
    "POST /v1/gatherings/{gathering_id}/statement": Try(counted, 409),
    "GET /v1/gatherings/{gathering_id}/shares": Try(trued_up, 200),
    "POST /v1/gatherings/{gathering_id}/shares": Try(trued_up, 201, TICKETS),
    "GET /v1/gatherings/{gathering_id}/shares/{issue_id}/tickets": Try(tickets, 200),
    "POST /v1/me/notices/{notice_id}/read": Try(notice, 200),
    "GET /v1/webhook-endpoints/{endpoint_id}": Try(endpoint, 200),
    "PATCH /v1/webhook-endpoints/{endpoint_id}": Try(endpoint, 200, {"is_on": False}),
    "DELETE /v1/webhook-endpoints/{endpoint_id}": Try(endpoint, 204),
    "POST /v1/webhook-endpoints/{endpoint_id}/rotation": Try(endpoint, 200, {}),
    "GET /v1/webhook-endpoints/{endpoint_id}/secret": Try(endpoint, 200),
    "GET /v1/webhook-endpoints/{endpoint_id}/deliveries": Try(endpoint, 200),
    "POST /v1/webhook-endpoints/{endpoint_id}/pings": Try(endpoint, 202),
    "POST /v1/webhook-endpoints/{endpoint_id}/replays": Try(endpoint, 202, REPLAY),
}
"""A provider's only key is not ended: that refusal tells its owner that it is there."""
SHARED: Final[Mapping[str, str]] = {
    "/v1/auth/logins/{way}": "ways are words; what is unlinked is one's own",
    "/v1/me/consents/{provider}": "providers are public; what is put or taken is one's own",
    "/v1/me/challenges/{challenge_id}": "challenges are the city's; who takes part is one's own",
    "/v1/leaderboards/{board_id}": "boards are everybody's; who is named asked for it",
    "/v1/erasures/{token}": "whoever holds the token may read the receipt",
    "/v1/merchant/shifts/{shift_id}": "a till ends its own alone; see tests/web/test_tills.py",
    "/v1/admin/": "the desk is one: each scope sees all of its kind",
    "/v1/methodolog": "proposals, reviews and methodologies are the desk's and the public's",
    "/v1/shadow-runs/{run_id}": "runs belong to a proposal, which the desk reads",
    "/v1/public/": "published",
    "/v1/lots/{lot_id}": "the desk's: operator, verifier and regulator, a step each",
    "/v1/offers/{offer_id}": "on sale to everybody",
    "/v1/gatherings/{gathering_id}/gifts": "gatherings with a public plan take them from anybody",
    "/v1/gatherings/{gathering_id}/sides": "likewise; whose act is named is in test_neutrality.py",
    "/v1/listings/{listing_id}": "on sale to every organisation; only the seller withdraws it",
    "/v1/growth-documents/{version}": "published",
    "/v1/score-documents/{version}": "published",
}
LISTED: Final[Mapping[str, Callable[[World], Held]]] = {
    "cancellation": cancellation,
    "retirement": retirement,
    "session": session,
    "activity": activity,
    "appeal": appeal,
    "statement": statement,
    "guardianship": guardianship,
    "batch": batch,
    "key": provider_key,
    "merchant user": merchant_user,
    "organisation user": organisation_user,
    "gathering": coming,
    "project": project,
    "scenario application": scenario_application,
    "till": merchant_till,
    "offer": offer,
    "order": order,
    "voucher": voucher,
    "settlement": settlement,
    "endpoint": endpoint,
    "notice": notice,
}


@pytest.fixture
def world(app: FastAPI, client: TestClient, city: City) -> World:
    return World(app, client, city)


@cache
def operations() -> list[tuple[str, str, list[Mapping[str, list[str]]]]]:
    """Give method, path and what is asked of the caller, for every operation."""
    return [
        (method.upper(), path, told.get("security", []))
        for path, methods in shared_app().openapi()["paths"].items()
        for method, told in methods.items()
    ]


def test_every_path_with_an_id_is_somebodys_or_says_why_not() -> None:
    found = {f"{method} {path}" for method, path, _ in operations() if "{" in path}
    assert set(OWN) <= found
    untold = {
        each for each in found - set(OWN) if not each.partition(" ")[2].startswith(tuple(SHARED))
    }
    assert not untold
    paths = [each.partition(" ")[2] for each in found - set(OWN)]
    assert all(any(path.startswith(each) for path in paths) for each in SHARED), "one is gone"


@pytest.mark.parametrize("label", OWN)
def test_what_is_anothers_looks_like_nothing_and_stays(world: World, label: str) -> None:
    tried = OWN[label]
    held = tried.seed(world)
    method, _, template = label.partition(" ")

    def told(ask: Ask, id_: str) -> Response:
        start, _, rest = template.partition("{")
        return ask(method, start + id_ + rest.rpartition("}")[2], tried.body)

    lists = mine(held.a)
    foreign, none = told(held.b, held.id), told(held.b, held.unknown)
    assert foreign.status_code == none.status_code == 404, foreign.text
    assert shape(foreign, held.id) == shape(none, held.unknown)
    assert mine(held.a) == lists
    assert told(held.a, held.id).status_code == tried.works, "it was there all the while"


@pytest.mark.parametrize("kind", LISTED)
def test_no_list_of_bs_holds_what_is_as(world: World, kind: str) -> None:
    held = LISTED[kind](world)
    is_in = [path for path, text in mine(held.a).items() if held.id in text]
    assert is_in, "A's own lists show it"
    assert not [path for path, text in mine(held.b).items() if held.id in text]


def shape(answer: Response, id_: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Give what an answer says, but for the names of request and object."""
    body: dict[str, Any] = {**answer.json(), "instance": "", "request_id": ""}
    varying = {"x-request-id", "content-length", "date"}
    headers = {name: text for name, text in answer.headers.items() if name not in varying}
    return {name: str(each).replace(id_, "ID") for name, each in body.items()}, headers


def mine(ask: Ask) -> dict[str, str]:
    """Read every list and page that is one's own, as text."""
    found: dict[str, str] = {}
    for method, path, asked in operations():
        scopes = {scope for each in asked for listed in each.values() for scope in listed}
        personal = scopes in PERSONAL or any("providerSignature" in each for each in asked)
        if method == "GET" and personal and "{" not in path and path != LIVE:
            answer = ask(method, path)
            if answer.status_code == 200:
                found[path] = text_of(answer)
    assert found
    return found


def text_of(answer: Response) -> str:
    if answer.headers["content-type"] != "application/zip":
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        return "".join(file.read(name).decode() for name in sorted(file.namelist()))
