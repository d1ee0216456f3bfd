"""Logs: JSON lines that hold no personal value, whatever a field is called or an error says."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from app.kernel import telemetry
from app.kernel.telemetry import FORBIDDEN, REDACTED, redact

SECRET = "13800138000"
words = st.sampled_from(sorted(FORBIDDEN))
others = st.sampled_from(["user", "api", "x", "last", "http", "of", "sealed", "2"])


@st.composite
def names(draw: st.DrawFn) -> str:
    """A field name with a forbidden word in it, joined and cased in any way."""
    some = st.lists(others, max_size=2)
    parts = [*draw(some), draw(words), *draw(some)]
    if draw(st.booleans()):
        return parts[0] + "".join(part.title() for part in parts[1:])
    joined = draw(st.sampled_from(["_", "-", "."])).join(parts)
    return joined.upper() if draw(st.booleans()) else joined


@pytest.fixture
def stream() -> StringIO:
    made = StringIO()
    telemetry.configure("INFO", stream=made, pretty=False)
    return made


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@given(names())
def test_a_field_with_such_a_word_loses_its_value(name: str) -> None:
    assert redact(None, "info", {name: SECRET}) == {name: REDACTED}
    deep = redact(None, "info", {"facts": {"list": [{name: SECRET}]}})
    assert SECRET not in json.dumps(deep)


@given(st.dictionaries(st.sampled_from(["epoch", "count", "state", "job"]), st.integers()))
def test_other_fields_keep_theirs(fields: dict[str, object]) -> None:
    assert redact(None, "info", dict(fields)) == fields


@given(st.recursive(st.text(), lambda inner: st.dictionaries(st.text(), inner, max_size=3)))
def test_any_field_can_be_logged(value: object) -> None:
    json.dumps(redact(None, "info", {"facts": value}))


def test_an_occurrence_is_one_json_line(stream: StringIO) -> None:
    structlog.get_logger().info("epoch closed\nand more", epoch=7, phone=SECRET)
    (line,) = stream.getvalue().splitlines()
    said = json.loads(line)
    assert said["epoch"] == 7
    assert said["level"] == "info"
    assert said["timestamp"].endswith("Z")
    assert SECRET not in line


@pytest.mark.parametrize("pretty", [True, False])
def test_an_exception_is_told_by_type_and_line_alone(pretty: bool) -> None:
    stream = StringIO()
    telemetry.configure("INFO", stream=stream, pretty=pretty)

    def look_up(card_of_somebody: str) -> None:
        try:
            int(f"{card_of_somebody}?")
        except ValueError as error:
            raise LookupError(card_of_somebody) from error

    try:
        look_up(SECRET)
    except LookupError as error:
        structlog.get_logger().error("defect", exc_info=error)
    said = stream.getvalue()
    assert SECRET not in said
    assert "LookupError" in said
    assert "ValueError" in said
    assert "test_telemetry.py" in said


def test_a_librarys_line_goes_the_same_way(stream: StringIO) -> None:
    log = logging.getLogger("apscheduler.executors.default")
    log.info("chatter")
    try:
        int(SECRET + "?")
    except ValueError:
        log.exception("Job %s raised", "x")
    (line,) = stream.getvalue().splitlines()
    said = json.loads(line)
    assert said["event"] == "Job x raised"
    assert said["level"] == "error"
    assert "ValueError" in said["exception"]
    assert SECRET not in line


def test_less_severe_lines_are_dropped(stream: StringIO) -> None:
    structlog.get_logger().debug("chatter")
    assert stream.getvalue() == ""
