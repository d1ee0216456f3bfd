"""The routers of this domain (路由), as the application takes them."""

from typing import Final

from app.growth.api import documents
from app.growth.api import router as growth

ROUTERS: Final = (growth, documents)
