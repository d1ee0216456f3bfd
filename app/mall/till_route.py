"""The till's own way in (收银快捷路由): a redemption that is well formed is read without FastAPI.

For each request FastAPI solves the endpoint's dependencies, headers and body anew: a fifth of what
redeeming would cost (0041). Here the three are read one after the other. Whatever is not exactly as
the documentation has it goes the ordinary way, so each refusal is said in one place.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError

from app.kernel.once import KEY
from app.mall.order_schemas import RedemptionIn
from app.merchants.tills import signed_till

JSON: Final = "application/json"
PLAIN_MAX: Final = 1_024
"""Of a redemption's body, which is one short code [bytes]."""
Answering = Callable[[Request], Coroutine[Any, Any, Response]]


class TillRoute(APIRoute):
    """Serves an endpoint of a request, a till, what it read and an Idempotency-Key."""

    def get_route_handler(self) -> Answering:
        """Give what answers a request: at once, or as FastAPI does."""
        ordinary, endpoint = super().get_route_handler(), self.endpoint

        async def handle(request: Request) -> Response:
            key = request.headers.get("idempotency-key", "")
            is_plain = request.headers.get("content-type") == JSON and KEY.fullmatch(key)
            # Where a test has put another signature in the place of ours, FastAPI knows of it.
            if not is_plain or request.app.dependency_overrides:
                return await ordinary(request)
            sent = await request.body()
            # No till sends one this long: its faults are FastAPI's to name, and named once.
            if len(sent) > PLAIN_MAX:
                return await ordinary(request)
            try:
                body = RedemptionIn.model_validate_json(sent)
            except ValidationError:
                return await ordinary(request)
            till = await signed_till(request)
            return await endpoint(request, till, body, key)

        return handle
