"""Ways to pay (付款方式): what a buyer is told, and how a payment is confirmed.

The market knows a payment by its method and that method's reference. Shipped is the bank transfer,
which the operator's desk confirms by hand; a gateway would be another ``Payments`` whose callback
calls ``app.market.paying.confirm`` under its own method.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Final, NamedTuple, Protocol

from app.kernel.settings import Settings
from app.market.purchases import Purchase

BANK_TRANSFER: Final = "bank-transfer"


class Instructions(NamedTuple):
    """How to pay for a purchase (付款指引)."""

    method: str
    payee: str | None
    """Name, bank and number; None: as agreed with the operator."""
    reference: str
    """To be named with the payment."""
    due_fen: int
    until: datetime


class Confirmation(NamedTuple):
    """What somebody says was paid (到账确认)."""

    method: str
    reference: str
    """The bank's or the gateway's, by which the same payment is known again."""
    fen: int
    received_on: date
    by: str
    """Who says so, by public id: of two the one who signs."""
    asked_by: str | None = None
    """Who asked for that signature; none: one confirms it alone."""


class Payments(Protocol):
    """A way to pay."""

    method: ClassVar[str]

    def instructions(self, purchase: Purchase) -> Instructions:
        """Tell a buyer how to pay for what is reserved."""
        ...

    def needs_two(self, fen: int) -> bool:
        """Say whether two people confirm a payment that brings a day's sum to so much."""
        ...


@dataclass(frozen=True, slots=True)
class BankTransfer:
    """To the operator's account; its desk looks there and confirms what came (银行转账)."""

    method: ClassVar[str] = BANK_TRANSFER
    payee: str | None
    single_most_fen: int
    """What one person confirms alone at most, and of one buyer, within a day."""

    def instructions(self, purchase: Purchase) -> Instructions:
        """Tell a buyer the account, and the purchase's id to name."""
        due, until = purchase.due_fen, purchase.expires_at
        return Instructions(self.method, self.payee, purchase.public, due, until)

    def needs_two(self, fen: int) -> bool:
        """Say whether so much asks for a second signature."""
        return fen > self.single_most_fen


def payments_of(settings: Settings) -> Payments:
    """Give the way to pay in this deployment."""
    return BankTransfer(settings.market_payee, settings.market_single_most_fen)
