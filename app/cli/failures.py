"""What went wrong, in one line (出错说明): operating errors by their code, defects not at all."""

from psycopg import OperationalError
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError as DatabaseAway
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.anchoring.errors import ChainUnavailable
from app.city import NotDurable
from app.cli.screen import REFUSED, UNAVAILABLE, WRONG_INPUT, complain
from app.embedded.errors import EmbeddedRefused
from app.kernel.problems import Refusal
from app.kernel.secrets import KeyMissing
from app.kernel.tracing import TelemetryMissing


def explained(error: Exception) -> int | None:
    """Say an operating error on stderr and give its exit code; ``None`` for a defect."""
    match error:
        case Refusal():
            complain(error.code, f"{_sentence(error)}{_facts(error)}")
            return REFUSED
        case EmbeddedRefused():
            complain(error.code, str(error))
        case KeyMissing() | NotDurable() | TelemetryMissing():
            complain("settings", str(error))
        case ValidationError():
            _explain_settings(error)
        case ChainUnavailable():
            complain("anchoring.chain_unavailable", str(error))
        case OperationalError() | DatabaseAway() | PoolTimeout():
            name = type(error).__name__
            complain("database", f"{name}: 数据库不可用 the database does not answer")
        case UnicodeError():
            complain("input", "不是 UTF-8 文本 not UTF-8 text")
            return WRONG_INPUT
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            complain("file", f"{where}{error.strerror or error}")
            return WRONG_INPUT
        case _:
            return None
    return UNAVAILABLE


def was_interrupted(error: BaseException) -> bool:
    """Say whether Ctrl-C came first: a connection that it cut short then fails to close.

    >>> try:
    ...     try:
    ...         raise KeyboardInterrupt
    ...     finally:
    ...         raise OSError("rollback")
    ... except OSError as told:
    ...     was_interrupted(told)
    True
    >>> was_interrupted(OSError("away"))
    False
    """
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, KeyboardInterrupt):
        seen = seen.__cause__ or seen.__context__
    return seen is not None


def _sentence(refusal: Refusal) -> str:
    """Say it in both languages; the English is the class's first line."""
    english = (type(refusal).__doc__ or "").strip().split("\n", 1)[0]
    return f"{refusal.title_zh} {english}".strip()


def _facts(refusal: Refusal) -> str:
    known = {name: fact for name, fact in refusal.facts.items() if fact not in {None, ""}}
    told = ", ".join(f"{name}: {fact}" for name, fact in known.items())
    return f" ({told})" if told else ""


def _explain_settings(wrong: ValidationError) -> None:
    for fault in wrong.errors(include_input=False):  # the input holds addresses with passwords
        name = ".".join(map(str, fault["loc"])).upper()
        complain("settings", f"{name} {fault['msg']}".strip())
