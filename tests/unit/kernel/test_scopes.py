"""Role × scope (角色与权限), read through: who changes the table changes it here, on purpose."""

import pytest

from app.kernel.scopes import SCOPES, Role, Scope, scopes_of
from app.partners import PARTNER_SCOPES
from app.staff.clerks import DESK

AGENT = (
    "holdings.read units.trade units.retire reductions.cancel projects.manage scenarios.operate"
    " gatherings.manage"
)
TABLE = {
    Role.CITIZEN: "me reductions.cancel projects.manage",
    Role.OPERATOR: (
        "methodologies.propose providers.manage programmes.manage appeals.decide"
        " staff.manage approvals.sign merchants.manage offers.approve webhooks.manage"
        " organisations.manage lots.manage projects.read projects.register market.manage"
    ),
    Role.REGULATOR: (
        "methodologies.propose methodologies.publish factors.correct"
        " staff.manage oversight.manage audit.read approvals.sign"
        " units.issue units.invalidate projects.read projects.register"
    ),
    Role.EXPERT: "methodologies.propose methodologies.review projects.read projects.review",
    Role.VERIFIER: "audit.read projects.read projects.review projects.verify lots.verify",
    Role.MERCHANT_OWNER: "merchant.manage settlements.read vouchers.redeem webhooks.manage",
    Role.MERCHANT_KEEPER: "vouchers.redeem",
    Role.ORGANISATION_OWNER: f"{AGENT} organisation.manage webhooks.manage",
    Role.ORGANISATION_AGENT: AGENT,
}


@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_the_table_says(role: Role) -> None:
    assert SCOPES[role] == {Scope(word) for word in TABLE[role].split()}


def test_every_scope_is_given_to_somebody() -> None:
    assert scopes_of(Role) == set(Scope)


def test_the_operator_may_nothing_that_is_the_regulators_alone() -> None:
    overseeing = {Scope.OVERSIGHT_MANAGE, Scope.METHODOLOGIES_PUBLISH, Scope.FACTORS_CORRECT}
    of_units = {Scope.UNITS_ISSUE, Scope.UNITS_INVALIDATE, Scope.LOTS_VERIFY, Scope.PROJECTS_VERIFY}
    assert not SCOPES[Role.OPERATOR] & (overseeing | of_units | {Scope.AUDIT_READ})


def test_citizens_firms_and_the_desk_have_no_scope_in_common_but_for_what_is_their_own() -> None:
    merchants = {Role.MERCHANT_OWNER, Role.MERCHANT_KEEPER}
    organisations = {Role.ORGANISATION_OWNER, Role.ORGANISATION_AGENT}
    people = (DESK, merchants, organisations, {Role.CITIZEN})
    shared = {Scope.WEBHOOKS_MANAGE, Scope.REDUCTIONS_CANCEL, Scope.PROJECTS_MANAGE}
    groups = [scopes_of(each) - shared for each in people]
    assert set(Role) == frozenset[Role]().union(*people)
    assert sum(map(len, groups)) == len(frozenset[Scope]().union(*groups))
    owners = SCOPES[Role.MERCHANT_OWNER] & SCOPES[Role.ORGANISATION_OWNER]
    assert owners & SCOPES[Role.OPERATOR] == {Scope.WEBHOOKS_MANAGE}
    own = {Scope.REDUCTIONS_CANCEL, Scope.PROJECTS_MANAGE}
    assert SCOPES[Role.CITIZEN] & SCOPES[Role.ORGANISATION_AGENT] == own


def test_a_machine_may_only_read_and_be_told() -> None:
    assert {Scope.AUDIT_READ, Scope.WEBHOOKS_MANAGE} == PARTNER_SCOPES
