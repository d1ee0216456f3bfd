"""The wire form of statements and of their checks (声明与查验的对外形式)."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from app.growth.answers import FROZEN
from app.growth.checking import Outcome, Shown
from app.growth.errors import StatementEmpty
from app.growth.sd_jwt import LONGEST
from app.growth.statements import Check, Statement, Wish
from app.kernel.http import Int, Str, Written
from app.kernel.ids import public_id

Named = Annotated[Written, StringConstraints(max_length=200)]
Whole = Annotated[Int, Field(ge=1, le=1_000_000)]


class StatementIn(BaseModel):
    """What is to be stated, to whom and what for."""

    model_config = FROZEN

    purpose: Named = Field(examples=["绿色消费贷款申请 green loan application"])
    audience: Named = Field(description="As the reader calls itself.", examples=["bank.example"])
    days: Int = Field(ge=1, le=365, examples=[30])
    reduction_kg_at_least: Whole | None = Field(default=None, examples=[100])
    score_at_least: Whole | None = Field(default=None, examples=[600])

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.reduction_kg_at_least is None and self.score_at_least is None:
            raise StatementEmpty
        return self

    def wish(self) -> Wish:
        """Give it as the command takes it."""
        return Wish(
            self.purpose,
            self.audience,
            self.days,
            self.reduction_kg_at_least,
            self.score_at_least,
        )


class StatementOut(BaseModel):
    """A statement of one's own; its token was given out once."""

    model_config = FROZEN

    id: str = Field(examples=["stm_01k0000000000000000000000a"])
    purpose: str
    audience: str
    reduction_kg_at_least: int | None
    score_at_least: int | None
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class IssuedOut(StatementOut):
    """A new statement with its token: hold on to it, for the list does not have it."""

    token: str = Field(description="SD-JWT (RFC 9901); its disclosures may be left out one by one.")


class StatementPage(BaseModel):
    """One's statements, the newest first."""

    model_config = FROZEN

    data: list[StatementOut]
    next_cursor: str | None


class CheckOut(BaseModel):
    """That somebody checked a statement."""

    model_config = FROZEN

    minute: datetime
    verifier: str = Field(description="As it called itself.")
    outcome: Outcome
    times: int = Field(description="In this minute.")


class CheckPage(BaseModel):
    """The checks of a statement, the newest first."""

    model_config = FROZEN

    data: list[CheckOut]
    next_cursor: str | None


class PresentedIn(BaseModel):
    """A statement to check, and who checks it."""

    model_config = FROZEN

    statement: Annotated[Str, StringConstraints(min_length=1, max_length=LONGEST)]
    verifier: Named = Field(description="Who is asking; its holder sees it.")


class VerdictOut(BaseModel):
    """How a statement stands for the verifier who asked."""

    model_config = FROZEN

    outcome: Outcome
    purpose: str
    audience: str
    issued_at: datetime
    expires_at: datetime
    checked_at: datetime
    claims: dict[str, Any] = Field(description="What was disclosed; empty unless valid.")


class KeyOut(BaseModel):
    """A public key (RFC 8037)."""

    model_config = FROZEN

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    alg: Literal["EdDSA"] = "EdDSA"
    use: Literal["sig"] = "sig"
    kid: str
    x: str


class KeysOut(BaseModel):
    """The keys that statements and status lists are signed with (RFC 7517)."""

    model_config = FROZEN

    keys: list[KeyOut]


def shown_statement(made: Statement) -> StatementOut:
    """Show a statement to its holder."""
    id_, purpose, audience, kg, score, issued_at, expires_at, revoked_at = made
    return StatementOut(
        id=public_id("stm", id_),
        purpose=purpose,
        audience=audience,
        reduction_kg_at_least=kg,
        score_at_least=score,
        issued_at=issued_at,
        expires_at=expires_at,
        revoked_at=revoked_at,
    )


def shown_check(check: Check) -> CheckOut:
    """Show a check to the holder."""
    return CheckOut.model_validate(check._asdict())


def shown_outcome(shown: Shown, outcome: Outcome, *, at: datetime) -> VerdictOut:
    """Tell a verifier; what the statement says only where it is valid for them."""
    return VerdictOut(
        outcome=outcome,
        purpose=shown.purpose,
        audience=shown.audience,
        issued_at=shown.issued_at,
        expires_at=shown.expires_at,
        checked_at=at,
        claims=shown.said if outcome == "valid" else {},
    )
