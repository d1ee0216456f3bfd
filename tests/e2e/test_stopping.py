"""Stopping under load (负载下停机): whoever was answered was answered for good, and nobody twice.

Eight providers' clients send batches while the city is asked to stop. A try that got no answer is
sent again after the restart under the same Idempotency-Key, as the manual tells providers.
"""

import json
import signal
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.citizens import WHEREABOUTS, enrol_unknown
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from app.kernel.signing import sign
from app.providers import add_provider, register_key
from tests.e2e.conftest import City, Starter

CLIENTS = 8
LINES = 40
CALM_S = 2.0
ROUTE = "/v1/activity-batches?methodology=SZ-METRO"
SCENE = "sz-metro"
UPLOADS = "select count(*), sum(c.counts[1]) from upload u join upload_chunk c on c.upload = u.id"


@dataclass
class Client:
    """Sends one batch after the other, and keeps what it was told."""

    number: int
    key: Ed25519PrivateKey
    answered: dict[str, bytes] = field(default_factory=dict[str, bytes])
    unanswered: list[str] = field(default_factory=list[str])
    wrong: list[str] = field(default_factory=list[str])

    def send(self, url: str, name: str) -> bool:
        """Send the batch of that name; says whether it was answered."""
        at = now() - timedelta(days=1)
        body = "".join(
            f'{{"external_id":"{name}-{line}","subject":"card-{self.number}",'
            f'"occurred_at":"{at:%Y-%m-%dT00:00:00+00:00}","distance":"1.{line:02}"}}\n'
            for line in range(LINES)
        ).encode()
        headers = sign(
            self.key, "k", "POST", url + ROUTE, at=now(), body=body, idempotency_key=name
        )
        try:
            with urlopen(Request(url + ROUTE, body, headers), timeout=20) as answer:
                self.answered[name] = answer.read()
        except HTTPError as error:
            self.wrong.append(f"{error.code} {error.read()[:200]!r}")
        except (URLError, ConnectionError, TimeoutError):
            self.unanswered.append(name)
        return name in self.answered

    def work(self, url: str) -> None:
        """Send until a try stays without an answer; at most a thousand."""
        for number in range(1000):
            if not self.send(url, f"{self.number}-{number}"):
                return


def enrolled(city: City) -> Ed25519PrivateKey:
    """Open the provider, its key and its riders."""
    key = Ed25519PrivateKey.generate()
    addresses = json.loads((city.home / "run" / "addresses.json").read_text())
    db = Database(addresses["database_url"])
    keys = Keys(Settings(tanpu_home=city.home).keys_path, make_missing=False)
    made = db.transact(add_provider, "line", name_zh="线", name_en="Line", at=now())
    db.transact(
        register_key, made, "k", key.public_key().public_bytes_raw(), at=now() - timedelta(hours=1)
    )
    numbers = [keys.subject_hash("line", f"card-{number}") for number in range(CLIENTS)]
    since = now() - timedelta(days=9)
    for scene in (SCENE, WHEREABOUTS):
        db.transact(
            enrol_unknown, keys, made.id, numbers, scene, since=since, at=now(), is_production=False
        )
    db.dispose()
    return key


@pytest.mark.timeout(300)
def test_a_stop_under_load_loses_no_answer_and_doubles_no_act(start: Starter) -> None:
    city = start.up()
    city.wait_until_it_serves(120)
    key = enrolled(city)
    clients = [Client(number, key) for number in range(CLIENTS)]
    threads = [threading.Thread(target=each.work, args=(city.url,)) for each in clients]
    for thread in threads:
        thread.start()
    time.sleep(CALM_S)
    city.end(signal.SIGTERM)
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert not [said for each in clients for said in each.wrong], "no refusal and no defect"
    answered = sum(len(each.answered) for each in clients)
    assert answered >= CLIENTS, "there was a load"

    city = start.up()
    city.wait_until_it_serves(120)
    for each in clients:
        for name in each.unanswered[:]:
            assert each.send(city.url, name), each.wrong
        for name, body in list(each.answered.items()):
            assert json.loads(body)["receipt"], name
    sent = sum(len(each.answered) for each in clients)
    assert city.rows(UPLOADS) == [(sent, sent * LINES)], "each batch once, with all of its acts"
    with urlopen(city.url + "/health", timeout=5) as answer:
        assert answer.status == HTTPStatus.OK
    city.end(signal.SIGTERM)
