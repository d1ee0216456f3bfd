"""The registry (登记簿): pooled reductions become lots, verified lots become units, units are used.

A lot is of one class of grade A reductions. Freezing it says which acts its milligrams are of; a
verifier looks at a sample that nobody could choose; what is confirmed is issued as whole kilograms,
whose milligrams have their places in the series of the class, so that a unit opens to its acts
(docs/decisions/0034). Holdings are quantities; serials are given at retirement.
"""

from collections.abc import Mapping
from typing import Final

from app.registry.batches import (
    Batch,
    Holding,
    batch_name,
    batches,
    find_batch,
    holdings_of,
    lock_batch,
    serial_of,
    unit_asset,
)
from app.registry.conservation import ConservationSeal, close_units, conservation_digest
from app.registry.conservation_rules import ChainUnits
from app.registry.errors import BatchUnknown
from app.registry.freezing import freeze_lots
from app.registry.issuing import DEEDS as ISSUE_DEEDS
from app.registry.recalling import carry_out_recalls
from app.registry.recalls import DEEDS as RECALL_DEEDS
from app.registry.replacing import replace_all
from app.registry.retirements import Retirement, RetirementState, find_retirement
from app.registry.retiring import RetirementWish, request_retirement, revert_retirement
from app.registry.taking import retire_at_once, take_retirements
from app.registry.telling import tell_chain
from app.registry.terms import DEEDS as TERMS_DEEDS
from app.registry.terms import buffer_of
from app.staff import Deed
from ledger.serials import parse_serial

DEEDS: Final[Mapping[str, Deed]] = {**TERMS_DEEDS, **RECALL_DEEDS, **ISSUE_DEEDS}

__all__ = [
    "DEEDS",
    "Batch",
    "BatchUnknown",
    "ChainUnits",
    "ConservationSeal",
    "Holding",
    "Retirement",
    "RetirementState",
    "RetirementWish",
    "batch_name",
    "batches",
    "buffer_of",
    "carry_out_recalls",
    "close_units",
    "conservation_digest",
    "find_batch",
    "find_retirement",
    "freeze_lots",
    "holdings_of",
    "lock_batch",
    "parse_serial",
    "replace_all",
    "request_retirement",
    "retire_at_once",
    "revert_retirement",
    "serial_of",
    "take_retirements",
    "tell_chain",
    "unit_asset",
]
