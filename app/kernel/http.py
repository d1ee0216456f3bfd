"""Problem documents (问题文档, RFC 9457) and the string type that every wire model uses.

One place renders every refusal: ``type``, ``title`` in the reader's language, ``status``,
``detail``, ``instance``, ``code``, ``request_id``, ``errors`` and ``retryable``. A dependency
that is down is 503 with ``Retry-After`` and never 500; a defect is 500 and says nothing of
its inside.
"""

import json
import re
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Final

import psycopg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, Strict, StringConstraints
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from app.kernel.asgi import BodyLimit, NoStore, RequestId
from app.kernel.db import sqlstate
from app.kernel.metrics import REFUSALS, Counted
from app.kernel.problems import Refusal

PROBLEM: Final = "application/problem+json"
TYPE: Final = "urn:tanpu:problem:"
RETRY_AFTER_S: Final = "2"
TEXT_MAX: Final = 2000
AWAY: Final = ("08", "53", "55", "57")
"""SQLSTATE classes of a server that is away, full, locked or going down."""


Str = Annotated[str, StringConstraints(max_length=TEXT_MAX, pattern=r"^[^\x00]*$")]
"""A bounded string that PostgreSQL can store; a pattern of one's own leaves NUL out as well."""
Written = Annotated[
    Str,
    StringConstraints(min_length=1, strip_whitespace=True, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$"),
]
"""Likewise, stripped, and more than white space."""


Int = Annotated[int, Strict()]
"""A whole number, written as one: neither "1" nor 1.0 nor true."""


def _as_written(given: object) -> object:
    if isinstance(given, date) or (isinstance(given, str) and _DAY.fullmatch(given)):
        return given
    raise ValueError("a day is written YYYY-MM-DD")


_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Day = Annotated[date, BeforeValidator(_as_written)]
"""A day as the document tells it, and not seconds since 1970."""


class ProblemFault(BaseModel):
    """One fault of a request, and where it is."""

    pointer: str
    code: str
    message: str


class ProblemOut(BaseModel):
    """A problem document (RFC 9457) with a public ``code``; see docs/errors.md."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    retryable: bool
    errors: list[ProblemFault]


def problems(**said: str) -> dict[int | str, dict[str, Any]]:
    """Document the refusals of an endpoint: ``problems(s404="No such batch of yours.")``."""
    return {
        int(status.removeprefix("s")): {
            "description": text,
            "content": {PROBLEM: {"schema": ProblemOut.model_json_schema()}},
        }
        for status, text in said.items()
    }


class RequestMalformed(Refusal):
    """The request is not of the documented form."""

    code = "request.malformed"
    status = 422
    title_zh = "请求格式不正确"


class BodyTooLarge(Refusal):
    """The body is larger than this endpoint takes."""

    code = "request.too_large"
    status = 413
    title_zh = "请求正文过大"


class NotFound(Refusal):
    """There is nothing here, or nothing that you may see."""

    code = "request.not_found"
    status = 404
    title_zh = "没有找到"


class MethodUnknown(Refusal):
    """This address does not take that method."""

    code = "request.method_unknown"
    status = 405
    title_zh = "不支持该请求方法"


class RequestRefused(Refusal):
    """The request cannot be served as it is."""

    code = "request.refused"
    status = 400
    title_zh = "无法处理该请求"


class Unavailable(Refusal):
    """Something that this answer needs is away; try again soon."""

    code = "server.unavailable"
    status = 503
    title_zh = "服务暂不可用，请稍后重试"


class Defect(Refusal):
    """This is our fault, and has been noted under the request's id."""

    code = "server.defect"
    status = 500
    title_zh = "服务器内部错误"


_BY_STATUS: Final[dict[int, type[Refusal]]] = {
    404: NotFound,
    405: MethodUnknown,
    413: BodyTooLarge,
    503: Unavailable,
}


def prefers_chinese(accept_language: str) -> bool:
    """Tell whether a reader's first language of ours is Chinese; English where neither is named.

    >>> prefers_chinese("zh-CN,zh;q=0.9,en;q=0.8"), prefers_chinese("en;q=1, zh;q=0.5")
    (True, False)
    >>> prefers_chinese("")
    False
    """
    weights = {"zh": 0.0, "en": 0.0}
    found = re.findall(
        r"([A-Za-z]{2})[A-Za-z-]*\s*(?:;\s*q=([01](?:\.\d{1,3})?))?", accept_language
    )
    for language, weight in found:
        if language.lower() in weights:
            known = weights[language.lower()]
            weights[language.lower()] = max(known, float(weight) if weight else 1.0)
    return weights["zh"] > weights["en"]


def title_of(kind: type[Refusal], *, chinese: bool) -> str:
    """Give a refusal's one sentence in the reader's language."""
    if chinese:
        return kind.title_zh
    assert kind.__doc__ is not None, kind
    return kind.__doc__.strip().split("\n", 1)[0]


def problem(
    request: Request, refusal: Refusal, errors: list[dict[str, str]] | None = None
) -> Response:
    """Render a refusal for whoever asked."""
    chinese = prefers_chinese(request.headers.get("accept-language", ""))
    retryable = (
        refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or refusal.status == HTTPStatus.TOO_MANY_REQUESTS
    )
    facts = ", ".join(f"{name}: {value}" for name, value in refusal.facts.items())
    title = title_of(type(refusal), chinese=chinese)
    document: dict[str, Any] = {
        "type": TYPE + refusal.code,
        "title": title,
        "status": refusal.status,
        "detail": facts or title,
        "instance": request.url.path,
        "code": refusal.code,
        "request_id": request.scope.get("request_id", ""),
        "retryable": retryable,
        "errors": errors or [],
    }
    # Said here too: a defect is answered outside of every layer, and refusals are not only of /v1.
    headers = {"content-language": "zh" if chinese else "en", "cache-control": "no-store"}
    if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = RETRY_AFTER_S
    headers.update(refusal.headers())
    REFUSALS.labels(refusal.code).inc()
    body = json.dumps(document, ensure_ascii=False).encode()
    return Response(body, refusal.status, headers, PROBLEM)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return problem(request, error)


def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {
            "pointer": "".join(f"/{part}" for part in fault["loc"]),
            "code": f"request.{fault['type']}",
            "message": str(fault["msg"]),
        }
        for fault in error.errors()
    ]
    return problem(request, RequestMalformed(), faults)


def _by_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(request, _BY_STATUS.get(error.status_code, RequestRefused)())


def _away(request: Request, error: Exception) -> Response:
    if isinstance(error, DBAPIError | psycopg.Error):
        state = sqlstate(error)
        if state is not None and not state.startswith(AWAY):
            return _defect(request, error)
    structlog.get_logger().warning("dependency away", kind=type(error).__name__)
    return problem(request, Unavailable())


def _defect(request: Request, error: Exception) -> Response:
    request_id = request.scope.get("request_id", "")
    # A database error's text quotes the row, and rows may be personal: its state says enough.
    state = sqlstate(error) if isinstance(error, DBAPIError | psycopg.Error) else None
    structlog.get_logger().error(
        "defect",
        request_id=request_id,
        kind=type(error).__name__,
        state=state,
        exc_info=error if state is None else None,
    )
    return problem(request, Defect())


def install(app: FastAPI, *, body_max: dict[str, int] | None = None) -> None:
    """Give an application its problem documents, request ids, body limits and ``no-store``.

    ``body_max`` names the paths that take more than the ordinary body [bytes].
    """
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _by_status)
    for away in (DBAPIError, psycopg.Error, PoolTimeout):
        app.add_exception_handler(away, _away)
    app.add_exception_handler(Exception, _defect)
    app.add_middleware(BodyLimit, larger=body_max or {}, refuse=_too_large)
    app.add_middleware(NoStore)
    app.add_middleware(Counted)
    app.add_middleware(RequestId)


def _too_large(request: Request) -> Response:
    return problem(request, BodyTooLarge())
