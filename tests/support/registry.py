"""A lot from the pool to its units (登记样例): the desk, the epoch that decides, the signatures."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from app.activities import Choice, Standing
from app.activities.choice import chosen
from app.anchoring import Notary
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id, public_id
from app.kernel.secrets import Keys
from app.organisations import Organisation, OrganisationKind
from app.registry.batches import Batch, find_batch
from app.registry.freezing import begin_lot, freeze_lots
from app.registry.issuing import issue
from app.registry.lots import Lot, find_lot
from app.registry.reporting import report_lot
from app.registry.sampling import Party, commit_nonce, draw_sample, reveal_nonce
from app.registry.terms import set_terms
from app.registry.verification import Finding, SampledRow, Verdict, decide, find, sampled_rows
from app.staff import Signing
from ledger.assets import Reduction, asset_key
from ledger.lots import nonce_commitment
from methodologies import Approval
from tests.support.acts import TODAY, document
from tests.support.anchoring import notary_over
from tests.support.chain import MemoryChain
from tests.support.organisations import Office, organisation
from tests.support.points import FREE, accrue, programme, swap

OPERATOR, VERIFIER, REGULATOR = "clk_operator", "clk_verifier", "clk_regulator"
NONCES = {Party.VERIFIER: b"v" * 32, Party.REGULATOR: b"r" * 32}
MINUTE = timedelta(minutes=1)
WINDOW_DAYS = 400
KG = 1_000_000


def grade_a(mode: str = "ride", **told: Any) -> Choice:  # noqa: ANN401 -- any argument of the document
    """A ride whose reductions are of grade A."""
    first, last = day_of(TODAY) - timedelta(300), day_of(TODAY) + timedelta(300)
    approval = Approval(scenario=f"test-{mode}", valid_from=first, valid_until=last)
    ride = document(mode=mode, status="official_text", cap=None, **told)
    return chosen(ride, standing={(ride.code, ride.version): Standing((), (approval,))})


@dataclass
class Registry:
    """A city whose desk freezes, verifies and issues."""

    db: Database
    worker_db: Database
    keys: Keys
    folder: Path
    chain: MemoryChain = field(default_factory=MemoryChain)
    at: datetime = field(default_factory=now)
    office: Office = field(init=False)
    operator: Organisation = field(init=False)

    def __post_init__(self) -> None:
        """Open the operator's organisation and a programme whose points cost nothing."""
        programme(self.db, self.keys, new=FREE)
        self.office = organisation(self.db, self.keys, kind=OrganisationKind.OPERATOR)
        self.operator = self.office.organisation

    @property
    def notary(self) -> Notary:
        return notary_over(self.worker_db, self.keys, self.folder)

    def signing(self) -> Signing:
        """A request of the operator that the regulator signs."""
        return Signing(new_id(), OPERATOR, REGULATOR, self.at, self.keys)

    def terms(self, buffer_permille: int = 50, sample_rows: int = 5) -> None:
        """Set terms."""
        payload = {"buffer_permille": buffer_permille, "sample_rows": sample_rows}
        self.db.transact(set_terms, payload, self.signing())

    def pool(self, owner: int, asset: int, *amounts_mg: int) -> None:
        """Give somebody reductions, an act each, and exchange them all."""
        for mg in amounts_mg:
            accrue(self.db, owner, asset, mg)
        swap(self.db, owner)

    def begin(self, reduction: Reduction) -> UUID:
        lot = new_id()
        self.db.transact(begin_lot, OPERATOR, asset_key(reduction), lot=lot, at=self.at)
        return lot

    def frozen(self, reduction: Reduction, **more: int) -> Lot:
        """A lot of all that is pooled, with its root."""
        lot = self.begin(reduction)
        self.freeze(**more)
        return self.lot(lot)

    def freeze(self, **more: int) -> None:
        """Run the job."""
        freeze_lots(self.db, self.keys, clock=self.tick, **more)

    def lot(self, lot: UUID) -> Lot:
        return self.db.read(find_lot, lot)

    def tick(self) -> datetime:
        """Let a minute pass."""
        self.at += MINUTE
        return self.at

    def close(self) -> None:
        """Close an epoch, and let the chain have it for good."""
        notary, at = self.notary, self.tick()
        notary.close(at=at)
        notary.publish()
        for _ in range(3):
            notary.submit(self.chain, at=at)

    def commit(self, lot: UUID, parties: Iterable[Party] = Party) -> None:
        """Commit to nonces."""
        for party in parties:
            commitment = nonce_commitment(lot, party, NONCES[party])
            self.db.transact(commit_nonce, party, lot, party, commitment, at=self.at)

    def reveal(self, lot: UUID, parties: Iterable[Party] = Party) -> None:
        """Reveal them."""
        for party in parties:
            self.db.transact(reveal_nonce, party, lot, party, NONCES[party], at=self.at)

    def sampled(self, lot: UUID) -> Lot:
        """The lot with its report and its sample."""
        self.commit(lot)
        self.close()
        self.reveal(lot)
        self.db.transact(report_lot, OPERATOR, lot, at=self.tick())
        self.db.transact(draw_sample, VERIFIER, lot, at=self.tick())
        return self.lot(lot)

    def confirmed(self, lot: UUID, wrong: Sequence[Finding] = ()) -> Lot:
        """The lot confirmed; rows of acts without a record need none."""
        found = {each.draw: each for each in wrong}
        rows = self.db.read(sampled_rows, lot)
        findings = [
            found.get(row.draw, Finding(row.draw, Verdict.CONFIRMED, None, None, ""))
            for row in rows
        ]
        self.db.transact(find, self.keys, VERIFIER, lot, findings, at=self.tick())
        return self.decide(lot, is_confirmed=True)

    def decide(self, lot: UUID, *, is_confirmed: bool) -> Lot:
        """Decide on the lot."""
        return self.db.transact(
            decide, VERIFIER, lot, is_confirmed, "核证意见", window_days=WINDOW_DAYS, at=self.tick()
        )

    def issue(self, lot: UUID) -> Batch:
        """Issue the lot."""
        signing = self.signing()
        self.db.transact(issue, {"lot": public_id("lot", lot)}, signing)
        return self.batch(signing.approval)

    def batch(self, batch: UUID) -> Batch:
        return self.db.read(lambda session: find_batch(driver(session), batch))

    def issued(self, reduction: Reduction, **more: int) -> Batch:
        """Freeze, verify and issue all that is pooled of a class."""
        lot = self.frozen(reduction, **more).id
        self.sampled(lot)
        self.confirmed(lot)
        return self.issue(lot)

    def issued_from_records(
        self,
        reduction: Reduction,
        confirm: Callable[[SampledRow], Finding],
        lot: UUID | None = None,
    ) -> Batch:
        """Likewise, of acts that a provider told."""
        which = self.sampled(lot or self.frozen(reduction).id).id
        self.confirmed(which, [confirm(row) for row in self.db.read(sampled_rows, which)])
        return self.issue(which)
