"""Every nasty file: each line has an outcome, or the file is refused whole; nothing in between.

Read and taken in as any file is, on PostgreSQL. After each, what people hold is what the
outcomes said, to the milligram.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.activities import Item, Outcome, UploadRefused, UploadResult, ingest, read_items
from app.activities.choice import catalogued
from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from tests.fuzz.nasties import Case, csv_cases, csv_of, ndjson_cases, ndjson_of, parquet_cases, rows
from tests.support.acts import people, provider

CHOICE = catalogued("SZ-METRO")
RIDE_MG = 491_400
BOOKS = """
select coalesce((select sum(credits - debits) from balance), 0)::int8,
       coalesce((select sum(amount) from transfer), 0)::int8,
       (select count(*) from activity), (select count(*) from upload)"""


@dataclass(frozen=True, slots=True)
class Door:
    """The way in."""

    db: Database
    keys: Keys
    settings: Settings
    folder: Path

    def books(self) -> tuple[int, int, int, int]:
        """Held, moved, acts, uploads."""
        row = self.db.read(lambda session: driver(session).execute(BOOKS).fetchone())
        assert row is not None
        held, moved, acts, uploads = row
        return held, moved, acts, uploads

    def take_in(self, body: bytes, name: str) -> UploadResult | UploadRefused:
        """Read and ingest a file; check what holds of every file."""
        path = self.folder / name
        path.write_bytes(body)
        before = self.books()
        try:
            items = read_items(path, CHOICE)
            result = ingest(self.db, self.keys, self.settings, "metro", CHOICE, items, at=now())
        except UploadRefused as refused:
            assert self.books() == before, "a file that is refused leaves nothing"
            return refused
        read = list(items)
        after = self.books()
        assert sum(result.counts.values()) == len(read)
        assert after[0] - before[0] == after[1] - before[1] == result.reduction_mg
        assert (
            after[2] - before[2]
            == result.counts[Outcome.ACCEPTED]
            + result.counts[Outcome.INELIGIBLE]
            + result.counts[Outcome.MERGED]
        )
        assert after[3] == before[3] + 1
        assert len({item.line for item in read}) == len(read), "one outcome a line"
        assert all(isinstance(item, Item) or item.reason for item in read)
        return result


@pytest.fixture
def door(db: Database, keys: Keys, tmp_path: Path) -> Door:
    made = Door(db, keys, Settings(tanpu_home=tmp_path), tmp_path)
    people(db, keys, provider(db, "metro"), ["CARD-1"], choice=CHOICE)
    return made


def _all(
    cases: Callable[[str], Iterator[Case]], door: Door, name: str
) -> Iterator[tuple[str, object, str | int]]:
    for place, (title, body, expected) in enumerate(cases("x")):
        # Ids of their own for each file, or all but the first would be duplicates.
        fresh = body if isinstance(expected, str) else _renamed(cases, place)
        came = door.take_in(fresh, name)
        yield title, came.code if isinstance(came, UploadRefused) else came, expected


def _renamed(cases: Callable[[str], Iterator[Case]], place: int) -> bytes:
    return list(cases(f"x{place}"))[place][1]


@pytest.mark.parametrize(
    ("cases", "name"),
    [
        (csv_cases, "rides.csv"),
        (ndjson_cases, "rides.ndjson"),
        (parquet_cases, "rides.parquet"),
    ],
    ids=["csv", "ndjson", "parquet"],
)
def test_each_nasty_file_ends_as_it_should(
    door: Door, cases: Callable[[str], Iterator[Case]], name: str
) -> None:
    wrong = {
        title: (came, expected)
        for title, came, expected in _all(cases, door, name)
        if not _is_as_it_should(came, expected)
    }
    assert not wrong


def _is_as_it_should(came: object, expected: str | int) -> bool:
    """All the good lines counted, and at most the odd one beside them did not."""
    if not isinstance(came, UploadResult):
        return came == expected
    accepted = came.counts[Outcome.ACCEPTED]
    return isinstance(expected, int) and (
        accepted in {expected, expected + 1} and sum(came.counts.values()) - accepted <= 1
    )


_WORDS = [b"", b",", b"\n", b"\r", b"\r\n", b'"', b"\0", b"NaN", b"1e9", b"-", b"=", b"{", b"}"]
_MORE = [b"[", b"\xff", "碳".encode(), b"null", b'"distance":', b"9" * 50, b"\xef\xbb\xbf", b"PAR1"]
WORDS = st.sampled_from([*_WORDS, *_MORE])
CHANGE = st.tuples(st.integers(0, 700), st.integers(0, 40), WORDS)


def _mangled(body: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for at, length, word in changes:
        place = at % (len(body) + 1)
        body = body[:place] + word + body[place + length :]
    return body


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(changes=st.lists(CHANGE, min_size=1, max_size=6), form=st.sampled_from(["csv", "ndjson"]))
def test_a_mangled_file_is_taken_in_by_lines_or_refused_whole(
    door: Door, changes: list[tuple[int, int, bytes]], form: str
) -> None:
    written = (csv_of if form == "csv" else ndjson_of)(rows(str(new_id())[-12:]))
    came = door.take_in(_mangled(written.encode(), changes), f"mangled.{form}")
    if isinstance(came, UploadResult):
        assert came.reduction_mg >= 0
        assert came.counts[Outcome.ACCEPTED] > 0 or came.reduction_mg == 0


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=st.binary(max_size=300), ending=st.sampled_from(["", ".csv", ".ndjson", ".parquet"]))
def test_any_bytes_at_all_crash_nothing(door: Door, body: bytes, ending: str) -> None:
    door.take_in(body, f"bytes{ending}")


def test_the_same_file_again_adds_nothing(door: Door) -> None:
    body = csv_of(rows("same")).encode()
    first, again = door.take_in(body, "a.csv"), door.take_in(body, "b.csv")
    assert isinstance(first, UploadResult)
    assert isinstance(again, UploadResult)
    assert first.reduction_mg == 5 * RIDE_MG
    assert (again.reduction_mg, again.counts[Outcome.DUPLICATE]) == (0, 5)
