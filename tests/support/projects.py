"""Projects in tests (减排项目): solar roofs, and real readings of one, day by day."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.scopes import Role
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.projects.applying import apply, review
from app.projects.monitoring import send_report
from app.projects.registering import DEEDS, ask_registration
from app.projects.schemas import DesignIn, ReportIn, report_in, wish_in
from app.projects.verifying import Decision, decide
from app.staff import Asking
from app.staff.approvals import sign
from tests.support.clerks import known

SHIFT: Final = timedelta(days=3652)
"""The readings are of 2016; ten years later they are of a crediting period."""
SINCE: Final = date(2026, 7, 1)
UNTIL: Final = date(2036, 6, 30)
FILE: Final = "nrel_serf_east_pv_15min_ac_power.csv.gz"
GRID_MG_PER_KWH: Final = 420_000
"""0.42 kg a kilowatt-hour, as the document quotes it."""


def design(number: int = 1, **changes: object) -> dict[str, Any]:
    """Write the design of a solar roof; ``number`` tells its meter from others'."""
    return {
        "code": "SHCER-PV",
        "version": 1,
        "title_zh": f"屋顶光伏{number}",
        "title_en": f"Solar roof {number}",
        "text": "屋顶光伏,自发自用。",
        "site": f"某某路{number}号",
        "started_on": "2025-07-01",
        "crediting_since": SINCE.isoformat(),
        "crediting_until": UNTIL.isoformat(),
        "quantities": {"capacity": "6 kW"},
        "declarations": {
            "ets_site": False,
            "green_certificate": False,
            "other_mechanism": False,
        },
        "meters": [{"label": "并网点", "provider": "sh-grid", "number": f"3101-{number:05d}"}],
        **changes,
    }


def solar_days() -> Mapping[date, Decimal]:
    """Give what a real roof generated each day [kWh]: its power [W], a quarter of an hour each."""
    told: dict[date, Decimal] = defaultdict(Decimal)
    packed = files("app").joinpath("demo_data", FILE).read_bytes()
    for row in csv.DictReader(gzip.decompress(packed).decode().splitlines()):
        power = Decimal(row["ac_power"] or 0)
        told[date.fromisoformat(row["measured_on"][:10])] += max(power, Decimal(0)) / 4000
    return told


def readings(first: date, last: date, meter: int = 0) -> list[dict[str, Any]]:
    """Write the real roof's days, ten years later, as a monitoring report has them."""
    return [
        {
            "day": (day + SHIFT).isoformat(),
            "meter": meter,
            "inputs": {"generation": str(kwh.quantize(Decimal("0.001")))},
        }
        for day, kwh in sorted(solar_days().items())
        if first <= day + SHIFT <= last
    ]


def report(first: date, last: date, **changes: object) -> dict[str, Any]:
    """Write a monitoring report of the real roof."""
    return {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "readings": readings(first, last),
        "papers": [{"name": "invoice.pdf", "sha256": "9f" * 32}],
        **changes,
    }


@dataclass
class Roofs:
    """The desk, as a project's life takes it; for owners of any kind."""

    db: Database
    keys: Keys
    experts: list[Principal] = field(init=False)
    operators: list[Principal] = field(init=False)

    def __post_init__(self) -> None:
        """Admit two of each."""
        self.experts = [known(self.db, Role.EXPERT), known(self.db, Role.VERIFIER)]
        self.operators = [known(self.db, Role.OPERATOR) for _ in range(2)]

    def asked(self, who: Principal, number: int = 1, **changes: object) -> tuple[UUID, UUID]:
        """Apply, have it reviewed, and ask for its registration; gives project and request."""
        at, project, request = now(), new_id(), new_id()
        wish = wish_in(DesignIn.model_validate(design(number, **changes)))

        def command(session: Session) -> None:
            apply(session, self.keys, who, wish, project=project, at=at)
            for each in self.experts:
                review(session, each, project, 1, "approve", "right", at=at)
            asking = Asking(self.operators[0], "Reviewed", request, at)
            ask_registration(session, asking, project, 1)

        self.db.transact(command)
        return project, request

    def sign(self, request: UUID) -> None:
        """Sign as the second."""
        who, at = self.operators[1], now()
        self.db.transact(sign, who, request, DEEDS, agrees=True, at=at, keys=self.keys)

    def accrued(self, who: Principal, first: date, last: date) -> UUID:
        """Register a roof, report days of it and have them accepted; gives the project."""
        project, request = self.asked(who)
        self.sign(request)
        at, sent = now(), new_id()
        new = report_in(ReportIn.model_validate(report(first, last)), sent, bytes(range(32)))
        decision = Decision(is_accepted=True, finding="so", at=at)
        self.db.transact(send_report, who, project, new, at=at)
        self.db.transact(decide, self.experts[1], sent, decision, ids=new_id)
        return project
