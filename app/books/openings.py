"""What opens the texts of a claim (声明明文): names and words, shown by choice, withdrawn for ever.

A cancellation or retirement commits to three texts (``ledger.certificate.TEXTS``): who held it, for
whom it was given up, and in which words. Here lie the texts and their salts. Withdrawn, a row is
gone: the commitment in the log stays, and nobody can open it any more.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from uuid import UUID

from app.kernel.db import Connection
from ledger.accounts import bucket_of
from ledger.certificate import Opened, text_commit

_KEEP: Final = """
insert into claim_opening (bucket, account, subject, name, salt, words, is_public)
select * from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::text[], %s::bytea[], %s::text[],
                     %s::bool[])"""
_OPENED: Final = """
select name, salt, words, is_public from claim_opening
 where bucket = %s and account = %s and subject = %s"""
_WITHDRAW: Final = """
delete from claim_opening
 where bucket = %s and account = %s and subject = %s and name = any(%s) and words <> ''"""
_FORGET: Final = "delete from claim_opening where bucket = %s and account = %s"


class ClaimText(NamedTuple):
    """One text of a claim."""

    name: str
    """One of ``TEXTS``."""
    salt: bytes
    words: str
    """Empty where nothing was said."""
    is_public: bool
    """Its owner chose to show it to anybody."""

    @property
    def commit(self) -> bytes:
        """What the claim says of it."""
        return text_commit(self.name, self.salt, self.words)


def keep_texts(
    connection: Connection, owner: int, subject: UUID, texts: Iterable[ClaimText]
) -> None:
    """Keep what opens the texts of a cancellation or retirement of ``owner``."""
    place = (bucket_of(owner), owner, subject)
    rows = [(*place, *text) for text in texts]
    connection.execute(_KEEP, [list(column) for column in zip(*rows, strict=True)])


def texts_of(connection: Connection, owner: int, subject: UUID) -> Mapping[str, ClaimText]:
    """Give what still opens a claim, by name."""
    rows = connection.execute(_OPENED, (bucket_of(owner), owner, subject))
    return {row[0]: ClaimText(row[0], bytes(row[1]), *row[2:]) for row in rows}


def opened(texts: Mapping[str, ClaimText], *, to_all: bool) -> dict[str, Opened]:
    """Open what was chosen to be shown to anybody, or everything to its owner."""
    return {
        name: Opened(text.salt, text.words)
        for name, text in texts.items()
        if text.words and (text.is_public or not to_all)
    }


def withdraw_texts(connection: Connection, owner: int, subject: UUID, names: Iterable[str]) -> int:
    """Destroy what opens some texts of a claim, for ever; gives how many were there."""
    facts = (bucket_of(owner), owner, subject, list(names))
    return connection.execute(_WITHDRAW, facts).rowcount


def forget_texts(connection: Connection, owner: int) -> None:
    """Destroy what opens any text of an owner who leaves (R20)."""
    connection.execute(_FORGET, (bucket_of(owner), owner))
