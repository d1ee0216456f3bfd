"""docker-compose.yml against the Compose specification's own schema, and against our promises.

``schemas/compose-spec.json`` is the specification's (Apache-2.0, its licence beside it). Docker is
not needed here and is not started: what is checked is the file, not the images.
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCHEMA: Any = json.loads((Path(__file__).parent / "schemas/compose-spec.json").read_text())
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: Any = yaml.safe_load(TEXT)
VALIDATOR: Any = jsonschema.Draft202012Validator(SCHEMA)
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_follows_the_specification() -> None:
    VALIDATOR.validate(COMPOSE)


@pytest.mark.parametrize("wrong", [{"helthcheck": {}}, {"ports": [True]}, {"image": 5}])
def test_the_schema_refuses_what_is_no_compose_file(wrong: dict[str, object]) -> None:
    broken = {"services": SERVICES | {"api": SERVICES["api"] | wrong}}
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(broken)


def test_has_the_city_and_its_engines() -> None:
    assert set(SERVICES) == {"postgres", "valkey", "anvil", "migrate", "api", "worker"}
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert SERVICES["valkey"]["image"] == "valkey/valkey:8"
    assert [SERVICES[name]["command"] for name in ("migrate", "api", "worker")] == [
        ["migrate"],
        ["api"],
        ["worker"],
    ]


def test_no_password_has_a_default() -> None:
    used = re.findall(r"\$\{(\w*PASSWORD\w*)(:\?)?", TEXT)
    assert {name for name, _ in used} == {
        "POSTGRES_PASSWORD",
        "DATABASE_PASSWORD",
        "VALKEY_PASSWORD",
    }
    assert all(required for _, required in used)


def test_what_stays_up_says_whether_it_is_well() -> None:
    assert [n for n, s in SERVICES.items() if "healthcheck" not in s] == ["migrate"]


def test_keeps_its_state_in_named_volumes_and_the_guard_in_its_own() -> None:
    mounted = [v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", [])]
    assert set(mounted) == set(COMPOSE["volumes"])
    assert "guard" not in [v.split(":")[0] for v in SERVICES["postgres"]["volumes"]]


def test_only_the_api_is_reached_from_outside_and_from_this_machine_alone() -> None:
    assert {n: s["ports"] for n, s in SERVICES.items() if "ports" in s} == {
        "api": ["127.0.0.1:8000:8000"]
    }


def test_only_migrate_knows_the_owner_of_the_schema() -> None:
    owners = [n for n, s in SERVICES.items() if "DATABASE_OWNER_URL" in s.get("environment", {})]
    assert owners == ["migrate"]


def test_every_build_target_is_a_stage_and_the_last_has_no_compiler() -> None:
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    names = [name for _, name in stages]
    targets = {s["build"]["target"] for s in SERVICES.values() if "build" in s}
    assert targets <= set(names)
    assert stages[-1] == ("python:3.11-slim-bookworm", "runtime")
