"""A board as one person sees it (榜单展示): names as they are now, few people never."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.growth.board_cache import BoardCache, Snapshot
from app.growth.boards import Board, Period, totals
from app.growth.entrants import names_of
from app.growth.published import GrowthDocument
from app.growth.rules import shown_mg
from app.growth.together_schemas import LeaderboardOut, RankOut
from app.kernel.db import Database, driver
from app.kernel.quantities import mass
from app.kernel.tokens import Principal

OWN_TEAM: Final = """
select team from team_member where bucket = %s and account = %s and left_at is null"""
TEAM_NAMES: Final = "select id, name from team where id = any(%s)"


class Asked(NamedTuple):
    """Which board, of which days, by whose rules."""

    board: Board
    period: Period
    document: GrowthDocument


def shown_board(
    db: Database, cache: BoardCache, me: Principal, asked: Asked, *, at: datetime
) -> LeaderboardOut:
    """Give a board; who left it since it was built is not on it, and not counted.

    Raises:
        Unavailable: Redis is away, or somebody else is building the board.
    """
    board, period, document = asked
    own = db.read(_own_key, me, board)

    def build() -> Mapping[str, int]:
        return db.read(totals, board, period, document, at=at)

    snapshot = cache.board(board, period, own, build, at=at)
    wanted = [member for member, _ in snapshot.head] + [own]
    names = db.read(_names, board, wanted)
    lines = ranked([each for each in snapshot.head if each[0] in names])
    is_shown = len(lines) >= (1 if board.field is None else document.board.shown_from)
    return LeaderboardOut(
        id=board.id,
        since=period.since,
        until=period.until,
        as_of=snapshot.as_of,
        is_shown=is_shown,
        shown_from=document.board.shown_from,
        data=[
            _line(document, rank, names[member], mg, is_me=member == own)
            for rank, member, mg in lines[: document.board.shown_max]
        ]
        if is_shown
        else [],
        me=_own_line(document, snapshot, names.get(own), own, lines) if is_shown else None,
    )


def ranked(head: Sequence[tuple[str, int]]) -> list[tuple[int, str, int]]:
    """Number a list that is in order; equal amounts have equal ranks.

    >>> ranked([("a", 9), ("b", 9), ("c", 1)])
    [(1, 'a', 9), (1, 'b', 9), (3, 'c', 1)]
    """
    lines: list[tuple[int, str, int]] = []
    for place, (member, mg) in enumerate(head, 1):
        rank = lines[-1][0] if lines and lines[-1][2] == mg else place
        lines.append((rank, member, mg))
    return lines


def _own_key(session: Session, me: Principal, board: Board) -> str:
    if board.field is not None:
        return str(me.owner)
    row = driver(session).execute(OWN_TEAM, (me.bucket, me.owner)).fetchone()
    return row[0].hex if row else ""


def _names(session: Session, board: Board, members: Sequence[str]) -> Mapping[str, str]:
    """Give the names of those who are on the board now."""
    if board.field is not None:
        owners = [int(member) for member in members]
        return {str(owner): name for owner, name in names_of(session, owners).items()}
    teams = [UUID(member) for member in members if member]
    rows = driver(session).execute(TEAM_NAMES, (teams,)).fetchall()
    return {team.hex: name for team, name in rows}


def _own_line(
    document: GrowthDocument,
    snapshot: Snapshot,
    name: str | None,
    own: str,
    lines: Sequence[tuple[int, str, int]],
) -> RankOut | None:
    """Give the asker's line: as it stands in the head, else by how many have more."""
    if name is None or snapshot.own_mg is None:
        return None
    near = [rank for rank, member, _ in lines if member == own]
    gone = len(snapshot.head) - len(lines)
    rank = near[0] if near else snapshot.own_above + 1 - gone
    return _line(document, rank, name, snapshot.own_mg, is_me=True)


def _line(document: GrowthDocument, rank: int, name: str, mg: int, *, is_me: bool) -> RankOut:
    return RankOut(rank=rank, name=name, reduction=mass(shown_mg(document, mg)), is_me=is_me)
