"""Structured logs (日志): one JSON line an occurrence, with nothing personal in it.

No phone, name, token, card number, coordinate or key is ever logged: callers pass ids and
counts, and a processor drops the values of fields whose names say otherwise.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Final, TextIO

import structlog

FORBIDDEN: Final = frozenset(
    "authorization body card cookie key lat lng lon name password phone secret signature"
    " station subject token".split()  # noqa: SIM905 -- a sentence of words reads better here
)
REDACTED: Final = "[redacted]"


def redact(
    _logger: object, _method: str, fields: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Replace the values of fields that must not be logged.

    >>> redact(None, "info", {"event": "login", "phone": "13800000000", "count": 2})
    {'event': 'login', 'phone': '[redacted]', 'count': 2}
    """
    for field in fields:
        if field.lower() in FORBIDDEN:
            fields[field] = REDACTED
    return fields


def configure(level: str, *, stream: TextIO = sys.stderr, pretty: bool | None = None) -> None:
    """Send every log line to ``stream``: JSON, or aligned text when it is a terminal."""
    on_terminal = stream.isatty() if pretty is None else pretty
    renderer = (
        structlog.dev.ConsoleRenderer() if on_terminal else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.dict_tracebacks,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
