"""The routers of this domain (路由), as the application takes them."""

from typing import Final

from app.growth.api import documents
from app.growth.api import router as growth
from app.growth.statement_api import open_router as checking
from app.growth.statement_api import router as statements
from app.growth.together_api import router as together

ROUTERS: Final = (growth, documents, statements, checking, together)
