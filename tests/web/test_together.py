"""Teams, challenges and boards: what people see of one another, and what not."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.citizens import open_citizens
from app.city import City
from app.growth.board_cache import key_of
from app.growth.boards import board_named, period_of
from app.growth.jobs import rebuild_boards
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.redis import Redis
from app.kernel.scopes import Role
from app.kernel.secrets import Keys
from tests.support.acts import rows
from tests.support.desk import clerk
from tests.support.years import METRO, RECYCLING, TODAY, Street, days_ago, naive_year
from tests.web.neighbours import KG, Neighbour, neighbour

CROWD = 12


@pytest.fixture
def street(db: Database, keys: Keys) -> Street:
    made = Street(db, keys, CROWD)
    for number, who in enumerate(made.people):
        made.did(who, METRO, days_ago(0), (number + 1) * KG + 54_321)
    return made


@pytest.fixture
def crowd(app: FastAPI, client: TestClient, street: Street) -> list[Neighbour]:
    return [neighbour(app, client, who) for who in street.people]


@pytest.fixture
def idle(app: FastAPI, client: TestClient, db: Database, keys: Keys) -> list[Neighbour]:
    """Newcomers who did nothing yet."""
    made = db.transact(open_citizens, keys, 4, at=now(), basis="self")
    return [neighbour(app, client, who) for who in made]


def enter(who: Neighbour, name: str) -> None:
    answer = who.ask("PUT", "/v1/me/leaderboards", {"pseudonym": name})
    assert answer.status_code == 200, answer.text


def board(who: Neighbour, name: str = "week.all", **query: str) -> dict[str, Any]:
    return who.get(f"/v1/leaderboards/{name}", **query)


def empty_redis(city: City) -> None:
    city.redis.ask(lambda client: client.flushall())


def test_nobody_is_on_a_board_who_did_not_ask(crowd: list[Neighbour], city: City) -> None:
    assert crowd[0].get("/v1/me/leaderboards") == {
        "is_shown": False,
        "pseudonym": None,
        "since": None,
    }
    for number, who in enumerate(crowd[:9]):
        enter(who, f"leaf {number}")
    few = board(crowd[0])
    assert (few["is_shown"], few["data"], few["me"]) == (False, [], None)
    enter(crowd[9], "leaf 9")
    empty_redis(city)
    shown = board(crowd[10])
    assert [each["name"] for each in shown["data"]] == [f"leaf {n}" for n in reversed(range(10))]
    assert shown["me"] is None
    assert not any(each["is_me"] for each in shown["data"])
    assert shown["data"][0]["reduction"] == {"co2e_mg": 10 * KG, "co2e": "10.000000 kg"}
    mine = board(crowd[3])
    assert mine["me"] == next(each for each in mine["data"] if each["is_me"])
    assert mine["me"]["rank"] == 7


def test_who_leaves_is_gone_at_once_though_the_board_was_built(crowd: list[Neighbour]) -> None:
    for number, who in enumerate(crowd):
        enter(who, f"leaf {number}")
    assert len(board(crowd[0])["data"]) == CROWD
    crowd[11].ask("DELETE", "/v1/me/leaderboards")
    enter(crowd[10], "new name")
    left = board(crowd[0])
    assert [each["rank"] for each in left["data"]] == list(range(1, CROWD))
    assert left["data"][0]["name"] == "new name"
    for who in crowd[9:11]:
        who.ask("DELETE", "/v1/me/leaderboards")
    assert board(crowd[0])["is_shown"] is False


def test_a_board_is_the_same_from_redis_and_from_rows(
    crowd: list[Neighbour], city: City, street: Street, db: Database
) -> None:
    for number, who in enumerate(crowd):
        enter(who, f"leaf {number}")
    street.did(street.people[0], RECYCLING, days_ago(0), 3 * KG)
    names = ["week.all", "week.green_travel", "month.resource_recycling", "month.all"]
    first = {name: board(crowd[2], name) for name in names}
    assert {name: board(crowd[2], name) for name in names} == first
    empty_redis(city)
    again = {name: board(crowd[2], name) for name in names}
    for name in names:
        assert {**again[name], "as_of": ""} == {**first[name], "as_of": ""}
        assert again[name]["as_of"] > first[name]["as_of"]
    expected = sorted((naive_year(db, who).amount_mg for who in street.people), reverse=True)
    found = [each["reduction"]["co2e_mg"] for each in first["week.all"]["data"]]
    assert found == [mg // 100_000 * 100_000 for mg in expected]
    assert first["month.resource_recycling"]["is_shown"] is False
    assert rebuild_boards(city.worker_db, city.redis, at=now()) == 28
    assert {**board(crowd[2]), "as_of": ""} == {**first["week.all"], "as_of": ""}


def test_a_board_that_lost_rows_is_built_again(crowd: list[Neighbour], city: City) -> None:
    for number, who in enumerate(crowd):
        enter(who, f"leaf {number}")
    whole = board(crowd[0])["data"]
    key = key_of(board_named("week.all"), period_of("week", TODAY))
    city.redis.ask(lambda client: client.zremrangebyrank(key, 0, 3))
    assert board(crowd[0])["data"] == whole


def test_without_redis_a_board_says_to_come_back_and_the_rest_goes_on(
    crowd: list[Neighbour], city: City
) -> None:
    enter(crowd[0], "leaf")
    object.__setattr__(city, "redis", Redis("redis://127.0.0.1:1/0"))
    away = crowd[0].ask("GET", "/v1/leaderboards/week.all")
    assert (away.status_code, away.json()["code"]) == (503, "server.unavailable")
    assert away.headers["retry-after"]
    assert crowd[0].ask("DELETE", "/v1/me/leaderboards").status_code == 204
    assert crowd[0].get("/v1/me/growth")["growth"] > 0
    assert rebuild_boards(city.worker_db, city.redis, at=now()) == 0


def test_while_somebody_builds_a_board_others_come_back(crowd: list[Neighbour], city: City) -> None:
    board(crowd[0])
    turn = key_of(board_named("week.all"), period_of("week", TODAY)) + ":building"
    empty_redis(city)
    city.redis.ask(lambda client: client.set(turn, "1"))
    assert crowd[0].ask("GET", "/v1/leaderboards/week.all").status_code == 503
    empty_redis(city)
    assert board(crowd[0])["is_shown"] is False


@pytest.mark.parametrize("name", ["year.all", "week.gardening", "team.all", "week", "x" * 60])
def test_there_is_no_other_board(crowd: list[Neighbour], name: str) -> None:
    assert crowd[0].ask("GET", f"/v1/leaderboards/{name}").status_code == 404


@pytest.mark.parametrize(
    "name", ["a", "x" * 21, "13800138000", "138-0013-8000", "a\0b", "\u202eabc", ""]
)
def test_a_name_that_nobody_should_see_is_refused(crowd: list[Neighbour], name: str) -> None:
    answer = crowd[0].ask("PUT", "/v1/me/leaderboards", {"pseudonym": name})
    assert answer.status_code == 422


def team(who: Neighbour, name: str = "绿骑士") -> dict[str, Any]:
    answer = who.ask("POST", "/v1/teams", {"name": name})
    assert answer.status_code == 201, answer.text
    return answer.json()


def join(who: Neighbour, code: str) -> Response:
    return who.ask("PUT", "/v1/me/team", {"code": code})


def test_a_team_is_ranked_by_the_mean_per_head_of_enough_members(
    crowd: list[Neighbour], idle: list[Neighbour], city: City
) -> None:
    code = team(crowd[1])["code"]
    for who in crowd[2:5]:
        assert join(who, code).status_code == 200
    four = crowd[1].get("/v1/me/team")
    assert (four["members"], four["mean"], four["active_members"]) == (4, None, None)
    assert board(crowd[1], "team.week")["is_shown"] is False
    assert join(crowd[5], code.upper()).json()["members"] == 5
    empty_redis(city)
    five = crowd[1].get("/v1/me/team")
    assert five["mean"]["co2e_mg"] == 4 * KG  # of 4 kg and 54,321 mg: told apart, an act shows
    assert five["active_members"] == 5
    (line,) = board(crowd[1], "team.month")["data"]
    assert line == {
        "rank": 1,
        "name": "绿骑士",
        "reduction": {"co2e_mg": 4 * KG, "co2e": "4.000000 kg"},
        "is_me": True,
    }
    assert board(crowd[9], "team.month")["data"][0]["is_me"] is False
    for who in idle:
        assert join(who, code).status_code == 200
    assert crowd[1].get("/v1/me/team")["mean"] is None
    empty_redis(city)
    assert board(crowd[1], "team.month")["data"] == []


def test_a_person_is_in_one_team_and_may_leave_and_come_back(crowd: list[Neighbour]) -> None:
    ann, bo, cy = crowd[:3]
    assert ann.ask("GET", "/v1/me/team").status_code == 404
    first, second = team(ann, "one team"), team(bo, "two teams")
    assert join(cy, first["code"]).json()["members"] == 2
    assert join(cy, first["code"]).json()["members"] == 2
    assert join(cy, second["code"]).json()["code"] == "teams.already_in_one"
    assert join(cy, "0000000000").status_code == 404
    assert join(cy, "nonsense!").status_code == 404
    for _ in range(2):
        assert cy.ask("DELETE", "/v1/me/team").status_code == 204
    assert cy.ask("GET", "/v1/me/team").status_code == 404
    assert join(cy, second["code"]).json()["name"] == "two teams"
    assert ann.get("/v1/me/team")["members"] == 1
    cy.ask("DELETE", "/v1/me/team")
    assert join(cy, first["code"]).status_code == 200
    assert ann.ask("POST", "/v1/teams", {"name": "third"}).status_code == 409
    assert crowd[5].ask("POST", "/v1/teams", {"name": "x"}).status_code == 422


def test_opening_a_team_twice_with_one_key_opens_one(crowd: list[Neighbour], city: City) -> None:
    made = [crowd[0].ask("POST", "/v1/teams", {"name": "once"}, key="k").json() for _ in range(2)]
    assert made[0] == made[1]
    assert len(rows(city.db, "select 1 from team")) == 1


CHALLENGE: dict[str, Any] = {
    "title_zh": "回收周",
    "title_en": "Recycling week",
    "field": "resource_recycling",
    "goal_co2e_mg": 2 * KG,
    "starts_on": (TODAY - timedelta(days=2)).isoformat(),
    "ends_on": (TODAY + timedelta(days=5)).isoformat(),
}


def test_an_operator_opens_a_challenge_and_progress_is_read_from_acts(
    app: FastAPI, client: TestClient, city: City, crowd: list[Neighbour], street: Street
) -> None:
    street.did(street.people[0], RECYCLING, days_ago(0), 3 * KG)
    operator = clerk(app, client, city, Role.OPERATOR, "op")
    made = operator.post("/v1/admin/challenges", CHALLENGE)
    assert made.status_code == 201, made.text
    name = made.json()["id"]
    assert rows(city.db, "select act, object from audit_entry where act like 'challenges%%'") == [
        ("challenges.open", name)
    ]
    (listed,) = crowd[0].get("/v1/challenges")["data"]
    assert listed["progress"] is None
    for _ in range(2):
        joined = crowd[0].ask("PUT", f"/v1/me/challenges/{name}")
        assert joined.json()["progress"] == {"have": 3 * KG, "need": 2 * KG, "is_done": True}
    assert crowd[1].get("/v1/challenges")["data"][0]["progress"] is None
    crowd[1].ask("PUT", f"/v1/me/challenges/{name}")
    assert crowd[1].get("/v1/challenges")["data"][0]["progress"]["have"] == 0
    street.did(crowd[1].citizen, RECYCLING, days_ago(1, 1, 4), KG)
    assert crowd[1].get("/v1/challenges")["data"][0]["progress"]["have"] == 2 * KG
    crowd[1].ask("DELETE", f"/v1/me/challenges/{name}")
    assert crowd[1].get("/v1/challenges")["data"][0]["progress"] is None
    assert crowd[0].get("/v1/challenges")["data"][0]["progress"] is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"goal_days": 3},
        {"goal_co2e_mg": None},
        {"ends_on": (TODAY - timedelta(days=1)).isoformat()},
        {"starts_on": (TODAY + timedelta(days=6)).isoformat()},
        {"ends_on": (TODAY + timedelta(days=400)).isoformat()},
        {"field": "gardening"},
        {"title_zh": "a\0b"},
    ],
)
def test_a_challenge_has_one_goal_and_some_days(
    app: FastAPI, client: TestClient, city: City, wrong: dict[str, Any]
) -> None:
    operator = clerk(app, client, city, Role.OPERATOR, "op")
    assert operator.post("/v1/admin/challenges", CHALLENGE | wrong).status_code == 422
    assert rows(city.db, "select 1 from challenge") == []


def test_only_an_operator_opens_challenges(
    app: FastAPI, client: TestClient, city: City, crowd: list[Neighbour]
) -> None:
    expert = clerk(app, client, city, Role.EXPERT, "ex")
    assert expert.post("/v1/admin/challenges", CHALLENGE).status_code == 403
    assert crowd[0].ask("POST", "/v1/admin/challenges", CHALLENGE).status_code == 403
    unknown = "chl_" + "0" * 26
    assert crowd[0].ask("PUT", f"/v1/me/challenges/{unknown}").status_code == 404
    assert crowd[0].ask("PUT", "/v1/me/challenges/nonsense").status_code == 404


def test_challenges_come_page_by_page(
    app: FastAPI, client: TestClient, city: City, crowd: list[Neighbour]
) -> None:
    operator = clerk(app, client, city, Role.OPERATOR, "op")
    ends = [TODAY + timedelta(days=days) for days in (3, 1, 1, 2, 9)]
    for day in ends:
        operator.post("/v1/admin/challenges", CHALLENGE | {"ends_on": day.isoformat()})
    seen: list[str] = []
    more: dict[str, str] = {}
    for _ in range(4):
        page = crowd[0].get("/v1/challenges", limit=2, **more)
        seen += [each["ends_on"] for each in page["data"]]
        if page["next_cursor"] is None:
            break
        more = {"cursor": page["next_cursor"]}
    assert seen == sorted(day.isoformat() for day in ends)
