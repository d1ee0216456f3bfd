"""A city of a few owners, kept in memory: epochs, headers and receipts for the vectors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from ledger.account_map import Leaf, SumTree, bits_for, cell_number, cells, prove
from ledger.accounts import Account, AccountKind, held_of, owner, system
from ledger.assets import Asset, Points, Reduction, Unit, asset_key, day_number, unit_of
from ledger.chart import Code
from ledger.encoding import (
    CREDIT_SIDE,
    DEBIT_SIDE,
    AccountState,
    Entry,
    account_commit,
    account_leaf,
    entry_body,
    entry_salt,
    leaf_salt,
    note,
    system_commit,
)
from ledger.folding import Part, close, fold
from ledger.header import Header, origin_tag
from ledger.log import consistency_path, inclusion_path, reader, tree_hash
from ledger.numbering import Unnumbered, number
from ledger.receipt import (
    Anchoring,
    Consistency,
    Json,
    OpenedEntry,
    OwnSide,
    Receipt,
    SystemSide,
    header_line,
)
from ledger.transfers import Transfer

ORIGIN = "carbon.example.sh.cn/ledger/1"
CONTRACT = "0x" + "c0" * 20
DAY = date(2026, 1, 5)

METRO_A = Reduction("SZ-METRO", 1, "metro", "A", date(2026, 1, 1))
METRO_B = Reduction("SZ-METRO", 1, "metro", "B", date(2026, 1, 1))
POINTS = Points("city", date(2027, 12, 31), 1)
UNITS = Unit("2026-0001")


def digest(*words: object) -> bytes:
    """Make 32 bytes of words, the same each time."""
    return sha256(" ".join(map(str, words)).encode()).digest()


def uuid7(*words: object) -> UUID:
    """Make a UUIDv7 of words, the same each time."""
    raw = bytearray(digest(*words)[:16])
    raw[6], raw[8] = raw[6] & 0x0F | 0x70, raw[8] & 0x3F | 0x80
    return UUID(bytes=bytes(raw))


class Owner(NamedTuple):
    """An owner with its secrets."""

    account: Account
    akey: bytes
    secret: bytes


def owner_of(serial: int, kind: AccountKind = AccountKind.CITIZEN) -> Owner:
    """Make an owner, the same each time."""
    account = owner(kind, 65_536 + 2 * serial)
    return Owner(account, digest("akey", serial), digest("secret", serial))


def move(
    serial: int,
    code: Code,
    way: tuple[Account, Account],
    what: tuple[int, Asset],
    corrects: Transfer | None = None,
) -> Transfer:
    """Make a transfer, the same each time."""
    (source, target), (amount, asset) = way, what
    return Transfer(
        id=uuid7("transfer", serial),
        source=source,
        target=target,
        asset=asset,
        amount=amount,
        code=code,
        cause=uuid7("cause", serial),
        occurred_on=DAY,
        recorded_on=DAY,
        corrects=corrects and corrects.id,
        corrects_on=corrects and corrects.recorded_on,
    )


class Placed(NamedTuple):
    """A transfer with its entry and its place in the log."""

    transfer: Transfer
    entry: Entry
    log_index: int
    ref: int
    leaf: bytes


@dataclass
class City:
    """Owners and what they did, epoch after epoch."""

    owners: dict[int, Owner] = field(default_factory=dict[int, Owner])
    log: list[bytes] = field(default_factory=list[bytes])
    placed: list[Placed] = field(default_factory=list[Placed])
    states: list[dict[int, AccountState]] = field(default_factory=lambda: [{}])
    headers: list[Header] = field(default_factory=list[Header])
    trees: list[SumTree] = field(default_factory=list[SumTree])

    def _commit(self, transfer: Transfer, account: Account, side: int) -> bytes:
        if account.owner_id is None:
            return system_commit(account.place)
        holder = self.owners[account.owner_id]
        return account_commit(holder.akey, entry_salt(holder.secret, transfer.id, side))

    def entry(self, transfer: Transfer) -> Entry:
        """Encode a transfer with the salts of its owner."""
        return Entry(
            transfer.code,
            asset_key(transfer.asset),
            day_number(transfer.occurred_on),
            unit_of(transfer.asset),
            transfer.amount,
            self._commit(transfer, transfer.source, DEBIT_SIDE),
            self._commit(transfer, transfer.target, CREDIT_SIDE),
            transfer.evidence or bytes(32),
        )

    def close(self, transfers: Sequence[Transfer], notes: int = 0, bits: int | None = None) -> None:
        """Close an epoch over the transfers, with so many notes of an erasure."""
        epoch = len(self.headers) + 1
        by_id = {transfer.id: transfer for transfer in transfers}
        known = {placed.transfer.id: placed.log_index for placed in self.placed}
        waiting = [Unnumbered(t.id, entry_body(self.entry(t)), t.corrects) for t in transfers]
        for serial in range(notes):
            sides = digest("debit", epoch, serial), digest("credit", epoch, serial)
            erased = note(Code.ERASE, day_number(DAY), *sides)
            waiting.append(Unnumbered(uuid7("note", epoch, serial), entry_body(erased)))
        states = dict(self.states[-1])
        changed: set[int] = set()
        for at in number(waiting, len(self.log), known):
            self.log.append(at.leaf)
            if at.id not in by_id:
                continue
            transfer = by_id[at.id]
            entry = self.entry(transfer)
            self.placed.append(Placed(transfer, entry, at.log_index, at.ref, at.leaf))
            source, target = transfer.source.owner_id, transfer.target.owner_id
            part = Part.TARGET if source is None else Part.SOURCE
            who = target if source is None else source
            if who is not None:
                part = Part.BOTH if transfer.is_internal else part
                state = states.get(who, AccountState(self.owners[who].akey))
                states[who] = fold(state, at.leaf, part, entry.unit, entry.amount)
                changed.add(who)
        for who in changed:
            states[who] = close(states[who], epoch)
        self.states.append(states)
        leaves = self.leaves(epoch)
        bits = bits_for(len(leaves)) if bits is None else bits
        self.trees.append(SumTree.of(cell.packed() for cell in cells(leaves, bits)))
        root = self.trees[-1].root
        self.headers.append(
            Header(
                origin_tag=origin_tag(ORIGIN),
                bits=bits,
                epoch=epoch,
                closed_at=1_767_225_600 + 86_400 * epoch,
                log_size=len(self.log),
                account_count=root.accounts,
                log_root=tree_hash(self.log),
                account_root=root.hash,
                methodology_root=bytes([0x33]) * 32,
                sums=root.sums,
                previous=self.headers[-1].hash() if self.headers else bytes(32),
            )
        )

    def leaves(self, epoch: int) -> list[Leaf]:
        """Give the account leaves of an epoch, ordered by key."""
        found: list[Leaf] = []
        for who, state in self.states[epoch].items():
            salt = leaf_salt(self.owners[who].secret, state.ver)
            found.append(Leaf(state.akey, account_leaf(state, salt), state.sums))
        return sorted(found)

    def anchoring(self, epoch: int) -> Anchoring:
        """Say where the header of an epoch would lie."""
        block, tx = (f"0x{digest(word, epoch).hex()}" for word in ("block", "tx"))
        return Anchoring(31_337, CONTRACT, 10 + epoch, block, tx)

    def header_lines(self) -> list[Json]:
        """Give the published list of anchored headers."""
        return [header_line(header, self.anchoring(header.epoch)) for header in self.headers]

    def receipt(
        self, who: Owner, epoch: int, since: int | None = None, seen: int | None = None
    ) -> Json:
        """Make a receipt, from the state of epoch ``since`` on, for a reader of ``seen``."""
        header, tree = self.headers[epoch - 1], self.trees[epoch - 1]
        number_ = who.account.id
        state = self.states[epoch][number_]
        before = None if since is None else self.states[since][number_]
        log = reader(self.log)
        opened: list[OpenedEntry] = []
        for placed in self.placed:
            mine = number_ in {placed.transfer.source.owner_id, placed.transfer.target.owner_id}
            old = since is not None and placed.log_index < self.headers[since - 1].log_size
            if mine and not old and placed.log_index < header.log_size:
                sides = tuple(
                    SystemSide(account.place)
                    if account.is_system
                    else OwnSide(entry_salt(who.secret, placed.transfer.id, side))
                    for side, account in enumerate((placed.transfer.source, placed.transfer.target))
                )
                path = inclusion_path(placed.log_index, header.log_size, log)
                at = placed.log_index
                opened.append(OpenedEntry(placed.entry, at, placed.ref, *sides, path=path))
        cell = cell_number(who.akey, tree.bits)
        neighbours = [
            leaf for leaf in self.leaves(epoch) if cell_number(leaf.akey, tree.bits) == cell
        ]
        older = self.headers[seen - 1] if seen else None
        return Receipt(
            origin=ORIGIN,
            header=header,
            state=state,
            salt=leaf_salt(who.secret, state.ver),
            entries=opened,
            proof=prove(tree, neighbours, who.akey),
            since=before,
            consistency=older
            and Consistency(older, consistency_path(older.log_size, header.log_size, log)),
            anchoring=self.anchoring(epoch),
        ).to_json()


def small_city(people: int = 40, bits: int = 2) -> City:
    """Make a city of four epochs with every kind of history.

    Epoch 1 accrues to everybody, 2 exchanges and grants, 3 holds, redeems and corrects,
    4 touches one owner only and notes an erasure.
    """
    made = [owner_of(serial) for serial in range(people)]
    company = owner_of(people, AccountKind.ORGANISATION)
    city = City({who.account.id: who for who in [*made, company]})
    serials = iter(range(10_000))

    def moved(code: Code, source: Account, target: Account, amount: int, asset: Asset) -> Transfer:
        return move(next(serials), code, (source, target), (amount, asset))

    nature, points = system("issuance/reduction"), system("issuance/points")
    accrued = [
        moved(Code.ACCRUE, nature, who.account, 1_000_000 + at, METRO_A if at % 3 else METRO_B)
        for at, who in enumerate(made)
    ]
    issued = moved(Code.ISSUE_UNIT, system("issuance/unit"), company.account, 40, UNITS)
    city.close([*accrued, issued], bits=bits)
    second: list[Transfer] = []
    for at, who in enumerate(made[: people // 2]):
        out, asset = ("pool", METRO_A) if at % 3 else ("absorbed", METRO_B)
        code = Code.EXCHANGE_POOL if at % 3 else Code.EXCHANGE_ABSORB
        second.append(moved(code, who.account, system(out), 600_000, asset))
        second.append(moved(Code.GRANT_EXCHANGE, points, who.account, 60, POINTS))
    city.close(second, bits=bits)
    first, other = made[0], made[1]
    held = held_of(first.account)
    correction = move(
        9_000,
        Code.CORRECT,
        (other.account, system("correction")),
        (400_000, METRO_A),
        corrects=accrued[1],
    )
    again = move(
        9_001, Code.CORRECT, (system("pool"), system("correction")), (100, METRO_A), correction
    )
    city.close(
        [
            moved(Code.HOLD, first.account, held, 30, POINTS),
            moved(Code.REDEEM, held, system("redeemed"), 30, POINTS),
            moved(Code.CANCEL, first.account, system("cancelled"), 5_000, METRO_B),
            moved(Code.GIVE, made[2].account, system("given"), 7_000, METRO_A),
            correction,
            again,
        ],
        bits=bits,
    )
    last = moved(Code.ACCRUE, nature, first.account, 123, METRO_A)
    city.close([last], notes=1, bits=bits)
    return city
