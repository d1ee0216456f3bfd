"""Points (碳积分): reductions become points, behaviours earn some, and a programme pays for both.

A programme has rates, rewards, and a budget whose fen every point is a claim on. An exchange takes
whole points' worth of each class of reductions, in one transaction with the promise from the
budget and the payment of what its owner owes. Nobody is taken below zero: what a correction can't
take back is a debt that later earnings pay (docs/decisions/0022).
"""

from collections.abc import Mapping
from typing import Final

from app.points.behaviours import Behaviour, Reserved, reserve
from app.points.debts import Owed, Taken, offset_debts, recover, take_points, write_off_debts
from app.points.earmarks import promise, return_earmarks, set_due, spend
from app.points.errors import ProgrammeUnknown
from app.points.exchanging import exchange, quote
from app.points.expiring import expire, expire_all
from app.points.funding import DEEDS as FUNDING_DEEDS
from app.points.funding import fund
from app.points.jobs import close_points_day
from app.points.nightly import exchange_automatically
from app.points.programmes import (
    NewProgramme,
    Programme,
    Rate,
    Reward,
    find_programme,
    open_programme,
    programmes,
    set_rate,
    set_reward,
)
from app.points.settling import Shift, settle
from app.points.terms import DEEDS as TERMS_DEEDS
from app.staff import Deed

DEEDS: Final[Mapping[str, Deed]] = {**FUNDING_DEEDS, **TERMS_DEEDS}

__all__ = [
    "DEEDS",
    "Behaviour",
    "NewProgramme",
    "Owed",
    "Programme",
    "ProgrammeUnknown",
    "Rate",
    "Reserved",
    "Reward",
    "Shift",
    "Taken",
    "close_points_day",
    "exchange",
    "exchange_automatically",
    "expire",
    "expire_all",
    "find_programme",
    "fund",
    "offset_debts",
    "open_programme",
    "programmes",
    "promise",
    "quote",
    "recover",
    "reserve",
    "return_earmarks",
    "set_due",
    "set_rate",
    "set_reward",
    "settle",
    "spend",
    "take_points",
    "write_off_debts",
]
