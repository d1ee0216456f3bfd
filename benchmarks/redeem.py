"""What redeeming costs over HTTP, beside one SQL function and an ORM, in one run (R28).

Three servers, each a process of its own under uvicorn: the application as it ships, with signed
requests of a till; a bare endpoint that calls one SQL function, the floor; the same deed through an
ORM's session. Eight connections keep each busy in interleaved rounds. CPU is the server process's
own, without PostgreSQL's and the client's; requests are signed before the round begins.

Run ``python -m benchmarks.redeem [--json] [--rounds N] [--requests N]``.
"""

import asyncio
import json
import os
import socket
import statistics
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.kernel.signatures import TILL
from app.kernel.signing import sign
from app.mall.vouchers import key_of, qr_text
from benchmarks.cluster import Ground, ground
from benchmarks.vouchers import VoucherGround, open_ground, place_orders

BUDGET_US: Final = 900.0
RATIO: Final = 0.5
CONNECTIONS: Final = 8
WARM_UP: Final = 150
HOST: Final = "bench"
PATH: Final = "/v1/merchant/redemptions"
TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
Write = Callable[[UUID], bytes]
"""Writes the request that redeems a voucher."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a server came to: medians of the rounds."""

    what: str
    cpu_us: float
    """Of the server process, a request [µs]."""
    rate: float
    """Answered in a second."""


class Serving(NamedTuple):
    """A server process."""

    port: int
    pid: int


def serve(what: str, city: Ground, ports: Any) -> None:  # noqa: ANN401 -- of multiprocessing
    """Be one of the three servers."""
    import gc  # noqa: PLC0415

    import uvicorn  # noqa: PLC0415

    from benchmarks import redeem_floors  # noqa: PLC0415
    from benchmarks.api import city_of  # noqa: PLC0415

    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    ports.put(Serving(listener.getsockname()[1], os.getpid()))
    with city_of(city) as opened:
        if what == "redemption":
            from app.main import create_app  # noqa: PLC0415

            app = create_app(opened.settings, opened)
        else:
            made = redeem_floors.floor_app if what == "floor" else redeem_floors.orm_app
            app = made(city.url)
        gc.freeze()
        config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False)
        uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def server(what: str, city: Ground) -> Generator[Serving]:
    """Run one of the three, and end it."""
    context = get_context("spawn")
    ports = context.Queue()
    process = context.Process(target=serve, args=(what, city, ports), daemon=True)
    process.start()
    try:
        yield ports.get(timeout=60)
    finally:
        process.terminate()
        process.join(20)
        if process.is_alive():
            process.kill()


def signed(found: VoucherGround, keys: Keys) -> Write:
    """Write requests as a till sends them."""
    url = f"http://{HOST}{PATH}"

    def write(voucher: UUID) -> bytes:
        at = now()
        body = json.dumps({"code": qr_text(key_of(keys, voucher), voucher, at)}).encode()
        facts: dict[str, Any] = {"at": at, "body": body, "idempotency_key": new_id().hex}
        said = sign(
            found.private_key,
            found.till.public,
            "POST",
            url,
            content_type="application/json",
            tag=TILL,
            **facts,
        )
        return _request(PATH, body, said)

    return write


def bare(found: VoucherGround) -> Write:
    """Write requests that nothing protects."""

    def write(voucher: UUID) -> bytes:
        till = str(found.till.id)
        body = json.dumps({"voucher": str(voucher), "till": till, "key": new_id().hex})
        return _request("/", body.encode(), {"content-type": "application/json"})

    return write


def _request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"host: {HOST}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def send(port: int, requests: Sequence[bytes]) -> None:
    """Send all of them over a few connections, each one after the other."""
    waiting = iter(requests)

    async def line() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
            assert head.startswith(b"HTTP/1.1 201"), head + body
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(line() for _ in range(CONNECTIONS)))


def cpu_s(pid: int) -> float:
    """Give a process's CPU time until now [s], of threads that ended as well."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def measured(at: Serving, requests: Sequence[bytes]) -> tuple[float, float]:
    """Give the CPU of a request [µs], and requests a second."""
    cpu, begun = cpu_s(at.pid), time.perf_counter()
    asyncio.run(send(at.port, requests))
    took_s = time.perf_counter() - begun
    return (cpu_s(at.pid) - cpu) / len(requests) * 1e6, len(requests) / took_s


def run(rounds: int, requests: int) -> list[Cost]:
    """Make the city and measure, in interleaved rounds."""
    names = ("redemption", "floor", "orm")
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    with ground() as city:
        shop = open_ground(city, len(names) * (WARM_UP + rounds * requests))
        db, keys = Database(city.url), city.keys()
        writes: dict[str, Write] = {name: bare(shop) for name in names}
        writes["redemption"] = signed(shop, keys)
        with server(names[0], city) as a, server(names[1], city) as b, server(names[2], city) as c:
            servers = dict(zip(names, (a, b, c), strict=True))
            for round_ in range(rounds + 1):
                for name in names:
                    count = requests if round_ else WARM_UP
                    vouchers = place_orders(db, keys, shop, count)
                    sent = [writes[name](voucher) for voucher in vouchers]
                    cost = measured(servers[name], sent)
                    if round_:
                        found[name].append(cost)
        db.dispose()
    return [
        Cost(name, *(statistics.median(column) for column in zip(*found[name], strict=True)))
        for name in names
    ]


def main(arguments: list[str]) -> int:
    """Print the table, or JSON; 1 if a gate is missed."""
    parser = ArgumentParser("benchmarks.redeem")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=600)
    given = parser.parse_args(arguments)
    costs = {cost.what: cost for cost in run(given.rounds, given.requests)}
    own, floor = costs["redemption"], costs["floor"]
    ratio = own.rate / floor.rate
    is_kept = own.cpu_us <= BUDGET_US and ratio >= RATIO
    if given.json:
        said = {"costs": [asdict(cost) for cost in costs.values()], "ratio": ratio}
        print(json.dumps(said | {"is_kept": is_kept}, indent=1))
    else:
        print(f"{'one voucher':34} {'CPU µs':>8} {'requests/s':>11} {'× floor':>8}")
        titles = {
            "redemption": "redemption, signed, as it ships",
            "floor": "floor: bare, one SQL function",
            "orm": "bare, through an ORM's session",
        }
        for cost in costs.values():
            share = cost.rate / floor.rate
            print(f"{titles[cost.what]:34} {cost.cpu_us:8.0f} {cost.rate:11.0f} {share:8.2f}")
        verdict = "kept" if is_kept else "MISSED"
        print(f"gates: {BUDGET_US:.0f} µs, {RATIO} × the floor's rate: {verdict}")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
