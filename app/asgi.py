"""The ASGI application of a server process (服务入口): ``uvicorn app.asgi:app``.

Finds the city's servers by the environment, or those that ``tanpu up`` runs in the same home.
"""

import gc

from app.kernel.settings import Settings
from app.main import create_app

if not __debug__:
    raise SystemExit("tanpu refuses to run under `python -O`: its assertions are laws")

app = create_app(Settings())
gc.freeze()  # what was imported stays, and need not be looked at again
