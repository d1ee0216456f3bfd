"""A node (节点): web3 with short time-outs, and its failures in our words."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, Final, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.exceptions import (
    BadFunctionCallOutput,
    ContractCustomError,
    ContractLogicError,
    Web3Exception,
    Web3RPCError,
)

from app.anchoring.errors import AnchorRefused, ChainUnavailable, ContractMissing
from app.anchoring.finality import Finality

TIMEOUT_S: Final = 2
CONTRACTS: Final = ("CarbonAnchor", "MethodologyRegistry", "RetirementRegistry")
KNOWN_ALREADY: Final = ("already known", "already imported", "nonce too low", "underpriced")
"""What nodes say to a transaction that they know, or whose place is taken: not errors."""


class Node:
    """One JSON-RPC endpoint."""

    def __init__(self, url: str) -> None:
        """Open nothing yet. No retries here: the outbox is the retry."""
        self.web3 = Web3(
            HTTPProvider(
                url, request_kwargs={"timeout": TIMEOUT_S}, exception_retry_configuration=None
            )
        )

    def chain_id(self) -> int:
        """Ask which chain this is."""
        with talking():
            return int(self.web3.eth.chain_id)

    def has_code(self, address: str, height: int | None = None) -> bool:
        """Say whether a contract is at an address, now or at the end of a block."""
        block = cast("Any", "latest" if height is None else height)
        with talking():
            return bool(self.web3.eth.get_code(Web3.to_checksum_address(address), block))

    def final_height(self, finality: Finality) -> int:
        """Give the highest block that counts as final; below 0 if none does."""
        with talking():
            if finality.depth is None:
                tagged = self.web3.eth.get_block(cast("Any", finality.tag))
                return int(tagged.get("number", 0))
            return int(self.web3.eth.block_number) - finality.depth

    def contract(self, name: str, address: str) -> Contract:
        """Name a contract by its committed artifact."""
        at = Web3.to_checksum_address(address)
        return self.web3.eth.contract(address=at, abi=artifact(name)["abi"])

    def nonce_of(self, address: str) -> int:
        """Count an account's mined transactions."""
        with talking():
            return int(self.web3.eth.get_transaction_count(Web3.to_checksum_address(address)))

    def gas_price(self) -> int:
        """Ask what one gas costs [wei]."""
        with talking():
            return int(self.web3.eth.gas_price)

    def send(self, raw: bytes) -> None:
        """Send a signed transaction; that it is known already is not an error."""
        try:
            with talking():
                self.web3.eth.send_raw_transaction(raw)
        except AnchorRefused as refused:
            said = str(refused.facts.get("reason", "")).lower()
            if not any(words in said for words in KNOWN_ALREADY):
                raise

    def fund(self, address: str, wei: int) -> bool:
        """Give an account of a development chain what it needs; ``False`` if this is not one."""
        with talking():
            answer = self.web3.provider.make_request(
                cast("Any", "anvil_setBalance"), [address, hex(wei)]
            )
        return "error" not in answer


@contextmanager
def talking() -> Generator[None]:
    """Turn what web3 raises into what the submitter knows.

    Raises:
        ChainUnavailable: No answer in time.
        ContractMissing: Nothing of ours is at the address.
        AnchorRefused: The node or the contract says no.
    """
    try:
        yield
    except BadFunctionCallOutput as error:
        raise ContractMissing from error
    except ContractLogicError as error:
        raise AnchorRefused(reason=reason_of(error)) from error
    except Web3RPCError as error:
        raise AnchorRefused(reason=str(error.message)) from error
    except (OSError, Web3Exception) as error:  # requests' own errors are OSErrors
        raise ChainUnavailable(repr(error)) from error


def reason_of(error: ContractLogicError) -> str:
    """Name a contract's custom error, from the committed artifacts."""
    data = error.data if isinstance(error, ContractCustomError) else None
    if not isinstance(data, str):
        return str(error.message)
    for name in CONTRACTS:
        for entry in artifact(name)["abi"]:
            if entry["type"] != "error":
                continue
            signature = f"{entry['name']}({','.join(part['type'] for part in entry['inputs'])})"
            if data.startswith(Web3.keccak(text=signature)[:4].to_0x_hex()):
                return str(entry["name"])
    return data[:10]


def artifact(name: str) -> dict[str, Any]:
    """Read a committed contract artifact."""
    text = files("app.chain_artifacts").joinpath(f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def account_of(key: bytes) -> LocalAccount:
    """Make an account of its private key."""
    return cast("LocalAccount", Account.from_key(key))
