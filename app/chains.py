"""The chain of a city (本城的链): what closes and submits its epochs, and its two registries there.

Whatever speaks to a chain is loaded when it is needed: web3 takes a second.
"""

from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from threading import Lock
from typing import Final

from sqlmodel import Session

from app.anchoring import Chain, Finality, Guard, Notary, Register, Registered, register
from app.anchoring.errors import ChainUnavailable, ContractMissing
from app.catalogue import digests, leavings_on, note_anchored, note_standings, unanchored, unseen
from app.city import City
from app.kernel.clock import day_of
from app.registry import ChainUnits, conservation_digest
from app.staff import head_digest

_LOADING: Final = Lock()


def notary_of(city: City) -> Notary:
    """Give the notary of this city's ledger."""
    settings = city.settings
    return Notary(
        db=city.worker_db,
        keys=city.keys,
        guard=Guard(settings.signer_guard_path),
        folder=settings.public_path,
        origin=settings.origin,
        methodologies=city.worker_db.read(digests),
        finality=Finality.parse(settings.chain_finality),
        digests=aux_digests,
    )


def aux_digests(session: Session) -> Mapping[str, bytes]:
    """Give what headers commit to beside the ledger: the desk's log, the newest closing."""
    return {**head_digest(session), **conservation_digest(session)}


def chain_of(city: City) -> Chain:
    """Connect to the chain that this ledger is anchored on.

    Raises:
        ChainUnavailable: It does not answer.
        ContractMissing: The contract there is not this ledger's.
    """
    _load_chain_libraries()
    from app.anchoring.evm.contracts import connect  # noqa: PLC0415 -- web3 takes a second

    return connect(
        city.addresses.chain_rpc_url,
        city.keys.anchor,
        city.settings.origin,
        city.settings.chain_contract,
    )


def register_of(city: City) -> Register | None:
    """Connect to the registry of units; ``None`` if production has named none.

    Raises:
        ChainUnavailable: It does not answer.
        ContractMissing: There is no contract at this address.
    """
    contract = city.settings.chain_retirement_registry
    if contract is None and city.settings.is_production:
        return None
    _load_chain_libraries()
    from app.anchoring.evm.contracts import connect_register  # noqa: PLC0415 -- likewise

    return connect_register(city.addresses.chain_rpc_url, city.keys.anchor, contract)


def _load_chain_libraries() -> None:
    """Load web3 in one thread at a time: two that load it at once wait for each other for ever."""
    with _LOADING:
        import_module("app.anchoring.evm.contracts")
        import_module("app.anchoring.evm.methodologies")


def tell_units(city: City, at: datetime, *, new_chain: bool = False) -> Registered | None:
    """Bring the registry of units up to the last message; ``None`` if production has named none.

    Raises:
        ChainUnavailable: The chain does not answer.
        Refusal: Somebody must look before work goes on (``app.anchoring.errors``).
    """
    registry = register_of(city)
    if registry is None:
        return None
    finality = Finality.parse(city.settings.chain_finality)
    return register(city.worker_db, registry, finality, at=at, new_chain=new_chain)


def units_on_chain(city: City) -> ChainUnits | None:
    """Give what the registry has in all, at its newest final block; ``None`` if it is away."""
    try:
        registry = register_of(city)
        if registry is None:
            return None
        height = registry.final_height(Finality.parse(city.settings.chain_finality))
        return ChainUnits(height, *registry.totals(height)[:3]) if height >= 0 else None
    except (ChainUnavailable, ContractMissing):
        return None


def tell_registry(city: City, at: datetime) -> int:
    """Publish, supersede and withdraw what the registry lacks; give how many calls that took.

    Idempotent, for development.

    Raises:
        ChainUnavailable: The chain does not answer.
        MethodologyConflict: The registry has another digest for a version.
    """
    _load_chain_libraries()
    from app.anchoring.evm.methodologies import publish_methodologies  # noqa: PLC0415 -- likewise
    from app.anchoring.evm.node import Node  # noqa: PLC0415 -- likewise

    versions, leaving = city.db.read(digests), city.db.read(leavings_on, day_of(at))
    node = Node(city.addresses.chain_rpc_url)
    return publish_methodologies(node, city.keys.anchor, versions, leaving)


def note_registry(city: City, at: datetime) -> int:
    """Note what is newly seen, and final, in the registry on the chain; give how much that is.

    Raises:
        ChainUnavailable: The chain does not answer.
        MethodologyConflict: The registry has another digest for a version.
    """
    _load_chain_libraries()
    from app.anchoring.evm.contracts import registry_address  # noqa: PLC0415 -- likewise
    from app.anchoring.evm.methodologies import final_register  # noqa: PLC0415 -- likewise
    from app.anchoring.evm.node import Node  # noqa: PLC0415 -- likewise

    registry = city.settings.chain_registry
    if registry is None and city.settings.is_production:
        return 0
    registry = registry or registry_address(city.keys.anchor)
    waiting = city.db.read(unanchored, registry)
    leaving = city.db.read(unseen, registry, day_of(at))
    if not waiting and not leaving:
        return 0
    finality = Finality.parse(city.settings.chain_finality)
    register = final_register(Node(city.addresses.chain_rpc_url), registry, finality)
    if register is None:
        return 0
    found = {key: digest for key, digest in waiting.items() if register.has(*key, digest)}
    left = [each for each in leaving if register.has_left(each)]
    city.db.transact(note_anchored, registry, found, at=at)
    city.db.transact(note_standings, registry, left, at=at)
    return len(found) + len(left)
