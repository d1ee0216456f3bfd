"""What a statement of neutrality says (碳中和声明内容), in the shape of ISO 14068-1:2023.

Canonical JSON of whole numbers and strings, fixed when it is issued: who answers for what, within
which boundary; what was emitted, by category and tier, with the whole inventory and so every row of
every factor; what was done to emit less; what was retired, by serial, and what was given; and how
sure of it one can be. It is a self-declaration in that shape: nobody is certified by it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.certificates import PREFIX as CERTIFICATE
from app.kernel.clock import SHANGHAI
from app.kernel.ids import public_id
from app.neutrality.actions import Action
from app.neutrality.gatherings import Gathering
from app.neutrality.inventory_rules import Tier
from app.neutrality.plans import Plan
from app.neutrality.standing import Standing
from app.organisations import Organisation
from app.registry.retirements import Retirement

FORMAT: Final = "tanpu-neutrality/1"
SHAPE: Final = "ISO 14068-1:2023, self-declared"
ROUNDED: Final = (
    "Every line is rounded up to a milligram, and what is retired up to whole units of a kilogram."
)
SIDES: Final = (
    "A trip has one side: where its reduction stayed with who made it, the inventory is raised by"
    " it; where it lowers the inventory, it was given up and counts as no gift."
)
WHOLE: Final = (
    "What attendees gave is counted and told in whole kilograms, rounded down, and what they kept"
    " likewise, rounded up: no figure shows one person's trip, and none claims too much."
)
UNLINKED: Final = (
    "Survey answers name nobody: trips whose riders chose no side are counted at their own factor."
)
Document = Mapping[str, Any]


def statement_document(
    gathering: Gathering,
    organisation: Organisation,
    plan: Plan,
    standing: Standing,
    *,
    version: int,
    actions: Sequence[Action],
    retired: Iterable[Retirement],
    at: datetime,
) -> Document:
    """Write a statement of a gathering as it stands."""
    inventory = standing.inventory
    return {
        "format": FORMAT,
        "shape": SHAPE,
        "version": version,
        "issued_at": at.astimezone(SHANGHAI).isoformat(timespec="seconds"),
        "subject": _subject(gathering),
        "responsible": {
            "organisation": organisation.public,
            "name_zh": organisation.name_zh,
            "name_en": organisation.name_en,
            "registration": organisation.registration,
        },
        "period": {
            "starts_on": gathering.occasion.starts_on.isoformat(),
            "ends_on": gathering.occasion.ends_on.isoformat(),
            "deadline": standing.deadline.isoformat(),
        },
        "boundary": plan.intent.boundary,
        "plan": {
            "version": plan.version,
            "expected_mg": plan.expected_mg,
            "measures": list(plan.intent.measures),
            "offset_way": plan.intent.offset_way.value,
        },
        "inventory": inventory.told,
        "inventory_sha256": inventory.digest.hex(),
        "tiers": tiers_of(inventory.told),
        "reductions": [_action(each) for each in actions],
        "balance": _balance(standing),
        "retirements": [_retirement(each) for each in retired],
        "notes": [ROUNDED, SIDES, WHOLE, UNLINKED, *understated(inventory.told)],
    }


def understated(inventory: Document) -> list[str]:
    """Say, each once, why rows that were used may be less than what was emitted.

    >>> rail = {"factor": {"understates": "British power."}}
    >>> understated({"lines": [rail, {"factor": {"understates": None}}, rail]})
    ['May understate: British power.']
    """
    reasons = (line["factor"]["understates"] for line in inventory["lines"])
    return [f"May understate: {each}" for each in dict.fromkeys(reasons) if each]


def _subject(gathering: Gathering) -> Document:
    occasion = gathering.occasion
    return {
        "gathering": gathering.public,
        "kind": occasion.kind.value,
        "title_zh": occasion.title_zh,
        "title_en": occasion.title_en,
        "place": occasion.place,
        "district": occasion.district,
        "policy": gathering.policy,
    }


def _action(action: Action) -> Document:
    return {
        "action": action.public,
        "category": action.category.value,
        "text": action.text,
        "taken_on": action.taken_on.isoformat(),
        "evidence": action.evidence.hex(),
    }


def _balance(standing: Standing) -> Document:
    return {
        "inventory_mg": standing.inventory.total_mg,
        "kept_by_attendees_kg": standing.kept_kg,
        "footprint_mg": standing.footprint_mg,
        "retired_kg": standing.retired_kg,
        "void_kg": standing.void_kg,
        "given_kg": standing.given_kg,
        "covered_mg": standing.covered_mg,
    }


def _retirement(retirement: Retirement) -> Document:
    return {
        "retirement": retirement.public,
        "certificate": public_id(CERTIFICATE, retirement.id),
        "batch": retirement.batch_public,
        "quantity_kg": retirement.quantity_kg,
        "serials": retirement.serial,
    }


def tiers_of(inventory: Document) -> dict[str, int]:
    """Add up what the lines of each tier emit [mg]: how much is measured, and how much assumed.

    >>> tiers_of({"lines": [{"tier": "default", "co2e_mg": 2}, {"tier": "default", "co2e_mg": 3}]})
    {'measured': 0, 'estimated': 0, 'default': 5}
    """
    of_tier = {each.value: 0 for each in Tier}
    for line in inventory["lines"]:
        of_tier[line["tier"]] += line["co2e_mg"]
    return of_tier
