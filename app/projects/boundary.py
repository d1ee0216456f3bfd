"""What a project must not count (项目边界): what others count, by declaration, list or link.

The boundary list is that of ingest; a registered project's meters go onto it for its crediting
period, so that no act of theirs accrues to anybody as well.
"""

from contextlib import suppress
from datetime import date
from typing import Final, Literal
from uuid import UUID

from psycopg import errors as db_errors
from sqlmodel import Session

from app.activities.boundary import boundary_list, mark_of, put_on_list, take_off_list
from app.activities.errors import BoundaryUnknown
from app.activities.marks import normal_name, place_hash
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.projects.design import Design, Meter, MeterKind
from app.projects.errors import CountedElsewhere, MeterTaken
from app.projects.rules import Exclusion

REASON: Final = "boundary.project"
SITE: Final = "site"
_LINKED: Final = """
select from instrument i join provider p on p.id = i.provider
 where p.code = %s and i.number = %s
   and (i.linked_to is null or (i.linked_to at time zone 'Asia/Shanghai')::date >= %s) limit 1"""
_COUNT: Final = """
insert into project_meter (mark, project, days) values (%s, %s, daterange(%s, %s, '[]'))"""
_CUT: Final = """
update project_meter set days = daterange(lower(days), %s, '[]')
 where project = %s and lower(days) <= %s and upper(days) > %s::date + 1"""
_DROP: Final = "delete from project_meter where project = %s and lower(days) > %s"


def meter_of(
    session: Session, keys: Keys, kind: MeterKind, label: str, provider: str, number: str
) -> Meter:
    """Hash a meter's or vehicle's number; what the design keeps of it."""
    if kind == "vehicle":
        mark = mark_of(session, keys, "vehicle", number)
        return Meter(kind, label, "", mark.hex(), mark.hex())
    mark = place_hash(keys, "meter", normal_name("meter", number))
    listed = keys.subject_hash(provider, number)
    return Meter(kind, label, provider, mark.hex(), listed.hex())


def place_of(session: Session, keys: Keys, site: str) -> str:
    """Hash a site's name as the boundary list would have it [hex]."""
    return mark_of(session, keys, "station", site).hex()


def refuse_counted(session: Session, design: Design) -> None:
    """Pass a design of which nobody else counts anything in its crediting period.

    Raises:
        CountedElsewhere: Its owner declares so, or the boundary list has its site, a meter or a
            vehicle; the detail says which.
    """
    declared = sorted(name for name, said in design.declarations.items() if said)
    if declared:
        raise CountedElsewhere(declared=", ".join(declared))
    names = {bytes.fromhex(each.listed): each.label for each in design.meters}
    names[bytes.fromhex(design.place)] = SITE
    for each in boundary_list(session):
        if each.number not in names or each.valid_from > design.until:
            continue
        if each.valid_to is None or each.valid_to >= design.since:
            raise CountedElsewhere(reason=each.reason, about=names[each.number])


def refuse_linked(session: Session, design: Design) -> None:
    """Pass a design none of whose meters is somebody's own; the desk asks, not whoever applies.

    An applicant could try numbers of cards and meters, and learn which of them take part here.

    Raises:
        MeterTaken: A meter is linked to a citizen, whose acts it would be.
    """
    for meter in design.meters:
        link = (meter.provider, bytes.fromhex(meter.listed), design.since)
        if meter.provider and driver(session).execute(_LINKED, link).rowcount:
            raise MeterTaken(about=meter.label)


def listed_days(session: Session, project: UUID, design: Design) -> list[Exclusion]:
    """Give the days on which the boundary list has a project's meters or site, but for its own."""
    ours = (REASON, public_id("prj", project))
    places: dict[bytes, int | None] = {
        bytes.fromhex(each.listed): place for place, each in enumerate(design.meters)
    }
    places[bytes.fromhex(design.place)] = None
    return [
        Exclusion(each.valid_from, each.valid_to or date.max, places[each.number])
        for each in boundary_list(session)
        if each.number in places and (each.reason, each.source) != ours
    ]


def count_meters(session: Session, project: UUID, design: Design) -> None:
    """Let meters be this project's for its crediting period, and list them.

    Raises:
        MeterTaken: One of them is another project's in some of these days.
    """
    for meter in design.meters:
        row = (bytes.fromhex(meter.mark), project, design.since, design.until)
        try:
            driver(session).execute(_COUNT, row)
        except (db_errors.ExclusionViolation, db_errors.UniqueViolation) as error:
            raise MeterTaken(about=meter.label) from error
        _list(session, project, meter, design.since, design.until)


def free_meters(session: Session, project: UUID, design: Design, last_day: date) -> None:
    """Let a project that ended count its meters no longer than ``last_day``."""
    connection = driver(session)
    connection.execute(_DROP, (project, last_day))
    connection.execute(_CUT, (last_day, project, last_day, last_day))
    last = max(last_day, design.since)
    for meter in design.meters:
        if last < design.until and _is_listed(meter):
            with suppress(BoundaryUnknown):  # somebody took it off by hand
                take_off_list(session, _kind(meter), bytes.fromhex(meter.listed), last=last)


def _list(session: Session, project: UUID, meter: Meter, since: date, until: date) -> None:
    if not _is_listed(meter):
        return
    mark, source = bytes.fromhex(meter.listed), public_id("prj", project)
    put_on_list(session, _kind(meter), mark, reason=REASON, source=source, since=since)
    take_off_list(session, _kind(meter), mark, last=until)


def _is_listed(meter: Meter) -> bool:
    """Say whether acts of somebody could name this meter at all."""
    return meter.kind == "vehicle" or bool(meter.provider)


def _kind(meter: Meter) -> Literal["vehicle", "subject"]:
    return "vehicle" if meter.kind == "vehicle" else "subject"
