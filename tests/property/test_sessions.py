"""The rules of refresh, over every order in which tokens may be shown.

Goal: an honest client is never logged out, and a copy is worth nothing once it has been noticed.
Method: a family as a line of tokens by number, against the decision on hashes.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.sessions.rules import GRACE, LIFETIMES, State, Step, step

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


def hash_of(number: int) -> bytes:
    return number.to_bytes(32, "big")


class Family:
    """A session and what shown tokens have made of it."""

    def __init__(self, kind: str = "citizen") -> None:
        ends_at = NOW + LIFETIMES[kind].whole
        self.state = State(kind, NOW, ends_at, hash_of(0), None, None, None)
        self.newest = 0

    def show(self, number: int, at: datetime) -> int | None:
        """Show a token by its number; gives the next one's, or nothing."""
        taken = step(self.state, hash_of(number), at)
        if taken is Step.REPLAYED:
            self.state = replace(self.state, closed_at=at)
        if taken is Step.ROTATED:
            self.newest = number + 1
            self.state = replace(
                self.state, previous=hash_of(number), current=hash_of(number + 1), rotated_at=at
            )
        return number + 1 if taken in {Step.ROTATED, Step.REPEATED} else None


TURN = st.tuples(st.integers(1, 14 * 86_400 - 31), st.lists(st.integers(0, 9), max_size=4))


@given(st.lists(TURN, max_size=40))
def test_an_honest_client_is_never_logged_out(turns: list[tuple[int, list[int]]]) -> None:
    """Each turn waits, loses some replies, tries again within the grace, gets one."""
    family, held, at = Family(), 0, NOW
    for wait_s, lost in turns:
        at += timedelta(seconds=wait_s)
        if at >= family.state.ends_at - GRACE:
            return
        first, tried = at, at
        for pause_s in lost:
            assert family.show(held, tried) == held + 1
            tried = min(tried + timedelta(seconds=pause_s), first + GRACE - timedelta(seconds=1))
        following = family.show(held, tried)
        assert following is not None
        held, at = following, tried


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 90)),
        min_size=1,
        max_size=30,
    )
)
def test_whoever_shows_what_a_token_gives_the_family_has_one_newest(
    shown: list[tuple[int, int]],
) -> None:
    """Only the newest and, for the grace, the one before it lead on; anything else ends it."""
    family, at = Family(), NOW
    for number, wait_s in shown:
        at += timedelta(seconds=wait_s)
        if number > family.newest:
            continue
        over = family.state.closed_at is not None
        newest, rotated_at = family.newest, family.state.rotated_at
        following = family.show(number, at)
        fresh = rotated_at is not None and at < rotated_at + GRACE
        leads_on = not over and (number == newest or (number == newest - 1 and fresh))
        assert (following is not None) == leads_on
        assert following in {None, family.newest}
        assert (family.state.closed_at is not None) == (not leads_on)


@given(st.sampled_from(sorted(LIFETIMES)), st.integers(0, 40 * 86_400))
def test_nothing_leads_past_its_end(kind: str, wait_s: int) -> None:
    family, at = Family(kind), NOW + timedelta(seconds=wait_s)
    alive = at < NOW + min(LIFETIMES[kind].idle, LIFETIMES[kind].whole)
    assert (family.show(0, at) is not None) == alive
