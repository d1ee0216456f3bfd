"""Pages of the library (方法学页面): what the public reads, each in one snapshot."""

from datetime import date

from sqlmodel import Session

from app.catalogue.anchors import anchors
from app.catalogue.library import document_of, last_days, library, versions_of
from app.catalogue.queries import Register, register
from app.catalogue.schemas import MethodologyOut, MethodologyRow
from app.catalogue.showing import chain_of, row_of, shown, state_of
from app.catalogue.standings import leavings, standings_seen, statements
from methodologies import Document, Field


def rows_on(session: Session, today: date, field: Field | None = None) -> list[MethodologyRow]:
    """Give every version, or those of a field, by code and version."""
    known, last, decided = library(session), last_days(session), register(session)
    siblings: dict[str, list[Document]] = {}
    for each in known.values():
        siblings.setdefault(each.code, []).append(each)
    return [
        row_of(
            each,
            decided.under(each),
            state_of(each, siblings[each.code], last.get(key), today),
            today,
        )
        for key, each in known.items()
        if field in {None, each.field}
    ]


def version_on(
    session: Session, code: str, version: int, today: date, *, is_production: bool
) -> MethodologyOut:
    """Give one version whole.

    Raises:
        VersionUnknown: It neither ships nor was published.
    """
    document = document_of(session, code, version)
    last = last_days(session).get((code, version))
    siblings = list(versions_of(session, code).values())
    anchor = anchors(session).get((code, version))
    reasons = statements(session)
    seen = None if anchor is None else standings_seen(session, anchor.registry).get((code, version))
    due = [each for each in leavings(siblings, reasons, today) if each.version == version]
    owed = due[-1].standing if due and due[-1].standing != seen else None
    return shown(
        document,
        register(session, document),
        state_of(document, siblings, last, today),
        last_day=last,
        withdrawal=reasons.get((code, version)),
        chain=chain_of(document, anchor, seen, owed, is_production=is_production),
        today=today,
    )


def decided_version(session: Session, code: str, version: int) -> tuple[Document, Register]:
    """Give one version with what was decided about it.

    Raises:
        VersionUnknown: It neither ships nor was published.
    """
    document = document_of(session, code, version)
    return document, register(session, document)
