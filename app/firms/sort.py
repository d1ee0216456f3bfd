"""A sort of firm (单位类别): how it is called, who of the desk keeps it, and what it refuses."""

from dataclasses import dataclass
from typing import Literal, LiteralString, NamedTuple
from uuid import UUID

from app.kernel.ids import parse_public_id, public_id
from app.kernel.problems import Refusal
from app.kernel.scopes import Scope
from app.kernel.tokens import PREFIXES


class Refusals(NamedTuple):
    """What a sort of firm refuses, each with a code and words of its own."""

    unknown: type[Refusal]
    suspended: type[Refusal]
    not_suspended: type[Refusal]
    registration_taken: type[Refusal]
    registration_invalid: type[Refusal]
    application_unknown: type[Refusal]
    application_decided: type[Refusal]
    application_changed: type[Refusal]
    user_unknown: type[Refusal]
    user_self: type[Refusal]
    users_many: type[Refusal]


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of firm."""

    kind: Literal["merchant", "organisation"]
    """Names its table, those of its people and applications, and its people's tokens."""
    plural: LiteralString
    """How its acts in the log, its refusals and its paths at the desk begin."""
    prefix: str
    """Of its public ids."""
    word: str
    """As the names of operations have it."""
    zh: str
    manage: Scope
    """What the desk needs to keep firms of this sort."""
    refusals: Refusals

    def named(self, firm: UUID) -> str:
        """Write a firm's id as it appears outside."""
        return public_id(self.prefix, firm)

    def firm_of(self, text: str) -> UUID | None:
        """Read a firm's id."""
        return parse_public_id(self.prefix, text)

    def user_of(self, text: str) -> UUID | None:
        """Read the id of somebody who works for a firm."""
        return parse_public_id(PREFIXES[self.kind], text)
