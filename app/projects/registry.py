"""Projects as they are kept (减排项目台账): found by their owner or the desk, and their designs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.projects.design import Design, Words, design_of, digest_of
from app.projects.errors import (
    ProjectEnded,
    ProjectNotRegistered,
    ProjectRegistered,
    ProjectUnknown,
    ReportEmptied,
)
from app.staff import note_act
from app.staff.voting import Review
from ledger.accounts import bucket_of

PREFIX: Final = "prj"
OwnerKind = Literal["citizen", "organisation"]


class ProjectState(StrEnum):
    """Where a project stands."""

    IN_REVIEW = "in_review"
    REGISTERED = "registered"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Project:
    """A project that reduces emissions (减排项目)."""

    bucket: int
    owner: int
    id: UUID
    owner_kind: OwnerKind
    code: str
    version: int
    applied_at: datetime
    revision: int | None
    """Which of its designs was registered."""
    since: date | None
    until: date | None
    """Last day of the crediting period."""
    asked_by: str | None
    signed_by: str | None
    registered_at: datetime | None
    last_day: date | None
    """Of one that ended: the last day that may count."""
    ended_for: str | None
    ended_by: str | None
    ended_at: datetime | None

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)

    @property
    def place(self) -> tuple[int, int, UUID]:
        """The key of its rows."""
        return self.bucket, self.owner, self.id

    @property
    def state(self) -> ProjectState:
        """Where it stands."""
        if self.ended_at is not None:
            return ProjectState.ENDED
        return ProjectState.IN_REVIEW if self.registered_at is None else ProjectState.REGISTERED

    def counts(self) -> tuple[date, date]:
        """Give the first and last day that may count.

        Raises:
            ProjectNotRegistered: See its own words.
        """
        if self.since is None or self.until is None:
            raise ProjectNotRegistered
        return self.since, min(self.until, self.last_day or self.until)


_COLUMNS: Final = """
bucket, account, id, owner_kind, code, version, applied_at, revision, lower(crediting),
upper(crediting), asked_by, signed_by, registered_at, last_day, ended_for, ended_by, ended_at"""
_OWN: Final = f"select {_COLUMNS} from project where bucket = %s and account = %s and id = %s"  # noqa: S608 -- columns of our own
_LOCK_OWN: Final = f"{_OWN} for update"
_WHOSE: Final = "select bucket, account from project where id = %s"
_LIST_OWN: Final = f"""
select {_COLUMNS} from project
 where bucket = %s and account = %s and (%s::uuid is null or id < %s) order by id desc limit %s"""  # noqa: S608 -- likewise
_LIST: Final = f"""
select {_COLUMNS} from project
 where (%s::text is null or case when ended_at is not null then 'ended'
        when registered_at is null then 'in_review' else 'registered' end = %s)
   and (not %s or registered_at is not null) and (%s::uuid is null or id < %s)
 order by id desc limit %s"""  # noqa: S608 -- likewise
_LOCK_OPEN: Final = f"""
select {_COLUMNS} from project
 where bucket = %s and account = %s and ended_at is null order by id for update"""  # noqa: S608 -- likewise
_OPEN: Final = """
select count(*) from project where bucket = %s and account = %s and ended_at is null"""
_ADD: Final = """
insert into project (bucket, account, id, owner_kind, code, version, applied_at)
values (%s, %s, %s, %s, %s, %s, %s)"""
_REVISE: Final = """
insert into project_revision (bucket, account, project, number, design, words, digest, note,
                              revised_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_DESIGN: Final = """
select number, design, note, revised_at, digest, words from project_revision
 where bucket = %s and account = %s and project = %s and (%s::int is null or number = %s)
 order by number desc limit 1"""
_REVIEWS: Final = """
select revision, reviewer, vote, comment, reviewed_at from project_review
 where bucket = %s and account = %s and project = %s order by revision, reviewed_at, reviewer"""


@dataclass(frozen=True, slots=True)
class Revision:
    """One of a project's designs (设计文件修订)."""

    number: int
    design: Design
    note: str
    revised_at: datetime
    digest: bytes
    sealed: bytes
    """Its words, for :func:`words_of`."""


def own_project(
    session: Session, me: Principal, project: UUID | None, *, is_locked: bool = False
) -> Project:
    """Give one of one's own projects.

    Raises:
        ProjectUnknown: There is none, or it is somebody else's.
    """
    return _find(session, (me.bucket, me.owner, project), is_locked=is_locked)


def any_project(session: Session, project: UUID | None, *, is_locked: bool = False) -> Project:
    """Give a project, whosever it is: for the desk and for the public.

    Raises:
        ProjectUnknown: There is none.
    """
    row = None if project is None else driver(session).execute(_WHOSE, (project,)).fetchone()
    if row is None:
        raise ProjectUnknown
    return _find(session, (*row, project), is_locked=is_locked)


def own_projects(
    session: Session, me: Principal, *, before: UUID | None, limit: int
) -> Sequence[Project]:
    """List one's own projects, the newest first."""
    row = (me.bucket, me.owner, before, before, limit)
    return [_project(each) for each in driver(session).execute(_LIST_OWN, row)]


def projects(
    session: Session,
    *,
    state: ProjectState | None = None,
    is_public: bool = False,
    before: UUID | None,
    limit: int,
) -> Sequence[Project]:
    """List everybody's projects, the newest first; the public sees what was ever registered."""
    row = (state, state, is_public, before, before, limit)
    return [_project(each) for each in driver(session).execute(_LIST, row)]


def count_open(session: Session, me: Principal) -> int:
    """Count one's own projects that have not ended."""
    row = driver(session).execute(_OPEN, (me.bucket, me.owner)).fetchone()
    assert row is not None
    return row[0]


def open_projects(session: Session, bucket: int, owner: int) -> Sequence[Project]:
    """Give an owner's projects that have not ended, until this transaction ends."""
    rows = driver(session).execute(_LOCK_OPEN, (bucket, owner)).fetchall()
    return [_project(each) for each in rows]


def add_project(
    session: Session,
    keys: Keys,
    me: Principal,
    project: UUID,
    design: Design,
    words: Words,
    *,
    at: datetime,
) -> None:
    """Keep a project that is applied for, with its first design."""
    kind, owner = me.kind, (me.bucket, me.owner, project)
    driver(session).execute(_ADD, (*owner, kind, design.code, design.version, at))
    add_revision(session, keys, owner, 1, design, words, note="", at=at)


def add_revision(
    session: Session,
    keys: Keys,
    place: tuple[int, int, UUID],
    number: int,
    design: Design,
    words: Words,
    *,
    note: str,
    at: datetime,
) -> None:
    """Keep another design, its words sealed."""
    sealed = keys.seal(words.written(), owner=place[1])
    row = (*place, number, design.written(), sealed, digest_of(design, words), note, at)
    driver(session).execute(_REVISE, row)


def words_of(keys: Keys, owner: int, sealed: bytes) -> Words:
    """Open the words of a design."""
    return Words(**json.loads(keys.open(sealed, owner=owner)))


def revision_of(session: Session, project: Project, number: int | None = None) -> Revision:
    """Give a project's newest design, or one of them by its number.

    Raises:
        ReportEmptied: It is gone with the citizen whose project it was.
    """
    row = driver(session).execute(_DESIGN, (*project.place, number, number)).fetchone()
    assert row is not None, project
    if row[1] is None:
        raise ReportEmptied
    found, stored, note, revised_at, digest, sealed = row
    return Revision(found, design_of(stored), note, revised_at, bytes(digest), bytes(sealed))


def registered_design(session: Session, project: Project) -> Design:
    """Give the design that a project was registered with.

    Raises:
        ProjectNotRegistered, ReportEmptied: See their own words.
    """
    if project.revision is None:
        raise ProjectNotRegistered
    return revision_of(session, project, project.revision).design


def reviews_of(session: Session, project: Project) -> list[Review]:
    """Give all that was said of a project's designs."""
    return [Review(*row) for row in driver(session).execute(_REVIEWS, project.place).fetchall()]


def note_reading(session: Session, who: Principal, project: Project, *, at: datetime) -> None:
    """Note that a clerk read what a citizen wrote; an organisation's is no person's."""
    if project.owner_kind == "citizen":
        note_act(session, who.name, "projects.read", project.public, at=at)


def refuse_ended(project: Project) -> None:
    """Pass a project that goes on.

    Raises:
        ProjectEnded: See its own words.
    """
    if project.ended_at is not None:
        raise ProjectEnded


def refuse_registered(project: Project) -> None:
    """Pass a project whose design may still change.

    Raises:
        ProjectEnded, ProjectRegistered: See their own words.
    """
    refuse_ended(project)
    if project.registered_at is not None:
        raise ProjectRegistered


def _find(session: Session, place: tuple[int, int, UUID | None], *, is_locked: bool) -> Project:
    assert place[0] == bucket_of(place[1]), place
    row = driver(session).execute(_LOCK_OWN if is_locked else _OWN, place).fetchone()
    if row is None:
        raise ProjectUnknown
    return _project(row)


def _project(row: tuple[Any, ...]) -> Project:
    bucket, owner, id_, kind, code, version, applied_at, revision, since, upper, *rest = row
    asked_by, signed_by, registered_at, last_day, ended_for, ended_by, ended_at = rest
    return Project(
        bucket,
        owner,
        id_,
        kind,
        code,
        version,
        applied_at,
        revision,
        since,
        None if upper is None else upper - timedelta(days=1),
        asked_by,
        signed_by,
        registered_at,
        last_day,
        ended_for,
        ended_by,
        ended_at,
    )
