"""Applying with a project (项目申请): a design, laid before experts, revised until they agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.catalogue import document_of
from app.kernel.db import driver
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.projects.boundary import meter_of, place_of, refuse_counted
from app.projects.design import DECLARED, Design, MeterKind, Words
from app.projects.errors import (
    DesignInvalid,
    DesignReviewed,
    DesignStale,
    MethodologyUnfit,
    ProjectsMany,
)
from app.projects.registry import (
    Project,
    add_project,
    add_revision,
    any_project,
    count_open,
    own_project,
    refuse_registered,
    revision_of,
)
from app.projects.rules import Terms, design_faults, fixed_quantities, is_fit
from app.staff import note_act
from app.staff.voting import Vote
from methodologies import BadQuantity, Document

OPEN_MAX: Final = 50
"""Of one owner, at a time."""
_REVIEW: Final = """
insert into project_review (bucket, account, project, revision, reviewer, vote, comment,
                            reviewed_at)
values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing"""


@dataclass(frozen=True, slots=True)
class MeterWish:
    """A meter or vehicle as its owner names it; the number is hashed and forgotten."""

    kind: MeterKind
    label: str
    provider: str
    number: str


@dataclass(frozen=True, slots=True)
class Wish:
    """A design as its owner sends it."""

    code: str
    version: int
    words: Words
    started_on: date
    since: date
    until: date
    quantities: Mapping[str, str]
    declarations: Mapping[str, bool]
    meters: Sequence[MeterWish]


def apply(
    session: Session, keys: Keys, me: Principal, wish: Wish, *, project: UUID, at: datetime
) -> Project:
    """Lay a project before the experts.

    Raises:
        ProjectsMany, VersionUnknown, MethodologyUnfit, DesignInvalid, CountedElsewhere: See their
            own words.
    """
    if count_open(session, me) >= OPEN_MAX:
        raise ProjectsMany(most=OPEN_MAX)
    design = _checked(session, keys, wish)
    add_project(session, keys, me, project, design, wish.words, at=at)
    _note(session, me, "projects.apply", own_project(session, me, project), at)
    return own_project(session, me, project)


def revise(
    session: Session,
    keys: Keys,
    me: Principal,
    project: UUID | None,
    wish: Wish,
    *,
    note: str,
    at: datetime,
) -> Project:
    """Put another design in the place of the newest; what was voted on that does not count for it.

    Raises:
        ProjectUnknown, ProjectRegistered, ProjectEnded: See their own words.
        VersionUnknown, MethodologyUnfit, DesignInvalid, CountedElsewhere: Likewise.
    """
    found = own_project(session, me, project, is_locked=True)
    refuse_registered(found)
    if (wish.code, wish.version) != (found.code, found.version):
        raise MethodologyUnfit(methodology=found.code, version=found.version)
    number = revision_of(session, found).number + 1
    design = _checked(session, keys, wish)
    add_revision(session, keys, found.place, number, design, wish.words, note=note, at=at)
    _note(session, me, "projects.revise", found, at)
    return found


def review(
    session: Session,
    who: Principal,
    project: UUID | None,
    revision: int,
    vote: Vote,
    comment: str,
    *,
    at: datetime,
) -> Project:
    """Say what an expert or verifier finds of the newest design, once.

    Raises:
        ProjectUnknown, ProjectRegistered, ProjectEnded, DesignStale, DesignReviewed: See their
            own words.
    """
    found = any_project(session, project, is_locked=True)
    refuse_registered(found)
    newest = revision_of(session, found).number
    if newest != revision:
        raise DesignStale(newest=newest)
    said = (*found.place, revision, who.name, vote, comment, at)
    if driver(session).execute(_REVIEW, said).rowcount == 0:
        raise DesignReviewed(revision=revision)
    facts = {"revision": revision, "vote": vote}
    note_act(session, who.name, "projects.review", found.public, at=at, **facts)
    return found


def terms_of(document: Document, design: Design) -> Terms:
    """Read what of a design each day is computed from.

    Raises:
        DesignInvalid: A quantity cannot be read.
    """
    try:
        fixed = fixed_quantities(document, design.quantities)
    except BadQuantity as error:
        raise DesignInvalid(quantities=str(error)) from error
    declared = {
        name: said for name, said in design.declarations.items() if name in document.input_names
    }
    return Terms(design.started_on, fixed, declared)


def _checked(session: Session, keys: Keys, wish: Wish) -> Design:
    document = document_of(session, wish.code, wish.version)
    if not is_fit(document):
        raise MethodologyUnfit(methodology=wish.code, version=wish.version)
    assert set(wish.declarations) == set(DECLARED), wish
    meters = [
        meter_of(session, keys, each.kind, each.label, each.provider, each.number)
        for each in wish.meters
    ]
    if len({each.mark for each in meters}) < len(meters):
        raise DesignInvalid(meters="one of them is named twice")
    design = Design(
        wish.code,
        wish.version,
        place_of(session, keys, wish.words.site),
        wish.started_on,
        wish.since,
        wish.until,
        wish.quantities,
        wish.declarations,
        meters,
    )
    faults = design_faults(document, terms_of(document, design), wish.since, wish.until)
    if faults:
        raise DesignInvalid(faults="; ".join(faults))
    refuse_counted(session, design)
    return design


def _note(session: Session, me: Principal, act: str, project: Project, at: datetime) -> None:
    """Note what an organisation does; a citizen's projects are the citizen's own affair."""
    if me.kind != "citizen":
        note_act(session, me.name, act, project.public, at=at)
