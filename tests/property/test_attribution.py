"""Whose grams are in the pool: the intervals of the rules against a queue of single milligrams."""

from collections import Counter, deque
from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.registry.attribution import Act, Exit, Left, attribute, pooled_mg, staying

POOL, CANCELLED, GIVEN = 10, 13, 14
PLACES = (POOL, CANCELLED, GIVEN)


def naive(acts: list[Act], exits: list[Exit]) -> Counter[UUID]:
    """One milligram at a time, of somebody whom nothing was taken back from or issued of."""
    queue = deque(act.id for act in acts for _ in range(act.mg))
    pooled: Counter[UUID] = Counter()
    for place, mg in exits:
        for _ in range(mg):
            act = queue.popleft()
            pooled[act] += place == POOL
    return +pooled


@given(
    st.lists(st.integers(0, 12), max_size=8),
    st.lists(st.tuples(st.sampled_from(PLACES), st.integers(1, 9)), max_size=10),
)
def test_it_is_first_in_first_out_milligram_by_milligram(
    worths: list[int], left: list[tuple[int, int]]
) -> None:
    acts = [Act(UUID(int=at), mg, 0) for at, mg in enumerate(worths)]
    room, exits = sum(worths), list[Exit]()
    for place, mg in left:
        if mg <= room:
            exits.append(Exit(place, mg))
            room -= mg
    shares = attribute(acts, exits, Left({}, 0), POOL)
    assert dict(shares) == naive(acts, exits)
    assert [share.act for share in shares] == sorted(share.act for share in shares)


X, Y, Z = (Act(UUID(int=at), 10, 0) for at in range(3))


def test_what_another_act_s_correction_took_from_the_pool_is_not_issued() -> None:
    # X is pooled and Y cancelled; Y was worth 5 less, and the holder had nothing: the pool gave.
    acts = [X, Y._replace(mg=5)]
    exits, left = [Exit(POOL, 10), Exit(CANCELLED, 10)], Left({POOL: 5}, 0)
    pool_mg = pooled_mg(acts, exits, left, POOL)
    assert pool_mg == 5
    assert staying({act.id: act for act in acts}, [(X.id, 10, 10)], pool_mg) == []
    assert attribute(acts, exits, left, POOL) == [(X.id, 5)]


def test_a_corrected_act_leaves_and_its_neighbours_stay() -> None:
    acts = {act.id: act for act in (X, Y._replace(mg=9), Z)}
    frame = [(act.id, 10, 10) for act in (X, Y, Z)]
    assert staying(acts, frame, 29) == [X.id, Z.id]
    assert staying(acts, [(UUID(int=9), 1, 1)], 29) == []


def test_a_shortfall_beyond_the_corrected_act_frees_the_last_that_is_placed() -> None:
    # Both were pooled and issued; a third was given and then worth nothing: issued grams gave way.
    acts = [X._replace(placed_mg=10), Y._replace(placed_mg=10), Z._replace(mg=0)]
    exits = [Exit(POOL, 20), Exit(GIVEN, 10)]
    assert attribute(acts, exits, Left({}, 10), POOL) == []
    more = Act(UUID(int=3), 7, 0)
    assert attribute([*acts, more], [*exits, Exit(POOL, 7)], Left({}, 10), POOL) == [(more.id, 7)]


@dataclass
class Life:
    """An act in the model: its worth, what of it is placed, and what an open lot frames of it."""

    mg: int
    placed_mg: int = 0


@dataclass
class Model:
    """One person's grams of one class, as the books have them."""

    acts: dict[UUID, Life] = field(default_factory=dict[UUID, Life])
    exits: list[Exit] = field(default_factory=list[Exit])
    taken: Counter[int] = field(default_factory=Counter[int])
    short_mg: int = 0
    frame: list[tuple[UUID, int, int]] | None = None

    def told(self) -> tuple[list[Act], list[Exit], Left]:
        acts = [Act(id_, life.mg, life.placed_mg) for id_, life in self.acts.items()]
        return acts, self.exits, Left(dict(self.taken), self.short_mg)

    def in_(self, place: int) -> int:
        """What lies in a place, as the books would add it up."""
        moved = sum(mg for where, mg in self.exits if where == place) - self.taken[place]
        return moved - (sum(a.placed_mg for a in self.acts.values()) if place == POOL else 0)

    @property
    def issued_mg(self) -> int:
        return sum(a.placed_mg for a in self.acts.values()) - self.short_mg

    @property
    def held_mg(self) -> int:
        gone = sum(mg for _, mg in self.exits) - self.taken.total() - self.short_mg
        return sum(a.mg for a in self.acts.values()) - gone


class Registry(RuleBasedStateMachine):
    """Whatever is accrued, exchanged, corrected, frozen and issued, in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()

    @rule(mg=st.integers(1, 50))
    def accrue(self, mg: int) -> None:
        self.model.acts[UUID(int=len(self.model.acts))] = Life(mg)

    @precondition(lambda self: self.model.held_mg > 0)
    @rule(place=st.sampled_from(PLACES), data=st.data())
    def leave(self, place: int, data: st.DataObject) -> None:
        mg = data.draw(st.integers(1, self.model.held_mg))
        self.model.exits.append(Exit(place, mg))

    @precondition(lambda self: any(each.mg for each in self.model.acts.values()))
    @rule(data=st.data())
    def correct(self, data: st.DataObject) -> None:
        """Take from the holder, the pool, what was issued, given, cancelled: as the books do."""
        model = self.model
        known = [id_ for id_, life in model.acts.items() if life.mg]
        act = model.acts[data.draw(st.sampled_from(known))]
        missing = data.draw(st.integers(1, act.mg))
        held = model.held_mg
        places = [(POOL, model.in_(POOL)), (0, model.issued_mg)]
        places += [(place, model.in_(place)) for place in (GIVEN, CANCELLED)]
        act.mg -= missing
        missing -= min(held, missing)
        for place, there in places:
            part = min(there, missing)
            missing -= part
            if place:
                model.taken[place] += part
            else:
                model.short_mg += part
        assert missing == 0

    @precondition(lambda self: self.model.frame is None)
    @rule()
    def freeze(self) -> None:
        acts, exits, left = self.model.told()
        shares = attribute(acts, exits, left, POOL)
        worth = {act.id: act.mg for act in acts}
        self.model.frame = [(act, mg, worth[act]) for act, mg in shares]
        assert sum(mg for _, mg in shares) == self.model.in_(POOL)
        for act, mg in shares:
            life = self.model.acts[act]
            assert 0 < mg <= life.mg

    @precondition(lambda self: self.model.frame is not None)
    @rule(data=st.data())
    def issue(self, data: st.DataObject) -> None:
        """Issue what stays, but what is behind the last whole unit."""
        model = self.model
        assert model.frame is not None
        acts, exits, left = model.told()
        pool_mg = pooled_mg(acts, exits, left, POOL)
        assert pool_mg == model.in_(POOL)
        framed = {act: mg for act, mg, _ in model.frame}
        stay = staying({act.id: act for act in acts}, model.frame, pool_mg)
        total = sum(framed[act] for act in stay)
        assert total <= pool_mg
        assert all(worth == model.acts[act].mg for act, _, worth in model.frame if act in stay)
        unit = data.draw(st.integers(1, 40))
        left_mg = total // unit * unit
        for act in stay:
            part = min(framed[act], left_mg)
            model.acts[act].placed_mg += part
            left_mg -= part
            assert model.acts[act].placed_mg <= model.acts[act].mg
        model.frame = None

    @precondition(lambda self: self.model.frame is not None)
    @rule()
    def thaw(self) -> None:
        self.model.frame = None

    @invariant()
    def nothing_is_below_zero(self) -> None:
        model = self.model
        assert model.held_mg >= 0
        assert model.issued_mg >= 0
        assert all(model.in_(place) >= 0 for place in PLACES)

    @invariant()
    def every_pooled_milligram_has_its_act(self) -> None:
        acts, exits, left = self.model.told()
        shares = attribute(acts, exits, left, POOL)
        assert sum(mg for _, mg in shares) == self.model.in_(POOL)
        assert all(mg <= self.model.acts[act].mg for act, mg in shares)


TestRegistry = Registry.TestCase
TestRegistry.settings = settings(max_examples=500, stateful_step_count=30, deadline=None)
