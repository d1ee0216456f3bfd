"""Corrected factors, shadow runs and the chain, over HTTP."""

import json
from base64 import b64decode
from dataclasses import replace
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.testclient import TestClient

from app.activities import decided
from app.anchoring.evm.contracts import registry_address
from app.catalogue.reading import version_on
from app.chains import note_registry
from app.city import City
from app.kernel.clock import day_of, now
from app.ticks import correct_factors, declare_methodologies, run_shadow_runs
from tests.support.acts import item, people, provider, send
from tests.support.desk import PROPOSALS, Desk, propose, published, text

TODAY = day_of(now())
TOMORROW = TODAY + timedelta(days=1)


def test_a_factor_is_corrected_by_two_and_the_signed_report_is_public(
    desk: Desk, city: City, client: TestClient
) -> None:
    published(desk, text())
    choice = city.db.read(decided, "TEST-RIDE")
    people(city.db, city.keys, metro := provider(city.db), ["card-1"], choice=choice)
    send(city.db, city.keys, metro, [item(1)], choice=choice)
    published(desk, text(version=2, saving="80", effective=str(TOMORROW)))
    body = {
        "code": "TEST-RIDE",
        "version": 1,
        "replacement": 2,
        "since": str(TODAY - timedelta(days=9)),
        "until": str(TODAY),
        "reason": "the grid's factor was restated",
    }
    path = "/v1/factor-corrections"
    for person in (desk.operator, desk.expert, desk.verifier):
        assert person.post(path, body).status_code == 403
    wrong = desk.regulator.post(path, body | {"replacement": 9})
    assert wrong.json()["code"] == "catalogue.version_unknown"
    asked = desk.regulator.post(path, body)
    assert asked.status_code == 202, asked.text
    assert desk.regulator.sign(asked.json()["id"]).json()["code"] == "approvals.own"
    assert desk.second_regulator.sign(asked.json()["id"]).status_code == 200
    (running,) = client.get("/v1/public/factor-corrections").json()["data"]
    assert (running["state"], running["report"]) == ("running", None)
    again = desk.regulator.post(path, body)
    assert again.json()["code"] == "governance.correction_open"

    correct_factors(city, now())
    assert client.get(f"/v1/public/factor-corrections/{running['id']}").json()["report"] is None
    correct_factors(city, now() + timedelta(hours=2))
    done = client.get(f"/v1/public/factor-corrections/{running['id']}").json()
    assert (done["state"], done["parts_done"]) == ("done", 64)
    report = done["report"]
    key = Ed25519PublicKey.from_public_bytes(b64decode(report["public_key"]))
    key.verify(b64decode(report["signature"]), report["statement"].encode())
    told = json.loads(report["statement"])
    assert (told["corrected"], told["net_co2e_mg"]) == (1, -200_000)
    acts = f"/v1/admin/factor-corrections/{running['id']}/acts"
    (line,) = desk.verifier.get(acts).json()["data"]
    assert line["change_mg"] == -200_000
    assert told["corrected_root"] == line["leaf"], "a tree of one leaf"
    assert desk.operator.get(acts).status_code == 403
    unknown = client.get("/v1/public/factor-corrections/fcr_00000000000000000000000000")
    assert unknown.json()["code"] == "governance.correction_unknown"


def test_a_candidate_is_run_in_the_shadow(desk: Desk, city: City) -> None:
    published(desk, text())
    choice = city.db.read(decided, "TEST-RIDE")
    people(city.db, city.keys, metro := provider(city.db), ["card-1"], choice=choice)
    send(city.db, city.keys, metro, [item(1)], choice=choice)
    candidate = text(version=2, saving="120", effective=str(TOMORROW))
    runs = f"{PROPOSALS}/{propose(desk.expert, candidate)['id']}/shadow-runs"
    body = {"revision": 1, "against": 1, "since": str(TODAY - timedelta(9)), "until": str(TODAY)}
    asked = desk.expert.post(runs, body)
    assert asked.status_code == 202, asked.text
    assert (asked.json()["state"], asked.json()["parts_done"]) == ("running", 0)
    run_shadow_runs(city, now())
    found = desk.regulator.get(f"/v1/shadow-runs/{asked.json()['id']}").json()
    assert (found["state"], found["is_cut"]) == ("done", False)
    (row,) = found["differences"]
    assert (row["acts"], row["changed"], row["provider"]) == (1, 1, "metro")
    assert (row["old"]["co2e_mg"], row["new"]["co2e_mg"]) == (1_000_000, 1_200_000)
    assert found["largest"][0]["new"]["co2e_mg"] == 1_200_000
    assert desk.expert.get(runs).json()["data"] == [asked.json()["id"]]
    assert desk.verifier.get(runs).status_code == 403
    for change, code in (
        ({"until": str(TODAY + timedelta(400))}, "governance.dates_reversed"),
        ({"revision": 2}, "governance.revision_stale"),
        ({"against": 7}, "catalogue.version_unknown"),
    ):
        assert desk.expert.post(runs, body | change).json()["code"] == code
    none = desk.expert.get("/v1/shadow-runs/shr_00000000000000000000000000")
    assert none.json()["code"] == "governance.run_unknown"


def test_a_published_digest_goes_on_the_chain_and_is_seen_there(
    desk: Desk, city: City, client: TestClient
) -> None:
    published(desk, text())
    path = "/v1/methodologies/TEST-RIDE/1"
    assert client.get(path).json()["chain"]["state"] == "pending"
    declare_methodologies(city, now())
    chain = client.get(path).json()["chain"]
    assert (chain["state"], chain["registry"]) == ("anchored", registry_address(city.keys.anchor))
    production = replace(city, settings=city.settings.model_copy(update={"env": "production"}))
    assert note_registry(production, now()) == 0, "no registry is named"
    named = {"env": "production", "chain_registry": registry_address(city.keys.anchor)}
    again = replace(city, settings=city.settings.model_copy(update=named))
    assert note_registry(again, now()) == 0, "all were seen"


def test_what_left_is_told_to_the_chain_and_seen_there_by_all(
    desk: Desk, city: City, client: TestClient
) -> None:
    published(desk, text())
    published(desk, text(version=2, effective=str(TOMORROW)))
    declare_methodologies(city, now())
    old, new = "/v1/methodologies/TEST-RIDE/1", "/v1/methodologies/TEST-RIDE/2"
    assert on_chain(client, old) == ("in_force", None)
    asked = desk.regulator.post(f"{new}/withdrawal", {"last_day": str(TOMORROW), "reason": "wrong"})
    assert desk.second_regulator.sign(asked.json()["id"]).status_code == 200
    told = client.get(new).json()["withdrawal"]
    assert told == f"TEST-RIDE 2\n{TOMORROW}\nwrong\n"
    assert on_chain(client, new) == ("in_force", None), "its first day has not come"
    production = replace(
        city,
        settings=city.settings.model_copy(
            update={"env": "production", "chain_registry": registry_address(city.keys.anchor)}
        ),
    )
    declare_methodologies(production, now() + timedelta(days=1))
    awaited = city.db.read(version_on, "TEST-RIDE", 2, TOMORROW, is_production=True).chain
    assert (awaited.standing, awaited.awaited) == ("in_force", "withdrawn")

    declare_methodologies(city, now() + timedelta(days=1))
    for version, standing in ((1, "superseded"), (2, "withdrawn")):
        found = city.db.read(version_on, "TEST-RIDE", version, TOMORROW, is_production=False).chain
        assert (found.standing, found.awaited) == (standing, None)
    assert note_registry(city, now() + timedelta(days=1)) == 0, "all was seen"


def on_chain(client: TestClient, path: str) -> tuple[str, str | None]:
    chain = client.get(path).json()["chain"]
    return chain["standing"], chain["awaited"]
