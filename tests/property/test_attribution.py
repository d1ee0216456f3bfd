"""Whose grams are in the pool: the intervals of the rules against a queue of single milligrams."""

from collections import Counter, deque
from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.registry.attribution import Act, Move, Places, attribute, pooled_mg, staying

POOL, ISSUED, CANCELLED, GIVEN = 10, 11, 13, 14
EXITS = (POOL, CANCELLED, GIVEN)
PLACES = Places(POOL, ISSUED)


def naive(acts: list[Act], exits: list[Move]) -> Counter[UUID]:
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
    st.lists(st.tuples(st.sampled_from(EXITS), st.integers(1, 9)), max_size=10),
)
def test_it_is_first_in_first_out_milligram_by_milligram(
    worths: list[int], left: list[tuple[int, int]]
) -> None:
    acts = [Act(UUID(int=at), mg, 0) for at, mg in enumerate(worths)]
    room, exits = sum(worths), list[Move]()
    for place, mg in left:
        if mg <= room:
            exits.append(Move(place, mg))
            room -= mg
    shares = attribute(acts, exits, PLACES)
    assert dict(shares) == naive(acts, exits)
    assert [share.act for share in shares] == sorted(share.act for share in shares)


X, Y, Z = (Act(UUID(int=at), 10, 0) for at in range(3))


def test_what_another_act_s_correction_took_from_the_pool_is_not_issued() -> None:
    # X is pooled and Y cancelled; Y was worth 5 less, and the holder had nothing: the pool gave.
    acts = [X, Y._replace(mg=5)]
    moves = [Move(POOL, 10), Move(CANCELLED, 10), Move(POOL, -5)]
    pool_mg = pooled_mg(acts, moves, PLACES)
    assert pool_mg == 5
    assert staying({act.id: act for act in acts}, [(X.id, 10, 10)], pool_mg) == []
    assert attribute(acts, moves, PLACES) == [(X.id, 5)]


def test_a_corrected_act_leaves_and_its_neighbours_stay() -> None:
    acts = {act.id: act for act in (X, Y._replace(mg=9), Z)}
    frame = [(act.id, 10, 10) for act in (X, Y, Z)]
    assert staying(acts, frame, 29) == [X.id, Z.id]
    assert staying(acts, [(UUID(int=9), 1, 1)], 29) == []


def test_what_is_taken_back_is_the_latest_that_left_before_it() -> None:
    acts = [X._replace(mg=5), Y._replace(mg=5), Z._replace(mg=0), Act(UUID(int=3), 5, 0)]
    moves = [Move(POOL, 5), Move(CANCELLED, 5), Move(POOL, 5), Move(POOL, -5), Move(POOL, 5)]
    assert attribute(acts, moves, PLACES) == [(X.id, 5), (UUID(int=3), 5)]


def test_a_shortfall_beyond_the_corrected_act_frees_the_last_that_is_placed() -> None:
    # Both were pooled and issued; a third was given and then worth nothing: issued grams gave way.
    acts = [X._replace(placed_mg=10), Y._replace(placed_mg=10), Z._replace(mg=0)]
    moves = [Move(POOL, 20), Move(GIVEN, 10), Move(ISSUED, -10)]
    assert attribute(acts, moves, PLACES) == []
    more = Act(UUID(int=3), 7, 0)
    assert attribute([*acts, more], [*moves, Move(POOL, 7)], PLACES) == [(more.id, 7)]


@dataclass
class Life:
    """An act in the model: its worth, what of it is placed, and what an open lot frames of it."""

    mg: int
    placed_mg: int = 0


@dataclass
class Model:
    """One person's grams of one class, as the books have them."""

    acts: dict[UUID, Life] = field(default_factory=dict[UUID, Life])
    moves: list[Move] = field(default_factory=list[Move])
    frame: list[tuple[UUID, int, int]] | None = None

    def told(self) -> list[Act]:
        return [Act(id_, life.mg, life.placed_mg) for id_, life in self.acts.items()]

    @property
    def placed_mg(self) -> int:
        return sum(life.placed_mg for life in self.acts.values())

    def in_(self, place: int) -> int:
        """What lies in a place, as the books would add it up."""
        moved = sum(mg for where, mg in self.moves if where == place)
        return moved + {POOL: -self.placed_mg, ISSUED: self.placed_mg}.get(place, 0)

    @property
    def held_mg(self) -> int:
        return sum(life.mg for life in self.acts.values()) - sum(mg for _, mg in self.moves)


class Registry(RuleBasedStateMachine):
    """Whatever is accrued, exchanged, corrected, frozen and issued, in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()

    @rule(mg=st.integers(1, 50))
    def accrue(self, mg: int) -> None:
        self.model.acts[UUID(int=len(self.model.acts))] = Life(mg)

    @precondition(lambda self: self.model.held_mg > 0)
    @rule(place=st.sampled_from(EXITS), data=st.data())
    def leave(self, place: int, data: st.DataObject) -> None:
        mg = data.draw(st.integers(1, self.model.held_mg))
        self.model.moves.append(Move(place, mg))

    @precondition(lambda self: any(each.mg for each in self.model.acts.values()))
    @rule(data=st.data())
    def correct(self, data: st.DataObject) -> None:
        """Take from the holder, the pool, what was issued, given, cancelled: as the books do."""
        model = self.model
        known = [id_ for id_, life in model.acts.items() if life.mg]
        act = model.acts[data.draw(st.sampled_from(known))]
        missing = data.draw(st.integers(1, act.mg))
        act.mg -= missing
        missing -= min(model.held_mg + missing, missing)
        for place in (POOL, ISSUED, GIVEN, CANCELLED):
            part = min(model.in_(place), missing)
            missing -= part
            if part:
                model.moves.append(Move(place, -part))
        assert missing == 0

    @precondition(lambda self: self.model.frame is None)
    @rule()
    def freeze(self) -> None:
        acts = self.model.told()
        shares = attribute(acts, self.model.moves, PLACES)
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
        acts = model.told()
        pool_mg = pooled_mg(acts, model.moves, PLACES)
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
        assert all(model.in_(place) >= 0 for place in (*EXITS, ISSUED))

    @invariant()
    def every_pooled_milligram_has_its_act(self) -> None:
        acts = self.model.told()
        shares = attribute(acts, self.model.moves, PLACES)
        assert sum(mg for _, mg in shares) == self.model.in_(POOL)
        assert all(
            mg + self.model.acts[act].placed_mg <= self.model.acts[act].mg for act, mg in shares
        )


TestRegistry = Registry.TestCase
TestRegistry.settings = settings(max_examples=500, stateful_step_count=30)
