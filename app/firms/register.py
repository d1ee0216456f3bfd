"""Firms as the ledger has them (单位名册): found, listed, suspended and resumed."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, LiteralString, Protocol, TypeVar
from uuid import UUID

from sqlmodel import Session

from app.firms.sort import Sort
from app.kernel.db import driver


class Firm(Protocol):
    """A firm of any sort (单位)."""

    @property
    def id(self) -> UUID:
        """As rows name it."""
        ...

    @property
    def public(self) -> str:
        """As tokens and records name it."""
        ...

    @property
    def suspended_at(self) -> datetime | None:
        """Since when nobody works for it."""
        ...


FirmT = TypeVar("FirmT", bound=Firm)


class Register(Generic[FirmT]):
    """The firms of one sort."""

    def __init__(self, sort: Sort, columns: LiteralString, read: Callable[..., FirmT]) -> None:
        """Name the columns, and what makes a firm of them."""
        table, self._read, self._refusals = sort.kind, read, sort.refusals
        self._find: LiteralString = f"select {columns} from {table} where id = %s"  # noqa: S608 -- tables of our own
        self._list: LiteralString = f"""
select {columns} from {table} where (%s::uuid is null or id > %s) order by id limit %s"""  # noqa: S608 -- likewise
        self._suspend: LiteralString = f"""
update {table} set suspended_at = %s where id = %s and suspended_at is null"""  # noqa: S608 -- likewise
        self._resume: LiteralString = f"""
update {table} set suspended_at = null where id = %s and suspended_at is not null"""  # noqa: S608 -- likewise

    def find(self, session: Session, firm: UUID | None) -> FirmT:
        """Give a firm.

        Raises:
            Refusal: ``unknown``; there is none.
        """
        row = None if firm is None else driver(session).execute(self._find, (firm,)).fetchone()
        if row is None:
            raise self._refusals.unknown
        return self._read(*row)

    def listed(self, session: Session, *, after: UUID | None, limit: int) -> Sequence[FirmT]:
        """List firms, suspended ones too, in the order in which they applied."""
        rows = driver(session).execute(self._list, (after, after, limit)).fetchall()
        return [self._read(*row) for row in rows]

    def suspend(self, session: Session, firm: UUID, *, at: datetime) -> bool:
        """Stop all that a firm may do; says whether it stood before. Idempotent."""
        return driver(session).execute(self._suspend, (at, firm)).rowcount > 0

    def resume(self, session: Session, firm: UUID) -> None:
        """Let a suspended firm work again.

        Raises:
            Refusal: ``not_suspended``.
        """
        if driver(session).execute(self._resume, (firm,)).rowcount == 0:
            raise self._refusals.not_suspended
