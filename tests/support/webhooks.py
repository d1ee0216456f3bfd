"""What stands between who tells and who listens (网络回调样例)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.kernel.clock import now, wall
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.staff.credentials import seal_owner
from app.webhooks import News, NewsKind, tell
from app.webhooks.delivering import Courier
from app.webhooks.endpoints import Endpoint, add_endpoint, find_endpoint
from app.webhooks.rules import Reach
from app.webhooks.sending import Sender
from app.webhooks.signing import Scheme
from tests.support.acts import rows

HOUR: Final = timedelta(hours=1)
REDEEMED: Final = NewsKind.VOUCHER_REDEEMED


@dataclass
class Post:
    """What stands between who tells and who listens."""

    db: Database
    worker_db: Database
    keys: Keys

    def endpoint(self, owner: str, url: str, *kinds: NewsKind) -> Endpoint:
        id_ = new_id()
        secret = self.keys.seal(bytes(32), owner=seal_owner(id_))
        made = Endpoint(
            id_, owner, url, kinds or (REDEEMED,), Scheme.HMAC, secret, None, None, now()
        )
        self.db.transact(add_endpoint, made)
        return made

    def tell(
        self,
        owner: str,
        cause: str = "1",
        kind: NewsKind = REDEEMED,
        *,
        later: timedelta = timedelta(0),
    ) -> UUID:
        made, at = new_id(), now() + later
        self.db.transact(tell, [News(made, owner, kind, cause, {"n": cause}, at)])
        return made

    def send(self, *, later: timedelta = timedelta(0), **how: Any) -> int:  # noqa: ANN401
        """Send what is due by a clock that is ahead."""
        sender = Sender(Reach(plain=True, loopback=True), **how)
        clock = lambda: wall() + later  # noqa: E731 -- short
        return Courier(self.worker_db, self.keys, sender, clock).send_due(for_s=5)

    def run(self, statement: str, *facts: object) -> None:
        """Change as the worker may."""
        self.worker_db.transact(lambda session: driver(session).execute(statement.encode(), facts))

    def states(self) -> list[tuple[str, int]]:
        return rows(self.db, "select state, tries from webhook_delivery order by message, endpoint")

    def found(self, endpoint: Endpoint) -> Endpoint:
        return self.db.read(find_endpoint, endpoint.owner, endpoint.id)
