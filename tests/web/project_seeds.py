"""What of projects and organisations is somebody's (项目对象样例)."""

from app.kernel.scopes import Role
from tests.support.desk import clerk, staffed
from tests.support.organisations import organisation
from tests.support.projects import SINCE, design, report
from tests.web.project_office import Office
from tests.web.seeds import Ask, Held, World, held_as, nobodys

REPORT = report(SINCE, SINCE)
REVISION = {"design": design(site="某某路9号"), "note": "moved"}
OPERATION = {
    "scenario": "sz-metro",
    "valid_from": "2026-01-01",
    "valid_until": "2026-12-31",
    "plan": "按日上报乘车记录。",
}


def organisation_user(world: World) -> Held:
    offices = [organisation(world.city.db, world.city.keys, number) for number in (1, 2)]
    owners = [each.person(world.app, world.client, each.owner) for each in offices]
    agent = offices[0].agent.public
    return Held(agent, nobodys(agent), *(world.of(each.headers) for each in owners))


def project(world: World) -> Held:
    a, b = two_agents(world)
    return held_as(a("POST", "/v1/projects", design()), a, b)


def registered_project(world: World) -> Held:
    held, (app, client, city) = project(world), (world.app, world.client, world.city)
    desk = staffed(app, client, city)
    office = Office(app, client, city, desk, clerk(app, client, city, Role.OPERATOR, "o2"))
    office.reviewed(held.id)
    assert office.register(held.id).status_code == 200
    return held


def monitoring_report(world: World) -> Held:
    """A report of a project, by both their ids."""
    held = registered_project(world)
    sent = held.a("POST", f"/v1/projects/{held.id}/reports", REPORT).json()["id"]
    mine, unknown = (f"{each}/reports/{sent}" for each in (held.id, held.unknown))
    return held._replace(id=mine, unknown=unknown)


def scenario_application(world: World) -> Held:
    a, b = two_agents(world)
    return held_as(a("POST", "/v1/organisation/scenario-applications", OPERATION), a, b)


def two_agents(world: World) -> list[Ask]:
    """Agents of two organisations."""
    city = world.city
    offices = [organisation(city.db, city.keys, number) for number in (1, 2)]
    return [world.of(each.person(world.app, world.client).headers) for each in offices]
