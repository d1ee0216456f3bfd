"""One effect a key (幂等): the answer to an ``Idempotency-Key``, in the transaction of its deed.

The same key and request give the first answer again, marked ``Idempotent-Replayed``; the same
key with another request is refused; a try that comes while the first still runs waits for it.
Kept are successes and refusals below 500, for eight days; a defect keeps nothing, so the next
try runs. A citizen's answers lie in the citizen's bucket, those of the desk live once.
"""

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final, LiteralString, NamedTuple

from fastapi import Header, Request, Response
from pydantic import BaseModel
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.http import PROBLEM, problem
from app.kernel.problems import Refusal
from app.kernel.tokens import Principal, TokenInvalid

KEPT: Final = timedelta(days=8)
"""More than the seven days that the API promises."""
KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")
FAILED: Final = 400
DEFECT: Final = 500

IdempotencyKey = Annotated[
    str | None,
    Header(max_length=200, description="1 to 200 printable ASCII characters; required. 幂等键"),
]

_CLAIM_OWN: Final = """
insert into citizen_answer (bucket, account, key, request, kept_until)
select q.* from (values (%s::int2, %s::int8, %s, %s::bytea, %s::timestamptz))
         as q (bucket, account, key, request, kept_until)
  join subject s on s.bucket = q.bucket and s.account = q.account for key share of s
on conflict (bucket, account, key) do nothing"""
_FIRST_OWN: Final = """
select request, status, body from citizen_answer where bucket = %s and account = %s and key = %s"""
_KEEP_OWN: Final = """
update citizen_answer set status = %s, body = %s
 where bucket = %s and account = %s and key = %s"""
_CLAIM_DESK: Final = """
insert into desk_answer (actor, key, request, kept_until) values (%s, %s, %s, %s)
on conflict (actor, key) do nothing"""
_FIRST_DESK: Final = "select request, status, body from desk_answer where actor = %s and key = %s"
_KEEP_DESK: Final = "update desk_answer set status = %s, body = %s where actor = %s and key = %s"
_BLANK: Final = """
   set body = convert_to((convert_from(body, 'UTF8')::jsonb || %(blank)s::jsonb)::text, 'UTF8')
 where {} and case when convert_from(body, 'UTF8') like %(mention)s
                   then convert_from(body, 'UTF8')::jsonb ?& %(names)s::text[] end"""
_BLANK_OWN: Final = "update citizen_answer" + _BLANK.format(
    "bucket = %(bucket)s and account = %(account)s"
)
_BLANK_DESK: Final = "update desk_answer" + _BLANK.format("true")
_SWEEP: Final = (
    "delete from citizen_answer where bucket >= 0 and kept_until < %s",
    "delete from desk_answer where kept_until < %s",
)


class IdempotencyKeyMissing(Refusal):
    """The request needs an Idempotency-Key of 1 to 200 printable ASCII characters."""

    code = "idempotency.key_missing"
    status = 400
    title_zh = "缺少幂等键"


class IdempotencyKeyReused(Refusal):
    """This Idempotency-Key was used before with another request."""

    code = "idempotency.key_reused"
    status = 422
    title_zh = "幂等键已用于另一个请求"


class Answer(NamedTuple):
    """What a request was answered, kept byte for byte."""

    status: int
    body: bytes


def digest_of(*parts: bytes) -> bytes:
    """Hash what makes two requests the same: method, path, query and body.

    >>> digest_of(b"POST", b"/v1", b"a") == digest_of(b"POST", b"/v1a", b"")
    False
    """
    return sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()


def request_digest(request: Request, body: bytes) -> bytes:
    """Hash what makes two requests the same: method, path, query, and the body as it is kept."""
    address = (request.method, request.url.path, request.url.query)
    return digest_of(*(part.encode() for part in address), body)


def readable_key(text: str | None) -> str:
    """Give the Idempotency-Key of a request.

    Raises:
        IdempotencyKeyMissing: There is none, or it is not 1 to 200 printable characters.
    """
    if text is None or not KEY.fullmatch(text):
        raise IdempotencyKeyMissing
    return text


def answer_once(  # noqa: PLR0917 -- the request, its key, who, what, and how it is said
    request: Request,
    db: Database,
    who: Principal,
    key: str | None,
    body: BaseModel | None,
    deed: Callable[[Session], BaseModel],
    status: int = 201,
) -> Response:
    """Run ``deed`` in a transaction, at most once for this key, and answer with what it made.

    Raises:
        IdempotencyKeyMissing, IdempotencyKeyReused, TokenInvalid: See their own words.
    """
    known, at = readable_key(key), now()
    said = b"" if body is None else body.model_dump_json().encode()
    digest = request_digest(request, said)

    def command(session: Session) -> tuple[Answer, bool]:
        first = _claim(session, who, known, digest, at)
        if first is not None:
            return first, True
        answer = attempt(request, session, deed, status)
        _keep(session, who, known, answer)
        return answer, False

    return rendered(*db.transact(command))


def sweep(session: Session, *, before: datetime) -> int:
    """Forget answers that had to be kept until an instant; gives how many rows went."""
    return sum(driver(session).execute(each, (before,)).rowcount for each in _SWEEP)


def blank(session: Session, bucket: int, owner: int, mention: str, names: Iterable[str]) -> None:
    """Empty fields of the answers that are kept and name an object, of its owner or their staff.

    What somebody withdrew is not told again to whoever tries the same request again.
    """
    each = [*names]
    facts = {
        "bucket": bucket,
        "account": owner,
        "mention": f"%{mention}%",
        "names": each,
        "blank": json.dumps(dict.fromkeys(each)),
    }
    for statement in (_BLANK_OWN, _BLANK_DESK):
        driver(session).execute(statement, facts)


def attempt(
    request: Request, session: Session, deed: Callable[[Session], BaseModel], status: int
) -> Answer:
    """Run the deed behind a savepoint, so that a refusal undoes it and is an answer itself."""
    try:
        with session.begin_nested():
            return Answer(status, deed(session).model_dump_json().encode())
    except Refusal as error:
        if error.status >= DEFECT:
            raise
        return Answer(error.status, bytes(problem(request, error).body))


def rendered(answer: Answer, is_replayed: bool) -> Response:  # noqa: FBT001 -- both are the answer
    """Send an answer, and say whether it was given before."""
    headers = {"idempotent-replayed": "true"} if is_replayed else None
    media = PROBLEM if answer.status >= FAILED else "application/json"
    return Response(answer.body, answer.status, headers, media)


def _claim(
    session: Session, who: Principal, key: str, request: bytes, at: datetime
) -> Answer | None:
    """Claim a key; gives the first answer where it was claimed before.

    Raises:
        TokenInvalid: The citizen was erased; a token that outlives them writes nothing.
    """
    connection = driver(session)
    place: tuple[object, ...] = (who.bucket, who.owner, key) if _is_owner(who) else (who.name, key)
    own = _is_owner(who)
    claim, first = (_CLAIM_OWN, _FIRST_OWN) if own else (_CLAIM_DESK, _FIRST_DESK)
    if connection.execute(claim, (*place, request, at + KEPT)).rowcount:
        return None
    row = connection.execute(first, place).fetchone()
    if row is None:
        raise TokenInvalid
    if bytes(row[0]) != request:
        raise IdempotencyKeyReused
    return Answer(row[1], bytes(row[2]))


def _keep(session: Session, who: Principal, key: str, answer: Answer) -> None:
    own = _is_owner(who)
    keep: LiteralString = _KEEP_OWN if own else _KEEP_DESK
    place: tuple[object, ...] = (who.bucket, who.owner, key) if own else (who.name, key)
    driver(session).execute(keep, (answer.status, answer.body, *place))


def _is_owner(who: Principal) -> bool:
    return who.kind == "citizen"
