"""What a second signature sets in motion here (方法学治理的复核事项)."""

from collections.abc import Mapping
from typing import Final

from app.governance import approving, correcting, publishing
from app.staff import Deed

DEEDS: Final[Mapping[str, Deed]] = {
    publishing.PUBLISH: publishing.publish,
    publishing.WITHDRAW: publishing.withdraw,
    approving.APPROVE: approving.approve,
    approving.END: approving.end,
    correcting.CORRECT: correcting.order_correction,
}
