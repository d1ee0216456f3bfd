"""The chain as the submitters see it (链): contracts in prose that every implementation keeps.

``Web3Chain`` and ``Web3Register`` speak to a node; a fake of the former in the tests keeps the same
promises, and one suite of tests holds both to them.
"""

from typing import NamedTuple, Protocol

from app.anchoring.finality import Finality
from ledger.header import Header
from ledger.registry import Told


class Identity(NamedTuple):
    """Which chain, and which contract of ours on it."""

    chain_id: int
    contract: bytes


class Place(NamedTuple):
    """The block and the transaction in which the contract took something."""

    block_number: int
    block_hash: bytes
    tx_hash: bytes


class Signed(NamedTuple):
    """A transaction, signed and not yet sent."""

    raw: bytes
    tx_hash: bytes
    nonce: int
    fee_wei: int
    """Price of one gas."""


class Sender(Protocol):
    """One contract, and one account that may write to it.

    Reading is idempotent, and what was read may be gone at the next call: blocks can be
    reorganised, and a development chain can lose everything. Any method may raise
    ``ChainUnavailable`` (no answer within seconds), ``ContractMissing`` or ``AnchorRefused``;
    whether a transaction that was being sent arrived is then unknown, and only the contract
    tells. Nothing waits for a block. Safe to use from several processes at once.
    """

    @property
    def identity(self) -> Identity:
        """Say which chain and contract this is."""
        ...

    def final_height(self, finality: Finality) -> int:
        """Give the highest block that counts as final under a policy."""
        ...

    def next_nonce(self) -> int:
        """Count the account's mined transactions; those that wait are not among them."""
        ...

    def fee_wei(self) -> int:
        """Suggest a price of one gas."""
        ...

    def send(self, raw: bytes) -> None:
        """Hand a signed transaction to the node; it need not be mined when this returns.

        Idempotent: a transaction that the node knows, that was mined, or whose nonce another
        one has used, is not an error. What became of it is read from the contract.
        """
        ...


class Chain(Sender, Protocol):
    """One CarbonAnchor, and one account that may anchor there."""

    def tip(self) -> int:
        """Give the last anchored epoch; before the first, the one to continue from."""
        ...

    def hash_of(self, epoch: int) -> bytes:
        """Give the anchored header hash of an epoch, zero if none is; never a stale one."""
        ...

    def place_of(self, epoch: int) -> Place | None:
        """Find where an epoch was anchored; ``None`` if it is not, or was before this contract."""
        ...

    def check(self, header: Header) -> None:
        """Try the header as the next one, without a transaction.

        Raises:
            AnchorRefused: The contract would refuse it now; the reason is in the facts.
        """
        ...

    def sign(self, header: Header, *, nonce: int, fee_wei: int) -> Signed:
        """Sign the transaction that anchors a header. Deterministic, and sends nothing."""
        ...


class RegisterTotals(NamedTuple):
    """What the registry has in all."""

    issued_kg: int
    retired_kg: int
    invalidated_kg: int
    cancelled_mg_a: int
    cancelled_mg_b: int


class Register(Sender, Protocol):
    """One RetirementRegistry, and one account that may tell it things."""

    def record_of(self, told: Told) -> bytes:
        """Give the record that the contract keeps under a name, zero if it has none."""
        ...

    def place_of(self, told: Told) -> Place | None:
        """Find where the contract took a message; ``None`` if it did not."""
        ...

    def totals(self, height: int | None = None) -> RegisterTotals:
        """Give its sums, now or at the end of a block."""
        ...

    def check(self, told: Told) -> None:
        """Try a message as the next one, without a transaction.

        Raises:
            AnchorRefused: The contract would refuse it now; the reason is in the facts.
        """
        ...

    def sign(self, told: Told, *, nonce: int, fee_wei: int) -> Signed:
        """Sign the transaction that tells it. Deterministic, and sends nothing."""
        ...
