"""The page for receivers (接收方文档): its example takes what is sent, and nothing else."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.webhooks.rules import NEWS, WAITS, NewsKind
from app.webhooks.signing import Scheme, headers_of, public_key

PAGE = (Path(__file__).parents[3] / "docs/webhooks.md").read_text(encoding="utf-8")
OLD, NEW, BODY = bytes(32), bytes([1]) * 32, '{"type":"webhook.ping","data":{"名":1}}'.encode()


@pytest.fixture
def is_ours() -> Callable[[dict[str, str], bytes, list[str]], bool]:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    return names["is_ours"]


def sent(*secrets: bytes, at: datetime | None = None) -> dict[str, str]:
    return headers_of(Scheme.ED25519, secrets, "msg_1", BODY, at=at or datetime.now(UTC))


def test_it_takes_what_is_sent(is_ours: Callable[..., bool]) -> None:
    keys = [public_key(OLD)]
    assert is_ours(sent(OLD), BODY, keys)
    assert is_ours(sent(NEW, OLD), BODY, keys)
    assert is_ours(sent(NEW), BODY, [*keys, public_key(NEW)])


def test_it_takes_nothing_else(is_ours: Callable[..., bool]) -> None:
    keys, headers = [public_key(OLD)], sent(OLD)
    assert not is_ours(headers, BODY + b" ", keys)
    assert not is_ours(sent(NEW), BODY, keys)
    assert not is_ours({**headers, "webhook-id": "msg_2"}, BODY, keys)
    assert not is_ours(sent(OLD, at=datetime.now(UTC) - timedelta(minutes=6)), BODY, keys)
    assert not is_ours({**headers, "webhook-timestamp": "soon"}, BODY, keys)
    assert not is_ours({}, BODY, keys)
    forged = headers["webhook-signature"].replace("v1a,", "v1,")
    assert not is_ours({**headers, "webhook-signature": forged}, BODY, keys)


def test_it_names_every_kind_and_the_schedule() -> None:
    table = {
        name
        for line in PAGE.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([a-z]+\.[a-z]+)`", line.split("|")[1])
    }
    assert table == {kind.value for kind in NewsKind}
    assert {kind for kinds in NEWS.values() for kind in kinds} | {NewsKind.PING} == set(NewsKind)
    schedule = PAGE.split("tried again after")[1].split("each wait")[0]
    assert len(WAITS) == len(re.findall(r"\d+ (?:s|min|h)\b", schedule))
