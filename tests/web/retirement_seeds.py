"""A retirement that waits (注销对象样例), of an organisation that holds units."""

from app.kernel.clock import now
from tests.support.organisations import Office, organisation
from tests.support.retirements import issued_to
from tests.web.seeds import Ask, Held, World, held_as


def retirement(world: World) -> Held:
    ours, theirs = (organisation(world.city.db, world.city.keys, number) for number in (1, 2))
    a, b = asking(world, ours), asking(world, theirs)
    batch = issued_to(world.city.db, ours.organisation.owner, 10, at=now())
    wish = {"batch": batch.public, "quantity_kg": 10, "purpose": 3}
    return held_as(a("POST", "/v1/retirements", wish), a, b)


def asking(world: World, office: Office) -> Ask:
    """Ask as an agent of an organisation."""
    return world.of(office.person(world.app, world.client).headers)
