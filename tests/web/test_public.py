"""What anybody may fetch: epochs, headers, checkpoint, tiles; and nothing beside them."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.exceptions import InvalidSignature
from starlette.testclient import TestClient

from app.anchoring import Notary, header_lines
from app.city import City
from ledger.checkpoint import open_note
from ledger.header import Header, anchor_leaf
from ledger.log import tree_hash
from ledger.verify_receipt import mirrored
from tests.support.anchoring import ORIGIN
from tests.web.conftest import EPOCHS, FINAL

PUBLIC = "/v1/public"
OPEN = {"cache-control", "access-control-allow-origin"}
TRAVERSALS = [
    "/tile/../../keys/kek",
    "/tile/%2e%2e/%2e%2e/keys/kek",
    "/tile/..%2f..%2fkeys%2fkek",
    "/tile/0/..%2f..%2f..%2fkeys/kek",
    "/tile//etc/passwd",
    "/tile/%2fetc%2fpasswd",
    "/tile/0/000/../../../../guard/signer.guard",
    "/tile/0/000%00",
    "/tile/0/000%00.p/1",
    "/tile/0/000%0a",
    "/log/tile/..%5c..%5ckeys%5ckek",
    "/log/tile/%252e%252e/%252e%252e/keys/kek",
    "/log/../../keys/kek",
    "/..%2fkeys%2fkek",
    "/keys/kek",
    "/signer.guard",
    "/tile/8/000",
    "/tile/0/٠٠٠",
    "/tile/0/0",
    "/tile/0/000.p/9999",
    "/tile/" + "0/" * 2000,
]


def pages(client: TestClient, limit: int) -> list[dict[str, Any]]:
    """Follow the list to its end."""
    found: list[dict[str, Any]] = []
    query = f"limit={limit}"
    for _ in range(EPOCHS + 2):
        page = client.get(f"{PUBLIC}/epochs?{query}").json()
        found += page["data"]
        if page["next_cursor"] is None:
            return found
        query = f"limit={limit}&before={page['next_cursor']}"
    raise AssertionError("the list does not end")


@pytest.mark.parametrize("limit", [1, 2, EPOCHS, 200])
def test_pages_hold_every_epoch_once_the_newest_first(
    client: TestClient, notary: Notary, limit: int
) -> None:
    del notary
    found = pages(client, limit)
    assert [each["epoch"] for each in found] == list(range(EPOCHS, 0, -1))
    assert [each["state"] for each in reversed(found)] == ["final"] * FINAL + ["pending"] * (
        EPOCHS - FINAL
    )
    for each in found:
        header = Header.of(bytes.fromhex(each["header"]))
        assert header.hash().hex() == each["header_hash"]
        assert (header.epoch, header.log_size) == (each["epoch"], each["log_size"])
        assert client.get(f"{PUBLIC}/epochs/{each['epoch']}").json() == each


def test_a_city_without_epochs_says_so(client: TestClient) -> None:
    assert client.get(f"{PUBLIC}/epochs").json() == {"data": [], "next_cursor": None}
    headers = client.get(f"{PUBLIC}/headers.jsonl")
    assert (headers.status_code, headers.content) == (200, b"")
    assert client.get(f"{PUBLIC}/checkpoint").status_code == 404


@pytest.mark.parametrize("epoch", ["0", "-1", "99", str(2**62), str(2**63), "9" * 4000])
def test_an_epoch_that_is_none_is_not_found(client: TestClient, notary: Notary, epoch: str) -> None:
    del notary
    answer = client.get(f"{PUBLIC}/epochs/{epoch}")
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "before=0", "before=-1", "before=x", "before=%00", "limit=1e9"],
)
def test_a_page_that_makes_no_sense_is_refused_by_name(client: TestClient, query: str) -> None:
    answer = client.get(f"{PUBLIC}/epochs?{query}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "request.malformed"
    assert answer.json()["errors"][0]["pointer"] == f"/query/{query.partition('=')[0]}"


def test_the_list_of_headers_is_the_databases_and_a_root_of_trust(
    client: TestClient, city: City, notary: Notary
) -> None:
    answer = client.get(f"{PUBLIC}/headers.jsonl")
    lines = answer.text.splitlines()
    assert [json.loads(line) for line in lines] == city.db.read(header_lines)
    assert len(lines) == FINAL
    trust = mirrored(lines)
    for line in map(json.loads, lines):
        assert trust(line["epoch"], None).hex() == line["header_hash"]
    assert (notary.folder / "headers.jsonl").read_bytes() == answer.content


def test_the_checkpoint_is_signed_by_the_log_key_and_names_the_headers(
    client: TestClient, city: City, notary: Notary
) -> None:
    del notary
    note = client.get(f"{PUBLIC}/checkpoint")
    assert note.headers["content-type"] == "text/plain; charset=utf-8"
    key = city.keys.log.public_key()

    def verify(signature: bytes, message: bytes) -> bool:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    opened = open_note(note.text, ORIGIN, key.public_bytes_raw(), verify)
    headers = [bytes.fromhex(each["header"]) for each in reversed(pages(client, 200))]
    assert opened.size == EPOCHS
    assert opened.root == tree_hash([anchor_leaf(data) for data in headers])
    with pytest.raises(ValueError, match="not signed"):
        open_note(
            note.text.replace(f"\n{EPOCHS}\n", "\n4\n"), ORIGIN, key.public_bytes_raw(), verify
        )


def test_tiles_are_the_published_files_and_never_change(client: TestClient, notary: Notary) -> None:
    tiles = [path for path in notary.folder.rglob("tile/**/*") if path.is_file()]
    assert len(tiles) >= 2 * EPOCHS
    for path in tiles:
        answer = client.get(f"{PUBLIC}/{path.relative_to(notary.folder)}")
        assert answer.status_code == 200
        assert answer.content == path.read_bytes()
        assert len(answer.content) % 32 == 0
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_nothing_but_tiles_is_served_from_the_folder(
    client: TestClient, city: City, notary: Notary, tmp_path: Path, path: str
) -> None:
    del notary
    secret = b"a secret of thirty-two bytes....".ljust(32, b".")
    for name in ("keys/kek", "public/keys/kek", "public/secret"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(secret)
    assert city.settings.public_path == tmp_path / "public"
    answer = client.get(PUBLIC + path)
    assert answer.status_code in {400, 404, 414, 422}
    assert secret not in answer.content
    assert answer.headers["content-type"] == "application/problem+json"


def test_answers_may_be_kept_and_asked_for_again(client: TestClient, notary: Notary) -> None:
    tile = next(path for path in notary.folder.rglob("tile/0/000.p/*") if path.is_file())
    for path in ("headers.jsonl", "checkpoint", str(tile.relative_to(notary.folder))):
        first = client.get(f"{PUBLIC}/{path}")
        assert set(first.headers) >= {*OPEN, "etag"}
        tag = first.headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}'):
            again = client.get(f"{PUBLIC}/{path}", headers={"if-none-match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
        other = client.get(f"{PUBLIC}/{path}", headers={"if-none-match": '"other"'})
        assert (other.status_code, other.content) == (200, first.content)
    for path in ("epochs", "epochs/1"):
        answer = client.get(f"{PUBLIC}/{path}")
        assert set(answer.headers) >= OPEN
        assert answer.headers["access-control-allow-origin"] == "*"


def test_no_cell_and_no_leaf_is_public(client: TestClient, city: City, notary: Notary) -> None:
    """R19: a table of cells would be a feed of persons' days; headers are all that sums up."""
    paths = ["epochs?limit=200", "headers.jsonl", "checkpoint"]
    paths += [f"epochs/{epoch}" for epoch in range(1, EPOCHS + 1)]
    paths += [str(p.relative_to(notary.folder)) for p in notary.folder.rglob("*") if p.is_file()]
    told = b"".join(client.get(f"{PUBLIC}/{path}").content for path in paths)
    query = "select leaf_root from cell union select leaf from account_leaf union select akey"
    with psycopg.connect(city.db.url) as connection:
        secret = connection.execute(f"{query} from account_leaf").fetchall()
        (entry,) = connection.execute("select leaf from log_entry limit 1").fetchall()
    assert len(secret) > 3 * EPOCHS
    assert entry[0] in told, "what is public is found this way"
    for (digest,) in secret:
        assert not any(form in told for form in (digest, digest.hex().encode(), b64encode(digest)))
