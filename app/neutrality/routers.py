"""Everything of gatherings over HTTP (大型活动接口)."""

from typing import Final

from app.neutrality.factors_api import router as factors
from app.neutrality.gatherings_api import router as gatherings
from app.neutrality.gifts_api import router as gifts
from app.neutrality.inventory_api import router as inventories
from app.neutrality.reserving_api import router as reservations
from app.neutrality.shares_api import router as shares
from app.neutrality.statement_api import router as statements
from app.neutrality.survey_api import router as surveys

ROUTERS: Final = (
    gatherings,
    inventories,
    surveys,
    factors,
    reservations,
    gifts,
    shares,
    statements,
)
