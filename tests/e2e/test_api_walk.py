"""docs/api.md, run as it is written (接口文档走读): one shell, from phone to coffee and proof."""

import json
import re
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from socket import socket
from typing import Any

import pytest

from tests.e2e.conftest import Starter
from tests.e2e.processes import environment, kill_all, tree_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
WAIT_S = 240


def documents(told: str, begin: str) -> list[dict[str, Any]]:
    """Read every JSON document of the output that begins so."""
    read = json.JSONDecoder().raw_decode
    return [read(told, found.start())[0] for found in re.finditer(re.escape(begin), told)]


@pytest.mark.timeout(WAIT_S + 60)
def test_the_walk_works_as_it_is_written(tmp_path: Path, start: Starter) -> None:
    assert len(BLOCKS) >= 10
    assert shutil.which("curl"), "the walk is written with curl"
    for name in (".venv", "ledger", "methodologies"):
        (tmp_path / name).symlink_to(ROOT / name)
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    script = "set -eu; trap 'kill %1; wait' EXIT\n" + "\n".join(BLOCKS)
    script = script.replace("localhost:8000", f"localhost:{port}")
    process = subprocess.Popen(
        ["bash", "-m", "-c", script],
        cwd=tmp_path,
        env=environment(start.home, PORT=port),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=WAIT_S)
    finally:
        kill_all(tree_of(process.pid))
    told = said.decode()
    assert process.returncode == 0, told[-3000:] + (tmp_path / "city.log").read_text()[-2000:]
    assert '"co2e_mg":482040' in told, "10.3 km of metro, worked out"
    (quote,) = documents(told, '{"offer":"off_')
    assert (quote["available_points"], quote["available_after_points"]) == (48, 8)
    redeemed, again = documents(told, '{"id": "rdm_')
    assert (redeemed["message"], redeemed["points"], redeemed["fen"]) == ("Redeemed", 40, 990)
    assert again["message"].startswith("Already redeemed here at ")
    assert again == redeemed | {"message": again["message"]}
    (order,) = documents(told, '{"id":"ord_')
    assert order["state"] == "redeemed"
    (serial,) = documents(told, '{"serial":"TP1-')
    assert serial["retired_kg"] == serial["quantity_kg"] > 0
    assert re.findall("true: (account|gth_)", told) == ["account", "gth_"], told[-500:]
