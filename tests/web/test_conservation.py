"""Closings of units as anybody reads them (守恒公示): the bytes that were signed."""

from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi.testclient import TestClient

from app.anchoring import Notary
from app.chains import aux_digests
from app.city import City
from app.kernel.clock import day_of, now
from app.ticks import close_the_units_day
from ledger.extras import aux_root

PATH = "/v1/public/conservation"


def test_a_closing_is_public_and_under_the_next_header(
    client: TestClient, city: City, notary: Notary
) -> None:
    at = now()
    assert client.get(PATH).json() == {"data": [], "next_cursor": None}
    for _ in range(2):
        close_the_units_day(city, at)
    (told,) = client.get(PATH).json()["data"]
    assert (told["day"], told["is_kept"]) == (str(day_of(at)), True)
    answer = client.get(f"{PATH}/{told['day']}")
    key: Ed25519PublicKey = city.keys.receipt.public_key()
    key.verify(bytes.fromhex(answer.headers["tanpu-signature"]), answer.content)
    assert answer.headers["cache-control"].startswith("public")
    digests = city.worker_db.read(aux_digests)
    assert digests["registry"].hex() == told["sha256"]
    epoch = client.get("/v1/public/epochs").json()["data"][0]
    found = {name: bytes.fromhex(text) for name, text in epoch["aux"].items()}
    assert aux_root(found).hex() in epoch["header"]
    assert notary.origin == city.settings.origin


def test_a_day_that_was_not_closed_says_so(client: TestClient) -> None:
    answer = client.get(f"{PATH}/{date(2020, 1, 1)}")
    assert (answer.status_code, answer.json()["code"]) == (404, "conservation.unknown")
    assert client.get(f"{PATH}/yesterday").status_code == 422
