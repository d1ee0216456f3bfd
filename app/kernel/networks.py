"""Limits by network (按网络限流): how often anybody of one /24, or IPv6 /64, may ask something."""

from fastapi import Request
from fastapi.params import Depends

from app.kernel.clock import now
from app.kernel.limits import Limit, Limits, network_of
from app.kernel.secrets import Keys
from app.kernel.wiring import Limited, Secrets


def few_of_network(limit: Limit) -> Depends:
    """Count each request of a network; stands among an endpoint's ``dependencies``."""

    def count(request: Request, limits: Limited, keys: Secrets) -> None:
        """Count a try.

        Raises:
            LimitExceeded: There were too many.
        """
        count_of_network(limit, request, limits, keys)

    return Depends(count)


def count_of_network(limit: Limit, request: Request, limits: Limits, keys: Keys) -> None:
    """Count one request of its network.

    Raises:
        LimitExceeded: There were too many.
    """
    address = request.client.host if request.client else ""
    who = keys.login_hash(f"network/{limit.name}", network_of(address).encode())
    limits.take([(limit, who)], at=now())
