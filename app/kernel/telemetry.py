"""Structured logs (日志): one JSON line an occurrence, with nothing personal in it.

No phone, name, token, card number, coordinate or key is ever logged: callers pass ids and
counts, a processor drops the values of fields whose names say otherwise, and exceptions are
told by type and line alone.
"""

import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from traceback import format_tb
from typing import Final, TextIO, cast

import structlog
from structlog.typing import ExcInfo, Processor

FORBIDDEN: Final = frozenset(
    {
        "authorization",
        "body",
        "card",
        "cookie",
        "key",
        "lat",
        "lng",
        "lon",
        "name",
        "password",
        "phone",
        "secret",
        "signature",
        "station",
        "subject",
        "token",
    }
)
REDACTED: Final = "[redacted]"
WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
CAUSES_MAX: Final = 8


def redact(
    _logger: object, _method: str, fields: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Replace the values of fields that must not be logged, however deep they lie.

    >>> redact(None, "info", {"event": "login", "phone": "13800000000", "count": 2})
    {'event': 'login', 'phone': '[redacted]', 'count': 2}
    >>> redact(None, "info", {"headers": {"x-api-key": "s3cret"}, "accessToken": "s3cret"})
    {'headers': {'x-api-key': '[redacted]'}, 'accessToken': '[redacted]'}
    """
    for field, value in fields.items():
        fields[field] = _shown(field, value)
    return fields


def stack_of(exc_info: ExcInfo) -> str:
    """Tell an exception by types, files and lines: its text and locals may quote a person."""
    told: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None and len(told) < CAUSES_MAX:
        told.append("".join(format_tb(error.__traceback__)) + type(error).__qualname__)
        error = error.__cause__ or error.__context__
    return "\n".join(told)


def _shown(field: str, value: object) -> object:
    if not FORBIDDEN.isdisjoint(word.lower() for word in WORD.findall(field)):
        return REDACTED
    if isinstance(value, Mapping):
        inside = cast("Mapping[object, object]", value)
        return {str(name): _shown(str(name), inner) for name, inner in inside.items()}
    if isinstance(value, list | tuple):
        return [_shown("", inner) for inner in cast("Iterable[object]", value)]
    return value


def configure(level: str, *, stream: TextIO = sys.stderr, pretty: bool | None = None) -> None:
    """Send every log line to ``stream``: JSON, or aligned text when it is a terminal.

    Lines of libraries (uvicorn, APScheduler) go the same way, from WARNING on: left alone they
    would print an exception's text.
    """
    on_terminal = stream.isatty() if pretty is None else pretty
    renderer = (
        structlog.dev.ConsoleRenderer() if on_terminal else structlog.processors.JSONRenderer()
    )
    stamped: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    shown: list[Processor] = [redact, structlog.processors.ExceptionRenderer(stack_of), renderer]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stamped,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shown],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *stamped, *shown],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
