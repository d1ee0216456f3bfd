"""What must answer before a process serves (就绪): database, Redis, chain, within limits."""

import http.client
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import psycopg

from app.city import City
from app.kernel.redis import RedisAway

DATABASE_TIMEOUT_S: Final = 2
CHAIN_TIMEOUT_S: Final = 2.0
ASK_CHAIN: Final = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'


def readiness(city: City) -> dict[str, str]:
    """Give for each server ``ok``, or what is wrong with it."""
    checks: dict[str, Callable[[City], None]] = {
        "database": _database,
        "redis": _redis,
        "chain": _chain,
    }
    return {name: _outcome(check, city) for name, check in checks.items()}


def _outcome(check: Callable[[City], None], city: City) -> str:
    try:
        check(city)
    except (psycopg.Error, OSError, http.client.HTTPException) as error:
        return type(error).__name__
    return "ok"


def _database(city: City) -> None:
    """Ask over a connection of its own: a pooled one to a server that hangs would hang as well."""
    with psycopg.connect(city.db.url, connect_timeout=DATABASE_TIMEOUT_S) as connection:
        connection.execute("set statement_timeout = '2s'")
        connection.execute("select 1")


def _redis(city: City) -> None:
    """Ask behind the breaker: while the others are led past it, it counts as away."""
    try:
        city.redis.ask(lambda client: client.ping())
    except RedisAway as error:
        raise ConnectionError from error


def _chain(city: City) -> None:
    where = urlsplit(city.addresses.chain_rpc_url)
    assert where.hostname is not None, "the settings name a host"
    made = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = made(where.hostname, where.port, timeout=CHAIN_TIMEOUT_S)
    try:
        connection.request(
            "POST", where.path or "/", ASK_CHAIN, {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        if answer.status != http.client.OK or b'"result"' not in answer.read(10_000):
            raise http.client.HTTPException(f"status {answer.status}")
    finally:
        connection.close()
