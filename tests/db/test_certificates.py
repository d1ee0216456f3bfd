"""Certificates from rows: true for a stranger without a network, shown by choice, reduced first."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import Session

from app.activities.corrections import Correction, correct
from app.cancellations.posting import CANCELLED
from app.certificates import find_certificate
from app.certificates.errors import CertificateUnknown, TextUnknown
from app.certificates.withdrawing import withdraw
from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.settlements.statement import is_signed
from ledger import verify_certificate
from ledger.accounts import AccountKind, bucket_of
from ledger.receipt import Json
from ledger.verify_certificate import Verdict, check, mirrored
from tests.support.acts import item, one, people, provider, rows, send
from tests.support.anchoring import ORIGIN
from tests.support.cancelling import Registrar, wish
from tests.support.leaving import Town, dump, found_in
from tests.support.owners import BUS, BUS_B, accrual, asset_number, owners, post_all
from tests.support.points import citizens

OFFLINE = """
import runpy, socket, sys

def refuse(*_, **__):
    raise SystemExit("it asked for the network")

socket.socket = socket.create_connection = socket.getaddrinfo = refuse
file, *sys.argv[1:] = sys.argv[1:]
sys.argv[0] = file
runpy.run_path(file, run_name="__main__")
"""
BENEFICIARY, MESSAGE = "乙-图书馆", "愿山河常绿-7731"


@pytest.fixture
def registrar(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Registrar:
    return Registrar(db, worker_db, keys, tmp_path)


@pytest.fixture
def ann(db: Database, keys: Keys) -> int:
    """Somebody with 1,000 mg of grade A and 500 of B."""
    (owner,) = citizens(db, keys, 1)
    amounts = {BUS: 1_000, BUS_B: 500}
    post_all(db, [accrual(owner, asset_number(db, of), mg) for of, mg in amounts.items()])
    return owner


def believed(registrar: Registrar, document: Json) -> Verdict:
    """Check as a stranger does, from JSON, the published list and the operator's key."""
    public = registrar.keys.receipt.public_key()
    trust = mirrored(registrar.header_lines())
    return check(json.loads(json.dumps(document)), trust, None, partial(is_signed, public))


def test_a_certificate_is_true_and_names_nobody_by_default(registrar: Registrar, ann: int) -> None:
    wished = wish(1_200, name=BENEFICIARY, message=MESSAGE, period="2026")
    document = registrar.document(registrar.cancelled(ann, wished))
    found = believed(registrar, document)
    assert (found.amount, found.remaining, found.is_signed) == (1_200, 1_200, True)
    assert found.beneficiary.startswith("pseudonym ")
    assert document["openings"] == {"beneficiary": None, "holder": None, "message": None}
    assert not any(
        word in json.dumps(document, ensure_ascii=False) for word in (BENEFICIARY, MESSAGE)
    )
    assert [*document][1] == "status"


def test_a_certificate_for_b_shows_b_and_never_who_paid(registrar: Registrar, ann: int) -> None:
    wished = wish(1_200, name=BENEFICIARY, message=MESSAGE, shown=("beneficiary", "message"))
    certificate = registrar.cancelled(ann, wished)
    document = registrar.document(certificate)
    assert believed(registrar, document).beneficiary == f'"{BENEFICIARY}"'
    assert document["openings"]["message"]["text"] == MESSAGE
    text = json.dumps(document, ensure_ascii=False)
    assert "cit_test" not in text
    akey = one(registrar.db, "select encode(akey, 'hex') from account where id = %s", ann)[0]
    assert akey not in text
    own = registrar.document(certificate, owner=ann)
    assert own["openings"]["holder"]["text"] == "cit_test"
    assert believed(registrar, own).beneficiary == f'"{BENEFICIARY}"'


def test_another_owner_has_no_copy_of_ones_own(registrar: Registrar, ann: int) -> None:
    certificate = registrar.cancelled(ann, wish(10, name=BENEFICIARY))
    (bob,) = citizens(registrar.db, registrar.keys, 1)
    with pytest.raises(CertificateUnknown):
        registrar.document(certificate, owner=bob)
    with pytest.raises(CertificateUnknown):
        registrar.document(new_id())
    for foreign in (certificate, new_id(), None):
        with pytest.raises(TextUnknown):
            registrar.db.transact(withdraw, bob, foreign, ["beneficiary"])
    with pytest.raises(TextUnknown):  # nothing was said, so nobody reads that it was taken down
        registrar.db.transact(withdraw, ann, certificate, ["message"])
    assert registrar.document(certificate, owner=ann)["openings"]["beneficiary"] is not None


def test_a_withdrawn_name_is_gone_everywhere_and_the_certificate_as_true(
    registrar: Registrar, ann: int
) -> None:
    wished = wish(10, name=BENEFICIARY, message=MESSAGE, shown=("beneficiary", "message"))
    certificate = registrar.cancelled(ann, wished)
    salts = [
        row[0]
        for row in rows(registrar.db, "select salt from claim_opening where name <> 'holder'")
    ]
    before = registrar.document(certificate)
    assert found_in(dump(registrar.db.url), [BENEFICIARY]) == {("claim_opening", BENEFICIARY)}
    registrar.db.transact(withdraw, ann, certificate, ["beneficiary", "message"])
    assert found_in(dump(registrar.db.url), [BENEFICIARY, MESSAGE, *salts]) == set()
    after = registrar.document(certificate)
    assert after["openings"] == {"beneficiary": None, "holder": None, "message": None}
    assert after["claim"] == before["claim"]
    assert believed(registrar, after).beneficiary.startswith("pseudonym ")
    with pytest.raises(TextUnknown):
        registrar.db.transact(withdraw, ann, certificate, ["beneficiary", "message"])


def test_a_stranger_checks_it_with_the_network_off(
    registrar: Registrar, ann: int, tmp_path: Path
) -> None:
    """One file, isolated from every library, in a process that may open no socket."""
    document = registrar.document(registrar.cancelled(ann, wish(1_200)))
    (tmp_path / "certificate.json").write_text(json.dumps(document))
    (tmp_path / "headers.jsonl").write_text("\n".join(registrar.header_lines()))
    lie = json.loads(json.dumps(document))
    lie["claim"]["parts"][0]["amount"] = "1001"
    lie["status"] = None
    (tmp_path / "lie.json").write_text(json.dumps(lie))

    def run(name: str) -> subprocess.CompletedProcess[str]:
        file = verify_certificate.__file__
        arguments = [file, name, "--headers", "headers.jsonl"]
        return subprocess.run(
            [sys.executable, "-I", "-S", "-c", OFFLINE, *arguments],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    found = run("certificate.json")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("true: can_")
    assert "later ones are not known here" in found.stdout
    assert run("lie.json").returncode == 1


def test_a_correction_that_reaches_it_is_said_first(
    db: Database, registrar: Registrar, keys: Keys
) -> None:
    """Two rides of 1 kg; once both are cancelled one turns out to be worth 100 g (R6)."""
    metro = provider(db)
    people(db, keys, metro, ["card-1"])
    send(db, keys, metro, [item(1), item(2)])
    (owner,) = one(db, "select account from balance where asset & 7 in (1, 2)")
    first = registrar.cancelled(owner, wish(1_200_000))
    second = registrar.cancelled(owner, wish(800_000))
    query = "select bucket, recorded_on, id from activity order by id"
    bucket, recorded_on, act = one(db, query)
    less = Correction(bucket, owner, recorded_on, act, 100_000, "provider.corrected")

    def command(session: Session) -> None:
        connection = driver(session)
        correct(connection, [less], cause=new_id(), at=now(), window_days=400, new_id=new_id)

    db.transact(command)
    assert one(db, "select distinct source from transfer where code = 2") == (CANCELLED,)
    later, earlier = registrar.document(second), registrar.document(first)
    assert (later["status"]["state"], later["status"]["remaining"]) == ("revoked", "0")
    assert (earlier["status"]["state"], earlier["status"]["remaining"]) == ("reduced", "1100000")
    assert str(believed(registrar, earlier)).startswith(
        "REDUCED: 1100000 of 1200000 mg left. true: can_"
    )
    assert str(believed(registrar, later)).startswith("REVOKED: 0 of ")


def test_it_outlives_whoever_it_was_of(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> None:
    """After an erasure it verifies as before and says of nobody whose it was (R20)."""
    town, registrar = Town(db, worker_db, keys, tmp_path), Registrar(db, worker_db, keys, tmp_path)
    registrar.notary, registrar.chain = town.notary, town.chain
    who = town.join(1)
    wished = wish(100, name=who.name, shown=("beneficiary",))
    made = registrar.request(who.who.owner, wished).row.id
    assert registrar.post() == 1
    town.ask(who)
    assert town.work() == 0
    town.close()
    assert town.work() == 0, "its certificate comes first"
    assert registrar.issue() == 1
    assert town.work() == 0, "now the log is told"
    town.close()
    assert town.work() == 1
    assert found_in(dump(db.url), [who.name]) == set()
    document = registrar.document(made)
    assert believed(registrar, document).beneficiary.startswith("pseudonym ")


def test_every_transfer_of_a_claim_has_a_commitment_of_its_own(
    registrar: Registrar, ann: int
) -> None:
    """Whoever sees entries alone cannot tell that two are of one certificate."""
    registrar.cancelled(ann, wish(1_500))
    evidence = [
        row[0] for row in rows(registrar.db, "select evidence from transfer where code = 12")
    ]
    assert len(set(evidence)) == 2


def test_an_organisations_certificate_is_as_anybodys(db: Database, registrar: Registrar) -> None:
    (firm,) = owners(db, registrar.keys, 1, AccountKind.ORGANISATION)
    post_all(db, [accrual(firm, asset_number(db, BUS), 70)])
    certificate = registrar.cancelled(firm, wish(70))
    assert bucket_of(firm) == one(db, "select bucket from certificate")[0]
    assert believed(registrar, registrar.document(certificate)).amount == 70
    assert db.read(find_certificate, ORIGIN, certificate).state == "valid"


def test_nothing_that_is_published_names_anybody(registrar: Registrar, ann: int) -> None:
    """Neither the log's tiles and headers nor what the chain was sent: not even by number."""
    wished = wish(1_200, name=BENEFICIARY, message=MESSAGE, shown=("beneficiary", "message"))
    registrar.cancelled(ann, wished)
    published = [file.read_bytes() for file in registrar.notary.folder.rglob("*") if file.is_file()]
    sent = [bytes(row[0]) for row in rows(registrar.worker_db, "select raw from submission")]
    assert len(published) > 2
    assert sent
    words = [BENEFICIARY.encode(), MESSAGE.encode(), b"cit_test", str(ann).encode()]
    words += [each.hex().encode() for each in words] + [ann.to_bytes(8, "big")]
    assert not [word for word in words for text in (*published, *sent) if word in text]
