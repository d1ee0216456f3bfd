"""Settings: complete by default, frozen, silent about passwords; production names everything."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.kernel.settings import Settings

NAMED = {
    "DATABASE_URL": "postgresql://tanpu:hunter2@db/tanpu",
    "REDIS_URL": "redis://:hunter2@redis/0",
    "CHAIN_RPC_URL": "https://chain.example",
    "CHAIN_CONTRACT": "0x" + "1" * 40,
    "KEYS_DIR": "/run/keys",
    "SIGNER_GUARD": "/guard/signer.guard",
    "SMS_TOKEN": "hunter2",
    "SMS_URL": "https://sms.example/hunter2",
}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_nothing_needs_to_be_set() -> None:
    settings = Settings()
    assert not settings.is_production
    assert settings.keys_path == Path(".tanpu/keys")
    assert settings.signer_guard_path == Path(".tanpu/guard/signer.guard")
    assert settings.public_path == Path(".tanpu/public")


def test_they_are_read_once_and_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings()
    monkeypatch.setenv("PORT", "9")
    assert settings.port == 8000
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 9  # type: ignore[misc] -- this is what must not work


@pytest.mark.parametrize("left_out", list(NAMED))
def test_production_names_what_is_missing(monkeypatch: pytest.MonkeyPatch, left_out: str) -> None:
    monkeypatch.setenv("ENV", "production")
    for name, value in NAMED.items():
        if name != left_out:
            monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=f"needs {left_out}$|needs {left_out} "):
        Settings()


def test_production_starts_with_everything_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV", "production")
    for name, value in NAMED.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.is_production
    assert settings.keys_path == Path("/run/keys")
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_production_sends_no_webhooks_to_its_own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOKS_LOOPBACK", "true")
    assert Settings().webhooks_loopback
    monkeypatch.setenv("ENV", "production")
    for name, value in NAMED.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match="refuses WEBHOOKS_LOOPBACK"):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENV", "staging"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("LOG_LEVEL", "LOUD"),
        ("MERGE_DEADLINE_DAYS", "91"),
        ("ACCEPTANCE_WINDOW_DAYS", "0"),
        ("CODES_HOURLY_MAX", "0"),
        ("SMS_URL", "https://sms.example"),
        ("WECHAT_APP_ID", "wx0"),
        ("WECHAT_APP_SECRET", "hunter2"),
    ],
)
def test_what_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()
