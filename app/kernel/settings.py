"""The one frozen configuration of a running Tanpu (配置), read from the environment once.

Nothing reads ``os.environ`` after this: an entry point makes ``Settings()`` and passes it on.
"""

from datetime import timedelta
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SANDBOX_ORIGIN: Final = "sandbox."
CROWD_MIN: Final = 1000
"""Fewer changed accounts than this tell the public about persons (R19)."""


class Settings(BaseSettings):
    """Every setting has a default that makes a complete city on one machine."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    env: Literal["development", "production"] = "development"
    """``production`` refuses embedded servers, generated keys, and enrolment by operator import."""
    sandbox: bool = False
    """A deployment for trying things out, with a clock of its own that can be advanced; its
    ``ORIGIN`` begins with ``sandbox.``, and no other's does. ``production`` refuses it."""
    tanpu_home: Path = Path(".tanpu")
    """Data directory of the embedded servers, keys and the signer guard; one owner at a time."""
    database_url: SecretStr | None = None
    """PostgreSQL 18 or newer; the embedded server when absent. Sessions take the role tanpu_app."""
    database_owner_url: SecretStr | None = None
    """Login that owns the schema, for ``tanpu migrate`` alone; ``DATABASE_URL`` when absent."""
    redis_url: SecretStr | None = None
    """Redis or Valkey; the embedded server when absent. It may be emptied at any moment."""
    chain_rpc_url: str | None = None
    """JSON-RPC of an Ethereum-compatible node; the embedded anvil when absent."""
    chain_finality: str = "instant"
    """When an anchor is final: ``instant``, ``depth:N`` or ``tag:finalized``."""
    chain_contract: str | None = None
    """Address of CarbonAnchor; deployed on first use in development when absent."""
    chain_registry: str | None = None
    """Address of MethodologyRegistry, where published digests are looked for; deployed on first
    use in development when absent."""
    chain_retirement_registry: str | None = None
    """Address of RetirementRegistry, which is told of issued, retired, void and cancelled units;
    deployed on first use in development when absent. Its registrar: ``tanpu keys``."""
    origin: str = "tanpu.localhost/ledger/1"
    """Name of this ledger, hashed into every header and so fixed for its life."""
    signer_guard: Path | None = None
    """File of the signer guard, on another volume and never restored with the database;
    in ``TANPU_HOME`` when absent."""
    keys_dir: Path | None = None
    """Directory of the key files (KEK, receipt, log and anchor keys); ``TANPU_HOME/keys``
    when absent. Development makes missing keys, production refuses."""
    images_dir: Path | None = None
    """Folder of the pictures of offers, which every machine of the API shares;
    ``TANPU_HOME/images`` when absent."""
    host: str = "127.0.0.1"
    """Address that the API listens on."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port that the API listens on; 0 takes a free one."""
    site_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+$")
    """Where people reach this deployment, as certificates and their QR codes name it: scheme and
    host; when absent, the address that the API listens on."""
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Port of ``/metrics``, on the host of the API; not served when absent."""
    otlp_endpoint: str | None = None
    """Address of an OTLP collector of traces, over HTTP; needs the extra ``telemetry``."""
    merge_deadline_days: int = Field(default=7, ge=0, le=90)
    """How long a later upload may still change which of two same acts counts [days]."""
    acceptance_window_days: int = Field(default=400, ge=1, le=3660)
    """Older acts are refused: their activity keys are no longer kept [days]."""
    sms_url: SecretStr | None = None
    """Gateway that takes `{"to", "code", "minutes"}` and sends a text message; the terminal when
    absent, which production refuses."""
    sms_token: SecretStr | None = None
    """What the gateway knows this deployment by, as a bearer token."""
    codes_hourly_max: int = Field(default=3000, ge=1, le=1_000_000)
    """How many one-time codes the city sends in an hour at most; the last fifth raises an alarm."""
    application_days: int = Field(default=90, ge=1, le=3660)
    """After how long an application of a firm that nobody decided counts as refused [days]."""
    orders_hourly_max: int = Field(default=60, ge=1, le=1_000_000)
    """How many orders one citizen may place in an hour, and as many times cancel one."""
    wechat_app_id: str | None = None
    """The mini program whose users may log in; without it production has no such login, and
    development an offline twin."""
    wechat_app_secret: SecretStr | None = None
    """The mini program's secret."""
    merge_delay_hours: int = Field(default=36, ge=1, le=720)
    """Maximum merge delay: within how long of a receipt its entries are in an anchored epoch [h].
    Stated in every receipt, and provable by whoever holds one."""
    dust_days: int = Field(default=30, ge=1, le=366)
    """How long a class of reductions has lain untouched before the rest of it, less than a point's
    worth, joins the public cancellation that its owner chose [days]."""
    crowd_min: int = Field(default=CROWD_MIN, ge=1, le=1_000_000)
    """Of how many people a public total is told at least; ``production`` refuses less than the
    default."""
    webhooks_loopback: bool = False
    """Webhooks may go to this machine, at any port: for trying them out. ``production`` refuses
    it; there they go over https to public addresses, at port 443 or 8443."""
    market_payee: str | None = None
    """Name, bank and number of the account that buyers of units pay into, as they are told them;
    when absent they are told to ask."""
    market_single_most_fen: int = Field(default=1_000_000, ge=0)
    """A payment that brings what one clerk confirmed alone within a day, or of one buyer, to more
    than this is confirmed by two of the desk [fen]."""
    market_hold_hours: int = Field(default=72, ge=1, le=720)
    """How long a purchase holds its units for the payment [h]; as long again once the desk has seen
    one that awaits its second signature."""
    market_quote_minutes: int = Field(default=30, ge=1, le=1440)
    """How long a quote holds [min]."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe line that is logged."""

    @property
    def is_production(self) -> bool:
        """Whether development twins are refused."""
        return self.env == "production"

    @property
    def merge_delay(self) -> timedelta:
        """The maximum merge delay."""
        return timedelta(hours=self.merge_delay_hours)

    @property
    def keys_path(self) -> Path:
        """Where the key files are."""
        return self.keys_dir or self.tanpu_home / "keys"

    @property
    def public_path(self) -> Path:
        """Where the files that anybody may fetch are written."""
        return self.tanpu_home / "public"

    @property
    def images_path(self) -> Path:
        """Where the pictures of offers are."""
        return self.images_dir or self.tanpu_home / "images"

    @property
    def signer_guard_path(self) -> Path:
        """Where the signer guard is."""
        return self.signer_guard or self.tanpu_home / "guard" / "signer.guard"

    @model_validator(mode="after")
    def _sandbox_is_apart(self) -> Self:
        if self.sandbox and self.is_production:
            raise ValueError("ENV=production refuses SANDBOX")
        if self.webhooks_loopback and self.is_production:
            raise ValueError("ENV=production refuses WEBHOOKS_LOOPBACK")
        if self.sandbox is not self.origin.startswith(SANDBOX_ORIGIN):
            raise ValueError(f"ORIGIN begins with {SANDBOX_ORIGIN} in a sandbox, and nowhere else")
        return self

    @model_validator(mode="after")
    def _production_names_everything(self) -> Self:
        if not self.is_production:
            return self
        needed = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "CHAIN_RPC_URL": self.chain_rpc_url,
            "CHAIN_CONTRACT": self.chain_contract,
            "KEYS_DIR": self.keys_dir,
            "SIGNER_GUARD": self.signer_guard,
            "SMS_TOKEN": self.sms_token,
            "SMS_URL": self.sms_url,
        }
        if missing := sorted(name for name, value in needed.items() if value is None):
            raise ValueError(f"ENV=production needs {', '.join(missing)}")
        if self.crowd_min < CROWD_MIN:
            raise ValueError(f"ENV=production refuses a CROWD_MIN below {CROWD_MIN}")
        return self

    @property
    def site(self) -> str:
        """Where people reach this deployment."""
        return self.site_url or f"http://{self.host}:{self.port}"

    @model_validator(mode="after")
    def _secrets_come_in_pairs(self) -> Self:
        if (self.sms_url is None) != (self.sms_token is None):
            raise ValueError("SMS_URL and SMS_TOKEN come together")
        if (self.wechat_app_id is None) != (self.wechat_app_secret is None):
            raise ValueError("WECHAT_APP_ID and WECHAT_APP_SECRET come together")
        return self
