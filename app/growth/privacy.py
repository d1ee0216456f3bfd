"""What growth keeps of a person (个人数据): to hand out, and to forget.

Levels, scores and ranks are read from acts and transfers, so there is nothing of them to forget.
Whoever asks for a person's export or erasure calls these inside their own transaction.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, LiteralString

from app.citizens import Citizen
from app.kernel.db import Connection

_KEPT: Final[Mapping[str, LiteralString]] = {
    "team_member": """
select m.joined_at, m.left_at, t.name as team from team_member m join team t on t.id = m.team
 where m.bucket = %s and m.account = %s order by m.joined_at""",
    "challenge_entry": """
select c.title_zh, c.title_en, e.joined_at from challenge_entry e
  join challenge c on c.id = e.challenge
 where e.bucket = %s and e.account = %s order by e.joined_at""",
    "leaderboard_entrant": """
select pseudonym, since from leaderboard_entrant where bucket = %s and account = %s""",
    "statement": """
select id, purpose, audience, kg_at_least, score_at_least, issued_at, expires_at, revoked_at
  from statement where bucket = %s and account = %s order by id""",
    "statement_check": """
select statement, minute, verifier, outcome, times from statement_check
 where bucket = %s and account = %s order by minute, statement""",
}
_FORGET: Final[Sequence[LiteralString]] = (
    "delete from team_member where bucket = %s and account = %s",
    "delete from challenge_entry where bucket = %s and account = %s",
    "delete from leaderboard_entrant where bucket = %s and account = %s",
    "delete from statement_check where bucket = %s and account = %s",
    # The row stays, without its words: its place in the status list says that it is revoked.
    """
update statement set purpose = '', audience = '', revoked_at = coalesce(revoked_at, now())
 where bucket = %s and account = %s""",
)


def rows_of(connection: Connection, citizen: Citizen) -> Mapping[str, list[dict[str, Any]]]:
    """Give everything that growth keeps of a person, by table, as named values."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table, query in _KEPT.items():
        cursor = connection.execute(query, (citizen.bucket, citizen.number))
        names = [column.name for column in cursor.description or ()]
        found[table] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return found


def forget(connection: Connection, citizen: Citizen) -> None:
    """Delete what growth keeps of a person, and revoke their statements. Idempotent.

    As the worker, who alone may delete.
    """
    for statement in _FORGET:
        connection.execute(statement, (citizen.bucket, citizen.number))
