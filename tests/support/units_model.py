"""Units in plain numbers (单位朴素模型): who has how many of which batch, free or promised.

It shares no code with the product: no statement, no ledger, no rule of it.
"""

from collections import defaultdict
from dataclasses import dataclass, field

OPERATOR, BUFFER, GATHERING = 0, -1, -2
"""Owners; buyers are 1, 2 and so on, and the gathering is the last one's."""


@dataclass
class Batch:
    """What was issued together."""

    kg: int
    end: int
    cursor: int = 0
    short_mg: int = 0
    recalled: int = 0
    """Used units that were recalled."""
    waits: dict[int, int] = field(default_factory=dict[int, int])
    """Held units that recalls wait for, by the number of the recall."""
    named: int = 0
    """Units that recalls named."""
    replaced: int = 0

    @property
    def due(self) -> int:
        return self.short_mg // 1_000_000 + self.recalled - self.replaced


@dataclass
class Wish:
    """Somebody's wish to retire."""

    batch: int
    owner: int
    kg: int
    state: str = "requested"


@dataclass
class Hold:
    """Units that an unpaid purchase, or the gathering, holds."""

    batch: int
    holder: int
    back_to: int
    """Whose they are when the hold ends."""
    kg: int
    is_open: bool = True


@dataclass
class Void:
    """Units that a buyer lost to a recall."""

    recall: int
    owner: int
    owed: int


@dataclass
class Units:
    """Batches, and what everybody has of them."""

    batches: list[Batch] = field(default_factory=list[Batch])
    free: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    """By batch and owner."""
    held: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    wishes: list[Wish] = field(default_factory=list[Wish])
    holds: list[Hold] = field(default_factory=list[Hold])
    recalls: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    """Numbers, batches that wait to be looked at, and how many of their units."""
    opened: int = 0
    voids: list[Void] = field(default_factory=list[Void])
    used_by_buffer: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def issue(self, kg: int, buffer: int) -> None:
        self.batches.append(Batch(kg, kg))
        number = len(self.batches) - 1
        self.free[number, OPERATOR] += kg - buffer
        self.free[number, BUFFER] += buffer

    def move(self, batch: int, source: int, target: int, kg: int) -> bool:
        if self.free[batch, source] < kg:
            return False
        self.free[batch, source] -= kg
        self.free[batch, target] += kg
        return True

    def request(self, batch: int, owner: int, kg: int) -> bool:
        if self.free[batch, owner] < kg:
            return False
        self.free[batch, owner] -= kg
        self.held[batch, owner] += kg
        self.wishes.append(Wish(batch, owner, kg))
        return True

    def revert(self, wish: Wish) -> bool:
        if wish.state != "requested":
            return False
        self.held[wish.batch, wish.owner] -= wish.kg
        self._give_back(wish.batch, wish.owner, wish.kg)
        wish.state = "reverted"
        return True

    def hold(self, batch: int, owner: int, kg: int, holder: int) -> bool:
        if self.free[batch, owner] < kg:
            return False
        self.free[batch, owner] -= kg
        self.held[batch, holder] += kg
        self.holds.append(Hold(batch, holder, owner, kg))
        return True

    def let_go(self, hold: Hold) -> bool:
        if not hold.is_open:
            return False
        self.held[hold.batch, hold.holder] -= hold.kg
        self._give_back(hold.batch, hold.back_to, hold.kg)
        hold.is_open = False
        return True

    def _give_back(self, batch: int, owner: int, kg: int) -> None:
        """What recalls wait for is void, the oldest first; the rest is free."""
        found = self.batches[batch]
        for recall in sorted(found.waits):
            part = min(kg, found.waits[recall])
            kg -= part
            found.end -= part
            found.waits[recall] -= part
            if part and owner != OPERATOR:
                self.voids.append(Void(recall, owner, part))
        self.free[batch, owner] += kg

    def _use(self, batch: int) -> None:
        """What recalls wait for beyond what is held has serials."""
        found = self.batches[batch]
        held = sum(kg for (of, _), kg in self.held.items() if of == batch)
        for recall in sorted(found.waits, reverse=True):
            part = min(found.waits[recall], max(0, sum(found.waits.values()) - held))
            found.waits[recall] -= part
            found.recalled += part

    def take(self) -> int:
        taken = 0
        for wish in self.wishes:
            if wish.state == "requested":
                self.held[wish.batch, wish.owner] -= wish.kg
                self.batches[wish.batch].cursor += wish.kg
                self._use(wish.batch)
                wish.state = "taken"
                taken += 1
        return taken

    def recall(self, batch: int, kg: int) -> bool:
        found = self.batches[batch]
        if kg > found.kg - found.named:
            return False
        found.named += kg
        self.recalls.append((self.opened, batch, kg))
        self.opened += 1
        return True

    def sweep(self) -> None:
        for number, batch, named in self.recalls:
            kg = named
            buyers = sorted({owner for _, owner in self.free} - {OPERATOR, BUFFER})
            for owner in (OPERATOR, BUFFER, *buyers):
                part = min(kg, self.free[batch, owner])
                self.free[batch, owner] -= part
                self.batches[batch].end -= part
                kg -= part
                if part and owner in buyers:
                    self.voids.append(Void(number, owner, part))
            self.batches[batch].waits[number] = kg
            self._use(batch)
        self.recalls.clear()
        for void in sorted(self.voids, key=lambda void: void.recall):
            for batch in range(len(self.batches)):
                part = min(void.owed, self.free[batch, BUFFER])
                self.free[batch, BUFFER] -= part
                self.free[batch, void.owner] += part
                void.owed -= part

    def replace(self) -> None:
        for number, short in enumerate(self.batches):
            others = (other for other in range(len(self.batches)) if other != number)
            for batch in (number, *others):
                part = min(short.due, self.free[batch, BUFFER])
                if part > 0:
                    self.free[batch, BUFFER] -= part
                    self.batches[batch].cursor += part
                    self.used_by_buffer[batch] += part
                    short.replaced += part

    def correct(self, batch: int, mg: int) -> None:
        self.batches[batch].short_mg += mg
