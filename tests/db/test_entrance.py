"""The way in over days: what a patient attacker gets, with Redis and with none."""

import io
import re
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from app.citizens.codes import sweep_codes
from app.citizens.entrance import Entrance
from app.citizens.errors import CodeWrong
from app.citizens.schemas import CodeGrant
from app.citizens.sms import ConsoleSms
from app.kernel.db import Database
from app.kernel.ids import public_id
from app.kernel.limits import LimitExceeded, Limits
from app.kernel.redis import Redis
from app.kernel.secrets import Keys

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
PHONE = "+8613800000000"
GUESSES_A_DAY = 50
"""Five tries for each of ten codes: 5·10⁻⁵ of a million."""


class City:
    """One city's way in, from whichever network."""

    def __init__(self, db: Database, keys: Keys, redis: Redis) -> None:
        self.db, self.keys = db, keys
        self.limits = Limits(db, redis)
        self.stream = io.StringIO()

    def by(self, network: str) -> Entrance:
        sms = ConsoleSms(self.stream)
        return Entrance(self.db, self.keys, self.limits, sms, None, 3000, network)

    def wrong(self) -> str:
        """Some code that the last message did not bring."""
        return f"{(int(re.findall(r': ([0-9]{6})', self.stream.getvalue())[-1]) + 1) % 10**6:06d}"


def guess(way: Entrance, challenge: str, device: str, code: str, at: datetime) -> None:
    """Guess in vain; the database counts the guesses that were looked at."""
    grant = CodeGrant(grant="code", challenge=challenge, code=code, device=device)
    with pytest.raises((CodeWrong, LimitExceeded)):
        way.enter(grant, at=at)


def tries_of(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select coalesce(sum(tries), 0) from login_code").fetchone()
    assert row is not None
    return row[0]


def test_guessing_stops_at_the_limit_with_redis_dead(
    db: Database, database_url: str, keys: Keys, nowhere: Redis
) -> None:
    """A day of asking and guessing, each minute from another network and another device."""
    city, sent = City(db, keys, nowhere), 0
    for minute in range(24 * 60 // 15):
        at = NOW + 15 * minute * MINUTE
        way, device = city.by(f"10.{minute // 250}.{minute % 250}.0/24"), f"device-{minute:012d}"
        try:
            asked = way.ask_code(PHONE, device, at=at)
        except LimitExceeded:
            continue
        sent += 1
        for _ in range(8):
            guess(way, public_id("chl", asked.challenge), device, city.wrong(), at)
    assert sent == 10
    assert tries_of(database_url) == GUESSES_A_DAY


def test_five_codes_an_hour_and_ten_a_day_for_a_number(
    db: Database, keys: Keys, nowhere: Redis
) -> None:
    city = City(db, keys, nowhere)
    sent: list[int] = []
    for minute in range(0, 3 * 24 * 60, 2):
        try:
            way = city.by(f"10.0.{minute % 250}.0/24")
            way.ask_code(PHONE, f"device-{minute:012d}", at=NOW + minute * MINUTE)
        except LimitExceeded:
            continue
        sent.append(minute)
    assert len([each for each in sent if each < 60]) == 5
    assert len([each for each in sent if each < 24 * 60]) == 10
    for first in sent:
        assert len([each for each in sent if first <= each < first + 60]) <= 5
        assert len([each for each in sent if first <= each < first + 24 * 60]) <= 10
    assert len(sent) > 20


def test_two_hundred_codes_a_day_for_a_device(db: Database, keys: Keys, nowhere: Redis) -> None:
    city, device = City(db, keys, nowhere), "device-of-a-spammer"
    for number in range(200):
        city.by(f"10.0.{number}.0/24").ask_code(f"+86139{number:08d}", device, at=NOW)
    with pytest.raises(LimitExceeded) as spent:
        city.by("10.1.0.0/24").ask_code("+8613700000000", device, at=NOW)
    assert spent.value.left.limit.name == "codes.device_day"
    city.by("10.1.0.0/24").ask_code("+8613700000000", "device-of-another", at=NOW)


def test_logins_from_one_network_are_bounded(
    db: Database, database_url: str, keys: Keys, redis: Redis
) -> None:
    """Guessing at challenges that were never made is bounded too, and tells nothing."""
    way = City(db, keys, redis).by("10.0.0.0/24")
    grant = CodeGrant(
        grant="code", challenge="chl_" + "0" * 26, code="000000", device="device-of-nobody"
    )
    told: list[type[Exception]] = []
    for _ in range(310):
        with pytest.raises((CodeWrong, LimitExceeded)) as refused:
            way.enter(grant, at=NOW)
        told.append(refused.type)
    assert told == [CodeWrong] * 300 + [LimitExceeded] * 10
    assert tries_of(database_url) == 0


def test_codes_are_forgotten(
    db: Database, worker_db: Database, database_url: str, keys: Keys, nowhere: Redis
) -> None:
    asked = City(db, keys, nowhere).by("10.0.0.0/24").ask_code(PHONE, "device-of-alice", at=NOW)
    assert worker_db.transact(sweep_codes, before=asked.ends_at) == 0
    assert worker_db.transact(sweep_codes, before=asked.ends_at + MINUTE) == 1
    assert tries_of(database_url) == 0
