"""The library (方法学库): every version that shipped or was published at run time.

What ships is read from the package; what two people published is read from its table, parsed
once a process and known by its digest, so that asking again costs one small statement. Both are
frozen: a version that ships with other bytes than the published ones is a conflict, and nothing
runs on either.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.catalogue.errors import VersionConflict, VersionUnknown
from app.kernel.db import Connection, driver
from methodologies import CATALOG, Document, Settlement, load, source

Key = tuple[str, int]
_PUBLISHED: Final = "select code, version, sha256 from methodology_document order by 1, 2"
_SOURCE: Final = "select source from methodology_document where code = %s and version = %s"
DIGESTS: Final = "array(select sha256 from methodology_document)"
"""A column for whoever wants to be told by :func:`is_read`, in a statement of their own."""
_WITHDRAWN: Final = "select code, version, last_day from methodology_withdrawal"
_CORRECTED: Final = """
select id, code, version, replacement, since, until from factor_correction where code = %s
 order by ordered_at, id"""
PARSED_MAX: Final = 512
_DAY: Final = timedelta(days=1)
_parsed: Final[dict[bytes, Document]] = {}
"""By digest: what was published under it can never be another document."""


class FactorCorrection(NamedTuple):
    """An order that another version's factor holds for acts of a period (系数更正)."""

    id: UUID
    code: str
    version: int
    replacement: int
    since: date
    until: date


class Holding(NamedTuple):
    """The versions of one code, and what was ordered about their factors (现行系数)."""

    versions: Mapping[int, Document]
    corrections: Sequence[FactorCorrection]

    def of(self, version: int, day: date) -> Document | None:
        """Give the document whose factor holds for an act of a version and a day.

        It is given as in force on that day, which is what the act was accepted under.
        """
        holds = version
        for each in self.corrections:
            if each.version in {version, holds} and each.since <= day <= each.until:
                holds = each.replacement
        document = self.versions.get(holds)
        if document is None:
            return None
        until = None if document.until is None else max(day, document.until)
        return replace(document, effective=min(day, document.effective), until=until)


def library(session: Session) -> Mapping[Key, Document]:
    """Give every version, shipped or published, by code and version.

    Raises:
        VersionConflict: A version ships with other bytes than were published.
    """
    return library_over(driver(session))


def is_read(published: Iterable[bytes]) -> bool:
    """Tell whether this process knows every document with these digests, and none conflicts.

    Where it does not, :func:`library` reads what is missing, or says what conflicts.
    """
    return all(digest in _parsed and not _conflicts(_parsed[digest]) for digest in published)


def settled_by_month() -> list[str]:
    """Name the versions that settle whole months, of those that ship or were read: ``CODE/1``."""
    known = [*CATALOG.values(), *_parsed.values()]
    return [
        f"{each.code}/{each.version}"
        for each in known
        if each.settlement is Settlement.BILLING_MONTH
    ]


def library_over(connection: Connection) -> Mapping[Key, Document]:
    """Do the same for whoever has a connection and no session: the audit."""
    return _library(connection, CATALOG)


def versions_of(session: Session, code: str) -> Mapping[Key, Document]:
    """Give every version of one code; no other document is parsed for it.

    Raises:
        VersionConflict: A version ships with other bytes than were published.
    """
    return _library(driver(session), [key for key in CATALOG if key[0] == code], code)


def document_of(session: Session, code: str, version: int) -> Document:
    """Give one version; asks the database only for what does not ship.

    Raises:
        VersionUnknown: It neither ships nor was published.
    """
    found = CATALOG.get((code, version)) or versions_of(session, code).get((code, version))
    if found is None:
        raise VersionUnknown(methodology=code, version=version)
    return found


def source_of(session: Session, code: str, version: int) -> bytes:
    """Give the text of one version, byte for byte as its digest is of.

    Raises:
        VersionUnknown: It neither ships nor was published.
    """
    if (code, version) in CATALOG:
        return source(code, version)
    row = driver(session).execute(_SOURCE, (code, version)).fetchone()
    if row is None:
        raise VersionUnknown(methodology=code, version=version)
    return bytes(row[0])


def digests(session: Session) -> dict[Key, bytes]:
    """Give the digest of every version, as it goes on the chain."""
    return {key: bytes.fromhex(each.sha256) for key, each in library(session).items()}


def applicable(session: Session, code: str, version: int | None = None) -> Sequence[Document]:
    """Give the versions of a code, or one of them, with the days on which each applies, in order.

    A withdrawal ends a version, and those that it had superseded stay ended. A correction of a
    factor lets the replacement apply in the corrected period, for acts that are told from now on.
    One version applies on the days on which it would without being named: naming it brings back
    neither what was superseded nor a second cap a day.
    """
    known = versions_of(session, code)
    tenures = ended(in_order(known.values()), last_days(session))
    found = [(each, each.version) for each in tenures]
    for each in corrections_of(session, code):
        # Where the corrected version itself applies: by its own days, or in another's place.
        held = [document for document, _ in found if document.version == each.version]
        since = max(each.since, min(document.effective for document in held))
        until = min(each.until, max(document.until or each.until for document in held))
        document = replace(known[code, each.replacement], effective=since, until=until)
        found.append((document, each.version))
    found.sort(key=lambda each: (each[0].effective, each[0].version))
    if version is None:
        return [document for document, _ in found]
    return [
        part
        for place, (document, of) in enumerate(found)
        if of == version
        for part in _not_superseded(document, [later for later, _ in found[place + 1 :]])
    ]


def holding(session: Session, code: str) -> Holding:
    """Give what acts of a code are worth when somebody computes them anew."""
    versions = {version: each for (_, version), each in versions_of(session, code).items()}
    return Holding(versions, corrections_of(session, code))


def last_days(session: Session) -> dict[Key, date]:
    """Give the last day of each version that was withdrawn."""
    return {row[:2]: row[2] for row in driver(session).execute(_WITHDRAWN).fetchall()}


def corrections_of(session: Session, code: str) -> list[FactorCorrection]:
    """Give the corrections of a code's factors, in the order in which they were ordered."""
    return [
        FactorCorrection(*row) for row in driver(session).execute(_CORRECTED, (code,)).fetchall()
    ]


def in_order(documents: Iterable[Document]) -> list[Document]:
    """Order versions by effect: of two in force on a day, the later one applies."""
    return sorted(documents, key=lambda each: (each.effective, each.version))


def ended(versions: Sequence[Document], last_days: Mapping[Key, date]) -> list[Document]:
    """Shorten the withdrawn versions, and the earlier ones that would come back in their place."""
    found = list(versions)
    for place, each in enumerate(versions):
        if (last := last_days.get((each.code, each.version))) is None:
            continue
        found[place] = _until(found[place], last)
        before = each.effective - timedelta(days=1)
        found[:place] = [_until(earlier, before) for earlier in found[:place]]
    return found


def _library(
    connection: Connection, shipped: Iterable[Key], code: str | None = None
) -> dict[Key, Document]:
    found = {key: CATALOG[key] for key in shipped}
    for of, version, sha256 in connection.execute(_PUBLISHED).fetchall():
        if code not in {None, of}:
            continue
        known = found.setdefault((of, version), _published(connection, (of, version), sha256))
        if known.sha256 != bytes(sha256).hex():
            raise VersionConflict(methodology=of, version=version)
    return dict(sorted(found.items()))


def _conflicts(document: Document) -> bool:
    ships = CATALOG.get((document.code, document.version), document)
    return ships.sha256 != document.sha256


def _not_superseded(document: Document, later: Iterable[Document]) -> list[Document]:
    """Give a version on the days on which none of the later ones is in force."""
    parts = [document]
    for each in later:
        if each.until is not None and each.until < each.effective:
            continue  # withdrawn before its first day
        ends, resumes = each.effective - _DAY, each.until and each.until + _DAY
        rests = [replace(part, effective=max(part.effective, resumes)) for part in parts if resumes]
        parts = [*(_until(part, ends) for part in parts), *rests]
        parts = [part for part in parts if part.until is None or part.effective <= part.until]
    return in_order(parts)


def _until(document: Document, last: date) -> Document:
    until = last if document.until is None else min(last, document.until)
    return document if until == document.until else replace(document, until=until)


def _published(connection: Connection, key: Key, digest: bytes) -> Document:
    sha256 = bytes(digest)
    if sha256 not in _parsed:
        row = connection.execute(_SOURCE, key).fetchone()
        assert row is not None, key
        if len(_parsed) >= PARSED_MAX:
            _parsed.clear()
        _parsed[sha256] = load(bytes(row[0]), f"{key[0]}/{key[1]}.toml")
    found = _parsed[sha256]
    if (found.code, found.version, found.sha256) != (*key, sha256.hex()):
        raise VersionConflict(methodology=key[0], version=key[1])
    return found
