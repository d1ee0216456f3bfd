"""The web application, put together (应用组装): routers, problem documents, health, front page."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager, nullcontext
from functools import partial
from html import escape
from importlib.metadata import version
from importlib.resources import files
from string import Template
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi_offline import FastAPIOffline

from app.activities.api import LARGER_BODIES
from app.activities.api import router as batches
from app.activities.correction_api import router as corrections
from app.activities.quality_api import router as quality
from app.anchoring.api import router as epochs
from app.anchoring.inclusion_api import router as inclusion
from app.benefit.api import router as benefit
from app.campaigns.api import router as simulations
from app.cancellations.api import router as cancellations
from app.catalogue.api import router as methodologies
from app.certificates.api import router as own_certificates
from app.certificates.desk_api import router as certificate_desk
from app.certificates.public_api import router as certificates
from app.certificates.takedown_api import router as takedowns
from app.citizens import rights_of_citizen, sms_of, wechat_of
from app.citizens.api import router as entrance
from app.city import City, open_city
from app.governance import DEEDS as GOVERNANCE_DEEDS
from app.governance.api import router as proposals
from app.governance.decisions_api import router as decisions
from app.governance.runs_api import router as runs
from app.growth.routers import ROUTERS as GROWTH
from app.kernel.auth import refuse_open_endpoints
from app.kernel.calls import Calls
from app.kernel.http import install
from app.kernel.openapi import describe
from app.kernel.routing import ByWords
from app.kernel.settings import Settings
from app.kernel.tokens import Tokens
from app.kernel.tracing import exporter, trace
from app.mall.merchant_offers_api import router as own_offers
from app.mall.object_store import FileStore
from app.mall.offer_desk_api import router as offer_desk
from app.mall.offer_uploads_api import LARGER_BODIES as UPLOADS
from app.mall.offer_uploads_api import router as offer_uploads
from app.mall.offers_api import router as offers
from app.mall.orders_api import router as orders
from app.mall.till_api import router as tills
from app.market import DEEDS as MARKET_DEEDS
from app.market.api import router as market
from app.market.desk_api import router as market_desk
from app.market.public_api import router as closed_loop
from app.merchants import DEEDS as MERCHANT_DEEDS
from app.merchants import merchant_scopes
from app.merchants.api import router as merchant_entrance
from app.merchants.console_api import router as console
from app.merchants.desk_api import router as merchants
from app.merchants.shift_api import router as shifts
from app.merchants.tills import signed_till
from app.neutrality.inventory_api import LARGER_BODIES as INVENTORY_TABLES
from app.neutrality.routers import ROUTERS as NEUTRALITY
from app.notices.api import router as notices
from app.organisations import DEEDS as ORGANISATION_DEEDS
from app.organisations import organisation_scopes
from app.organisations.api import router as organisation_entrance
from app.organisations.desk_api import router as organisations
from app.partners import DEEDS as PARTNER_DEEDS
from app.partners.api import router as partners
from app.partners.token_api import router as machines
from app.points import DEEDS as POINTS_DEEDS
from app.points.api import router as points
from app.points.desk_api import router as programmes
from app.privacy.api import router as me
from app.privacy.guardian_api import router as guardians
from app.privacy.leaving_api import router as leaving
from app.projects import DEEDS as PROJECT_DEEDS
from app.projects.api import router as own_projects
from app.projects.desk_api import router as projects
from app.projects.public_api import router as public_projects
from app.projects.scenario_api import router as scenario_operators
from app.providers import DEEDS as PROVIDER_DEEDS
from app.providers.api import router as own_keys
from app.providers.desk_api import router as providers
from app.providers.senders import signed_request
from app.readiness import readiness
from app.registry import DEEDS as REGISTRY_DEEDS
from app.registry.conservation_api import router as conservation
from app.registry.passport_api import router as passports
from app.registry.passport_deeds import PASSPORT_DEEDS
from app.registry.routers import ROUTERS as REGISTRY
from app.sandbox import router as sandbox
from app.sessions import Rights
from app.sessions.api import router as sessions
from app.settlements import DEEDS as SETTLEMENT_DEEDS
from app.settlements.api import router as settlements
from app.settlements.desk_api import router as settlement_desk
from app.staff import DEEDS as STAFF_DEEDS
from app.staff import Deed, clerk_scopes
from app.staff.api import router as desk
from app.staff.clerk_api import router as staff
from app.wallet import DEEDS as WALLET_DEEDS
from app.wallet import LiveStreams
from app.wallet.api import router as wallet
from app.wallet.appeal_api import router as appeals
from app.wallet.live_api import router as live
from app.webhooks.api import router as webhooks
from app.webhooks.log_api import router as webhook_log

RETRY_AFTER_S: Final = "5"
ROUTERS: Final = (
    entrance,
    sessions,
    batches,
    corrections,
    quality,
    inclusion,
    own_keys,
    providers,
    epochs,
    conservation,
    methodologies,
    proposals,
    decisions,
    runs,
    wallet,
    live,
    appeals,
    desk,
    staff,
    partners,
    machines,
    points,
    programmes,
    merchant_entrance,
    console,
    shifts,
    merchants,
    organisation_entrance,
    organisations,
    own_projects,
    projects,
    public_projects,
    scenario_operators,
    me,
    guardians,
    leaving,
    offers,
    own_offers,
    offer_uploads,
    offer_desk,
    orders,
    tills,
    settlements,
    settlement_desk,
    passports,
    market,
    market_desk,
    closed_loop,
    benefit,
    cancellations,
    own_certificates,
    certificates,
    takedowns,
    certificate_desk,
    simulations,
    webhooks,
    webhook_log,
    notices,
    *GROWTH,
    *REGISTRY,
    *NEUTRALITY,
)
DEEDS: Final[Mapping[str, Deed]] = {
    **STAFF_DEEDS,
    **PROVIDER_DEEDS,
    **PARTNER_DEEDS,
    **MERCHANT_DEEDS,
    **ORGANISATION_DEEDS,
    **PROJECT_DEEDS,
    **GOVERNANCE_DEEDS,
    **POINTS_DEEDS,
    **WALLET_DEEDS,
    **SETTLEMENT_DEEDS,
    **REGISTRY_DEEDS,
    **PASSPORT_DEEDS,
    **MARKET_DEEDS,
}
"""What a second signature sets in motion, by act; each domain names its own."""
PUBLIC: Final = frozenset(
    {
        "POST /v1/auth/codes",
        "POST /v1/auth/tokens",
        "POST /v1/auth/tokens/refresh",
        "DELETE /v1/auth/tokens",
        "POST /v1/staff/enrolments",
        "POST /v1/staff/tokens",
        "POST /v1/merchant-applications",
        "POST /v1/merchant/enrolments",
        "POST /v1/merchant/tokens",
        "POST /v1/organisation-applications",
        "POST /v1/organisation/enrolments",
        "POST /v1/organisation/tokens",
        "POST /v1/oauth/token",
        "GET /v1/offers",
        "GET /v1/offers/{offer_id}",
        "GET /v1/offer-categories",
        "GET /v1/public/images/{name}",
        "GET /v1/methodologies",
        "GET /v1/methodologies/{code}/{version}",
        "POST /v1/methodologies/{code}/{version}/calculations",
        "OPTIONS /v1/methodologies/{code}/{version}/calculations",
        "GET /v1/scenario-approvals",
        "GET /v1/public/factor-corrections",
        "GET /v1/public/factor-corrections/{correction_id}",
        "GET /v1/public/programmes",
        "GET /v1/public/programmes/{code}",
        "GET /v1/public/cancellations",
        "GET /v1/public/retirements",
        "GET /v1/public/cancellations/{cancellation_id}",
        "GET /v1/public/certificates/{certificate}",
        "GET /v1/public/certificates/{certificate_id}/status",
        "GET /v1/public/certificate-takedowns",
        "GET /v1/public/verifier/{name}",
        "GET /v1/erasures/{token}",
        "GET /v1/public/receipt-key",
        "GET /v1/public/recalls",
        "GET /v1/public/recalls/{recall_id}",
        "GET /v1/public/conservation",
        "GET /v1/public/conservation/{day}",
        "GET /v1/public/epochs",
        "GET /v1/public/projects",
        "GET /v1/public/scenario-operators",
        "GET /v1/public/epochs/{epoch}",
        "GET /v1/score-documents/{version}",
        "GET /v1/growth-documents/{version}",
        "POST /v1/public/statements/verify",
        "GET /v1/public/statement-status/{number}",
        "GET /v1/public/statement-keys",
        "GET /v1/public/purpose-passports",
        "GET /v1/public/closed-loop",
        "GET /v1/public/issuance-terms",
        "GET /v1/public/lots",
        "GET /v1/public/lots/{lot_id}",
        "GET /v1/public/lots/{lot_id}/report",
        "GET /v1/public/lots/{lot_id}/report.html",
        "GET /v1/public/lots/{lot_id}/sample",
        "GET /v1/public/lots/{lot_id}/tiles/{level}/{number}",
        "GET /v1/public/issue-batches",
        "GET /v1/public/issue-batches/{batch_id}",
        "GET /v1/public/issue-batches/{batch_id}/units/{number}",
        "GET /v1/public/serials/{serial}",
        "GET /v1/public/headers.jsonl",
        "GET /v1/public/factors",
        "GET /v1/public/factors/{table_id}",
        "GET /v1/public/factors/{table_id}/file",
        "GET /v1/public/gatherings/{gathering_id}",
        "GET /v1/public/gatherings/{gathering_id}/plan",
        "GET /v1/public/surveys/{link}",
        "POST /v1/public/surveys/{link}/answers",
        "POST /v1/public/surveys/{link}/form",
        "GET /v1/public/gatherings/{gathering_id}/proof",
        "GET /v1/public/gatherings/{gathering_id}/share",
        "POST /v1/public/gatherings/{gathering_id}/shares",
        "GET /v1/public/gatherings/{gathering_id}/statement.pdf",
        "GET /v1/public/share.js",
        "GET /v1/public/checkpoint",
        "GET /v1/public/tile/{path:path}",
        "GET /v1/public/log/tile/{path:path}",
    }
)
"""What anybody may ask. Every other endpoint under /v1 names a scope or checks a signature."""
SANDBOX_PUBLIC: Final = frozenset({"GET /v1/sandbox/clock"})
"""Likewise, where there is such a clock."""
RIGHTS: Final[Rights] = {
    "citizen": rights_of_citizen,
    "clerk": clerk_scopes,
    "merchant": merchant_scopes,
    "organisation": organisation_scopes,
}
"""What the holder of a session may do at each refresh, by kind."""


def create_app(settings: Settings, city: City | None = None) -> FastAPI:
    """Make the application over ``city``, or over one that it opens and closes itself.

    Whatever is a city's is put on ``app.state`` when the application starts.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        with app.state.opening() as opened:
            own: Settings = opened.settings
            app.state.city = opened
            app.state.tokens = Tokens(lambda: opened.keys.access, own.origin)
            app.state.sms, app.state.wechat = sms_of(own), wechat_of(own)
            app.state.pictures = FileStore(own.images_path)
            async with aclosing(Calls(opened.db)) as app.state.calls:
                yield

    app = FastAPIOffline(
        title=title_of(settings),
        summary="City carbon inclusion (碳普惠): activities, reductions, proofs.",
        version=version("tanpu"),
        lifespan=lifespan,
        redoc_url=None,
        # Ours are app.kernel.{tracing,metrics}; FastAPI's own would write refused inputs into logs.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    install(app, body_max={**LARGER_BODIES, **UPLOADS, **INVENTORY_TABLES})
    app.state.opening = partial(open_city, settings) if city is None else partial(nullcontext, city)
    app.state.deeds, app.state.rights = DEEDS, RIGHTS
    app.state.live = LiveStreams()
    for router in (*ROUTERS, sandbox) if settings.sandbox else ROUTERS:
        app.include_router(router)
    refuse_open_endpoints(
        app.routes,
        below="/v1",
        public=PUBLIC | SANDBOX_PUBLIC,
        signatures={signed_request, signed_till},
    )
    if settings.otlp_endpoint is not None:
        trace(app, exporter(settings.otlp_endpoint))
    app.add_api_route("/", front_page, include_in_schema=False)
    app.add_api_route("/health", health, tags=["operations 运维"])
    app.add_api_route(
        "/ready",
        ready,
        tags=["operations 运维"],
        responses={503: {"description": "A server is away; the body names it."}},
    )
    describe(app)
    app.router.routes.insert(0, ByWords(app.routes))
    return app


def title_of(settings: Settings) -> str:
    """Name what runs, so that nobody takes a sandbox for a city."""
    return "Tanpu 碳普 Sandbox 沙箱" if settings.sandbox else "Tanpu 碳普"


def front_page(request: Request) -> HTMLResponse:
    """Say what runs, and link to the documents."""
    city: City = request.app.state.city
    page = Template(files("app").joinpath("static", "root.html").read_text(encoding="utf-8"))
    shown = {
        "title": title_of(city.settings),
        "version": version("tanpu"),
        "origin": city.settings.origin,
        "env": city.settings.env,
    }
    return HTMLResponse(page.substitute({name: escape(text) for name, text in shown.items()}))


def health() -> dict[str, str]:
    """Say that this process answers (存活)."""
    return {"status": "ok"}


def ready(request: Request) -> JSONResponse:
    """Say whether every server that this process needs answers (就绪)."""
    city: City = request.app.state.city
    checks = readiness(city)
    if all(value == "ok" for value in checks.values()):
        return JSONResponse({"status": "ok", "checks": checks})
    return JSONResponse(
        {"status": "unavailable", "checks": checks},
        status_code=503,
        headers={"Retry-After": RETRY_AFTER_S},
    )
