"""The ledger's laws, over scripts that hypothesis writes."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ledger.accounts import SYSTEM_ACCOUNTS, Account, AccountKind, held_of, owner, system
from ledger.assets import Asset
from ledger.chart import RULES, Code, is_permitted
from ledger.errors import NotInChart, Overdrawn
from ledger.posting import Holding, post
from ledger.transfers import Transfer
from tests.vectors.city import METRO_A, METRO_B, POINTS, UNITS, move

CITIZENS = [owner(AccountKind.CITIZEN, 65_536 + 2 * at) for at in range(3)]
COMPANY = owner(AccountKind.ORGANISATION, 65_600)
OWNED = [*CITIZENS, *map(held_of, CITIZENS), COMPANY, held_of(COMPANY)]
WORLD = [system(name) for name in SYSTEM_ACCOUNTS]
ASSETS: list[Asset] = [METRO_A, METRO_B, POINTS, UNITS]
EMPTY: Mapping[Holding, int] = {(at, asset): 0 for at in (*OWNED, *WORLD) for asset in ASSETS}

WAYS: list[tuple[Code, tuple[Account, Account], Asset]] = [
    (code, (source, target), asset)
    for code in RULES
    for source in (*OWNED, *WORLD)
    for target in (*OWNED, *WORLD)
    for asset in ASSETS
    if source != target
    and len({source.owner_id, target.owner_id} - {None}) <= 1
    and is_permitted(code, source, target, asset)
]
scripts = st.lists(st.tuples(st.sampled_from(WAYS), st.integers(1, 1000)), max_size=40).map(
    lambda steps: [
        move(serial, code, way, (amount, asset))
        for serial, ((code, way, asset), amount) in enumerate(steps)
    ]
)


def posted(script: list[Transfer]) -> tuple[dict[Holding, int], list[Transfer]]:
    """Post one by one, leaving out what is refused."""
    balances, done = dict(EMPTY), list[Transfer]()
    for transfer in script:
        try:
            balances = dict(post(balances, [transfer]).balances)
        except Overdrawn:
            assert balances[transfer.source, transfer.asset] < transfer.amount
        else:
            done.append(transfer)
    return balances, done


@given(scripts)
def test_nothing_is_made_or_lost_and_no_holder_is_overdrawn(script: list[Transfer]) -> None:
    balances, _ = posted(script)
    for asset in ASSETS:
        assert sum(value for (_, what), value in balances.items() if what == asset) == 0
    assert all(value >= 0 for (at, _), value in balances.items() if not at.is_system)


@given(scripts)
def test_a_balance_is_the_replay_of_its_transfers(script: list[Transfer]) -> None:
    balances, done = posted(script)
    naive = dict.fromkeys(EMPTY, 0)
    for transfer in done:
        naive[transfer.source, transfer.asset] -= transfer.amount
        naive[transfer.target, transfer.asset] += transfer.amount
    assert naive == balances
    at_once = post(EMPTY, done)
    assert at_once.balances == balances
    for holding, value in balances.items():
        sides = [side for side in at_once.sides if (side.account, side.transfer.asset) == holding]
        assert sum(side.change for side in sides) == value
        assert not sides or sides[-1].balance == value


@given(scripts)
def test_of_each_gram_there_is_one_place(script: list[Transfer]) -> None:
    """Issued by nature = held by owners + every exit, per class, at every moment."""
    balances, _ = posted(script)
    for asset in (METRO_A, METRO_B):
        accrued = -balances[system("issuance/reduction"), asset]
        elsewhere = [
            value
            for (at, what), value in balances.items()
            if what == asset and at != system("issuance/reduction")
        ]
        assert accrued == sum(elsewhere)
    assert balances[system("pool"), METRO_B] == balances[system("given"), METRO_B] == 0
    assert balances[system("absorbed"), METRO_A] <= 0


@given(scripts, st.integers(0, 39))
def test_refused_in_the_middle_nothing_is_posted(script: list[Transfer], at: int) -> None:
    _, done = posted(script)
    bad = replace(move(9_999, Code.ACCRUE, (WORLD[0], CITIZENS[0]), (1, METRO_A)), code=Code.GIVE)
    mixed = [*done[:at], bad, *done[at:]]
    before = dict(EMPTY)
    try:
        post(before, mixed)
    except NotInChart:
        assert before == EMPTY
    else:
        raise AssertionError(mixed)


@given(st.sampled_from(list(RULES)), st.sampled_from([*OWNED, *WORLD]), st.sampled_from(ASSETS))
def test_only_nature_gives_reductions_to_an_owner(
    code: Code, source: Account, asset: Asset
) -> None:
    if asset in (METRO_A, METRO_B) and is_permitted(code, source, CITIZENS[0], asset):
        assert (code, source) == (Code.ACCRUE, system("issuance/reduction"))


@given(st.integers(0, 2**48))
def test_ids_made_by_callers_are_of_version_seven(serial: int) -> None:
    made: UUID = move(serial, Code.ACCRUE, (WORLD[0], CITIZENS[0]), (1, METRO_A)).id
    assert made.version == 7
