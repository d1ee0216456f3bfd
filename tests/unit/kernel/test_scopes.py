"""Role × scope (角色与权限), read through: who changes the table changes it here, on purpose."""

import pytest

from app.kernel.scopes import SCOPES, Role, Scope, scopes_of
from app.partners import PARTNER_SCOPES
from app.staff.clerks import DESK

TABLE = {
    Role.CITIZEN: "me",
    Role.OPERATOR: (
        "methodologies.propose providers.manage programmes.manage appeals.decide"
        " staff.manage approvals.sign merchants.manage offers.approve webhooks.manage"
    ),
    Role.REGULATOR: (
        "methodologies.propose methodologies.publish factors.correct"
        " staff.manage oversight.manage audit.read approvals.sign"
    ),
    Role.EXPERT: "methodologies.propose methodologies.review",
    Role.VERIFIER: "audit.read",
    Role.MERCHANT_OWNER: "merchant.manage settlements.read vouchers.redeem webhooks.manage",
    Role.MERCHANT_KEEPER: "vouchers.redeem",
}


@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_the_table_says(role: Role) -> None:
    assert SCOPES[role] == {Scope(word) for word in TABLE[role].split()}


def test_every_scope_is_given_to_somebody() -> None:
    assert scopes_of(Role) == set(Scope)


def test_the_operator_may_nothing_that_is_the_regulators_alone() -> None:
    overseeing = {Scope.OVERSIGHT_MANAGE, Scope.METHODOLOGIES_PUBLISH, Scope.FACTORS_CORRECT}
    assert not SCOPES[Role.OPERATOR] & (overseeing | {Scope.AUDIT_READ})


def test_citizens_merchants_and_the_desk_have_no_scope_in_common_but_their_own_webhooks() -> None:
    merchants = {Role.MERCHANT_OWNER, Role.MERCHANT_KEEPER}
    shared = {Scope.WEBHOOKS_MANAGE}
    groups = [scopes_of(each) - shared for each in (DESK, merchants, {Role.CITIZEN})]
    assert set(Role) == DESK | merchants | {Role.CITIZEN}
    assert sum(map(len, groups)) == len(frozenset[Scope]().union(*groups))
    assert shared <= SCOPES[Role.OPERATOR] & SCOPES[Role.MERCHANT_OWNER]


def test_a_machine_may_only_read_and_be_told() -> None:
    assert {Scope.AUDIT_READ, Scope.WEBHOOKS_MANAGE} == PARTNER_SCOPES
