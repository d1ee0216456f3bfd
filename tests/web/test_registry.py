"""The registry over HTTP (登记接口): from a ride to a unit that opens to it, each in their role."""

import csv
import io
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.activities import Item
from app.activities.marks import record_of
from app.city import City
from app.kernel.clock import now
from app.kernel.ids import parse_public_id
from ledger.lots import LotRow, check_row, nonce_commitment, row_leaf
from ledger.serials import parse_serial
from tests.support.acts import people, rows, send
from tests.support.desk import Desk, Person, staffed
from tests.support.points import swap
from tests.support.registry import NONCES, Registry, grade_a
from tests.support.wallets import operator, ride, somebody

RIDE = grade_a()
TERMS = {"buffer_permille": 250, "sample_rows": 3, "reason": "as the measure says"}
CARDS = ("card-1", "card-2", "card-3", "card-4")
RIDES = 8
GRAMS = 10 * 100
"""Of a ride of ten kilometres."""


class Street:
    """Four citizens who rode and exchanged, and everybody at the desk."""

    def __init__(self, app: FastAPI, client: TestClient, city: City, folder: Path) -> None:
        self.app, self.client, self.city = app, client, city
        self.desk: Desk = staffed(app, client, city)
        self.registry = Registry(city.db, city.worker_db, city.keys, folder, at=now())
        metro = operator(city.db)
        people(city.db, city.keys, metro, CARDS, choice=RIDE)
        self.rides = [ride(n, CARDS[n % len(CARDS)]) for n in range(RIDES)]
        send(city.db, city.keys, metro, self.rides, RIDE)
        self.citizens = [somebody(city.db, city.keys, metro, card) for card in CARDS]
        for each in self.citizens:
            swap(city.db, each.owner)
        self.key = rows(city.db, "select key from asset where grade = 'A'")[0][0].hex()

    def record(self, external_hash: str) -> Item:
        """Find the provider's own record of an act that the verifier asks for."""
        known = {sha256(each.external_id.encode()).hexdigest()[:32]: each for each in self.rides}
        return known[external_hash]

    def public(self, path: str) -> Any:  # noqa: ANN401 -- JSON
        said = self.client.get(f"/v1/public{path}")
        assert said.status_code == 200, said.text
        return said.json()

    def done(self, who: Person, path: str, body: object = None, status: int = 201) -> Any:  # noqa: ANN401
        said = who.post(path, body)
        assert said.status_code == status, said.text
        return said.json()

    def signed(self, path: str, body: object) -> None:
        """Let the operator ask and the regulator sign."""
        asked = self.done(self.desk.operator, path, body, 202)
        signed = self.desk.regulator.sign(asked["id"])
        assert signed.status_code == 200, signed.text

    def frozen(self) -> str:
        """A lot of all four, by the desk and the job."""
        lot = self.done(self.desk.operator, "/v1/lots", {"class_key": self.key})["id"]
        self.registry.at = max(self.registry.at, now())
        self.registry.freeze()
        return lot

    def sampled(self, lot: str) -> None:
        """Both parties' nonces, the epoch between, the report and the draw."""
        parties = (self.desk.verifier, self.desk.regulator)
        known = parse_public_id("lot", lot)
        assert known is not None
        for who, (party, nonce) in zip(parties, NONCES.items(), strict=True):
            body = {"commitment": nonce_commitment(known, party, nonce).hex()}
            self.done(who, f"/v1/lots/{lot}/{party}-nonce", body)
        self.registry.close()
        for who, (party, nonce) in zip(parties, NONCES.items(), strict=True):
            self.done(who, f"/v1/lots/{lot}/{party}-nonce", {"nonce": nonce.hex()})
        self.done(self.desk.operator, f"/v1/lots/{lot}/report")
        self.done(self.desk.verifier, f"/v1/lots/{lot}/sample")

    def findings(self, lot: str) -> list[dict[str, Any]]:
        """What the verifier finds: every record opens its commitment."""
        sample = self.desk.verifier.get(f"/v1/lots/{lot}/sample").json()["data"]
        told = [(row, self.record(row["external_hash"])) for row in sample]
        return [
            {
                "draw": row["draw"],
                "verdict": "confirmed",
                "record": {
                    "external_id": item.external_id,
                    "sha256": sha256(record_of(item, RIDE.code)).hexdigest(),
                },
            }
            for row, item in told
        ]

    def issued(self) -> Any:  # noqa: ANN401 -- JSON
        """The whole way; gives the batch."""
        self.signed("/v1/admin/issuance-terms", TERMS)
        lot = self.frozen()
        self.sampled(lot)
        told = {"findings": self.findings(lot)}
        self.done(self.desk.verifier, f"/v1/lots/{lot}/findings", told)
        decision = {"is_confirmed": True, "statement": "As told."}
        self.done(self.desk.verifier, f"/v1/lots/{lot}/decision", decision)
        self.signed(f"/v1/lots/{lot}/issuance", {"reason": "confirmed"})
        batch = self.public(f"/lots/{lot}")["batch"]
        return self.public(f"/issue-batches/{batch}")


@pytest.fixture
def street(app: FastAPI, client: TestClient, city: City, tmp_path: Path) -> Street:
    return Street(app, client, city, tmp_path / "registry")


def test_from_a_ride_to_a_unit_that_opens_to_it(street: Street) -> None:
    batch = street.issued()
    assert (batch["quantity_kg"], batch["buffer_kg"], batch["deficit_kg"]) == (8, 2, 0)
    assert batch["error_rate"] == {
        "wrong": 0, "looked_at": 3, "rate": "0.000000", "low": "0.000000", "high": "0.561498",
    }  # fmt: skip
    serial = parse_serial(batch["serial"])
    assert (serial.start, serial.end, serial.method) == (1, 8, "TESTRIDE")
    assert street.public(f"/serials/{batch['serial']}")["batch"] == batch["id"]
    # Every unit opens to leaves, and every leaf opens to its citizen and to nobody else.
    units = [street.public(f"/issue-batches/{batch['id']}/units/{n}") for n in range(1, 9)]
    assert all([*row] == ["leaf"] for unit in units for row in unit["data"])
    leaves = [row["leaf"] for unit in units for row in unit["data"]]
    assert len(set(leaves)) == RIDES
    opened: list[str] = []
    for each in street.citizens:
        mine = street.client.get("/v1/me/units", headers=each.headers(street.app)).json()["data"]
        assert len(mine) == 2
        for unit in mine:
            path = f"/v1/me/units/{unit['lot']}/{unit['activity']}"
            gram = street.client.get(path, headers=each.headers(street.app))
            assert gram.headers["cache-control"] == "no-store"
            assert gram.json()["units"] == unit
            opened.append(checked(gram.json()["opening"]))
    assert sorted(opened) == sorted(leaves)


def checked(opening: dict[str, Any]) -> str:
    """Check an opening as a stranger would; gives its leaf."""
    row = LotRow(
        UUID(opening["lot_uuid"]),
        UUID(opening["activity_uuid"]),
        bytes.fromhex(opening["class_key"]),
        opening["day"],
        opening["act_mg"],
        opening["mg"],
        bytes.fromhex(opening["evidence_commit"]),
    )
    salt, root = bytes.fromhex(opening["salt"]), bytes.fromhex(opening["root"])
    path = [bytes.fromhex(each) for each in opening["path"]]
    assert check_row(row, salt, opening["position"], opening["leaves"], path, root)
    assert row_leaf(row, salt).hex() == opening["leaf"]
    return opening["leaf"]


def test_nobody_opens_another_s_gram(street: Street) -> None:
    street.issued()
    ann, ben = (each.headers(street.app) for each in street.citizens[:2])
    mine = street.client.get("/v1/me/units", headers=ann).json()["data"][0]
    path = f"/v1/me/units/{mine['lot']}/{mine['activity']}"
    unknown = f"/v1/me/units/{mine['lot']}/act_{'0' * 26}"
    foreign, absent = (street.client.get(each, headers=ben) for each in (path, unknown))
    assert (foreign.status_code, absent.status_code) == (404, 404)
    assert foreign.json()["code"] == absent.json()["code"] == "registry.row_unknown"
    assert foreign.json()["detail"] == absent.json()["detail"]


def test_what_is_public_names_no_person(street: Street) -> None:
    batch = street.issued()
    lot = batch["lot"]
    client = street.client
    paths = [
        "/lots",
        f"/lots/{lot}",
        f"/lots/{lot}/report",
        f"/lots/{lot}/report.html",
        f"/lots/{lot}/sample",
        "/issue-batches",
        f"/issue-batches/{batch['id']}",
        f"/issue-batches/{batch['id']}/units/1",
    ]
    said = "".join(client.get(f"/v1/public{path}").text for path in paths)
    acts = [str(each) for (each,) in rows(street.city.db, "select id from activity")]
    for each in street.citizens:
        assert str(each.owner) not in said
        assert str(each.id) not in said
    assert not [act for act in acts if act in said]
    tile = client.get(f"/v1/public/lots/{lot}/tiles/0/0")
    assert len(tile.content) == 32 * RIDES
    report = client.get(f"/v1/public/lots/{lot}/report")
    assert sha256(report.content).hexdigest() == street.public(f"/lots/{lot}")["report_sha256"]
    told = report.json()
    assert told["providers"][0]["acts"] == RIDES
    assert told["class_totals"]["systems"]["pool"]["in_kg"] == RIDES * GRAMS // 1000


def test_the_operator_s_holdings_and_their_statement(street: Street) -> None:
    batch = street.issued()
    agent = street.registry.office.person(street.app, street.client)
    held = agent.get("/v1/holdings").json()
    assert (held["available_kg"], held["held_kg"]) == (6, 0)
    assert [(each["batch"], each["available_kg"]) for each in held["data"]] == [(batch["id"], 6)]
    said = agent.get("/v1/holdings/statement")
    assert said.headers["content-type"].startswith("text/csv")
    table = list(csv.DictReader(io.StringIO(said.content.decode("utf-8-sig"))))
    assert [(row["movement"], row["batch"], row["available_kg"]) for row in table] == [
        ("issue_unit", batch["id"], "6")
    ]
    for wrong in ("since=2026-02-01&until=2026-01-01", "since=2024-01-01&until=2026-01-01"):
        assert agent.get(f"/v1/holdings/statement?{wrong}").status_code == 422


def test_each_step_is_its_own_role_s_and_each_key_has_one_effect(street: Street) -> None:
    desk = street.desk
    assert desk.verifier.post("/v1/lots", {"class_key": street.key}).status_code == 403
    assert desk.operator.post("/v1/lots", {"class_key": street.key}).json()["code"] == (
        "lots.terms_unset"
    )
    street.signed("/v1/admin/issuance-terms", TERMS)
    assert street.public("/issuance-terms")["buffer_permille"] == 250
    first, again = (desk.operator.post("/v1/lots", {"class_key": street.key}, "k") for _ in "12")
    assert first.json() == again.json()
    assert desk.operator.post("/v1/lots", {"class_key": street.key}).json()["code"] == "lots.open"
    lot = first.json()["id"]
    commitment = {"commitment": "ab" * 32}
    for who, party in ((desk.operator, "verifier"), (desk.verifier, "regulator")):
        assert who.post(f"/v1/lots/{lot}/{party}-nonce", commitment).status_code == 403
    both = {"commitment": "ab" * 32, "nonce": "ab" * 32}
    assert desk.verifier.post(f"/v1/lots/{lot}/verifier-nonce", both).status_code == 422
    early = desk.verifier.post(f"/v1/lots/{lot}/verifier-nonce", commitment)
    assert early.json()["code"] == "lots.wrong_step"
    assert desk.operator.post(f"/v1/lots/{lot}/issuance", {"reason": "x"}).status_code == 409
    nowhere = f"/v1/lots/lot_{'0' * 26}"
    assert desk.operator.post(f"{nowhere}/report").status_code == 404
    assert street.client.get(f"/v1/public/lots/lot_{'0' * 26}").status_code == 404


def test_the_one_who_asks_does_not_sign(street: Street) -> None:
    asked = street.done(street.desk.operator, "/v1/admin/issuance-terms", TERMS, 202)
    assert street.desk.operator.sign(asked["id"]).status_code == 404
    assert street.client.get("/v1/public/issuance-terms").status_code == 409


@pytest.mark.parametrize("serial", ["x", "TP1-A-202601-00001-0000000001-0000000120-FN", "%00"])
def test_no_other_text_is_a_serial(client: TestClient, serial: str) -> None:
    said = client.get(f"/v1/public/serials/{serial}")
    assert said.status_code == 404
    assert said.json()["code"] == "registry.serial_unknown"
