"""Every router of lots, batches and units (登记簿路由)."""

from typing import Final

from fastapi import APIRouter

from app.registry.lots_api import router as lots
from app.registry.lots_api import terms
from app.registry.public_api import router as public
from app.registry.recalls_api import public as public_recalls
from app.registry.recalls_api import router as recalls
from app.registry.retirements_api import public as public_retirements
from app.registry.retirements_api import router as retirements
from app.registry.units_api import holdings, mine

ROUTERS: Final[tuple[APIRouter, ...]] = (
    lots,
    terms,
    public,
    mine,
    holdings,
    recalls,
    public_recalls,
    retirements,
    public_retirements,
)
