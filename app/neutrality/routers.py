"""Everything of gatherings over HTTP (大型活动接口)."""

from typing import Final

from app.neutrality.factors_api import router as factors
from app.neutrality.gatherings_api import router as gatherings
from app.neutrality.inventory_api import router as inventories

ROUTERS: Final = (gatherings, inventories, factors)
