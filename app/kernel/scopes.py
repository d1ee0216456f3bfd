"""Roles and what each may do (角色与权限): one table, deny by default.

An endpoint names the one scope that it asks for, or is on the list of public ones; a token
carries the scopes of its holder's roles. What nobody was given, nobody can do.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Scope(StrEnum):
    """What an endpoint asks for."""

    ME = "me"
    """A citizen's own: activities, wallet, consents, exchange, erasure."""
    METHODOLOGIES_PROPOSE = "methodologies.propose"
    METHODOLOGIES_REVIEW = "methodologies.review"
    METHODOLOGIES_PUBLISH = "methodologies.publish"
    """Ask for a publication, a withdrawal, a scenario's approval; a second person signs it."""
    FACTORS_CORRECT = "factors.correct"
    PROVIDERS_MANAGE = "providers.manage"
    PROGRAMMES_MANAGE = "programmes.manage"
    """Programmes, rates, budgets, challenges."""
    APPEALS_DECIDE = "appeals.decide"
    STAFF_MANAGE = "staff.manage"
    """Ask for the admission, roles, suspension and reset of clerks and partners."""
    OVERSIGHT_MANAGE = "oversight.manage"
    """Sign for those who oversee the operator, and for machines that read what they read."""
    AUDIT_READ = "audit.read"
    """The desk's audit log, and the city's totals as of any date."""
    APPROVALS_SIGN = "approvals.sign"
    """See what awaits a second signature; signing asks for the request's own scope besides."""
    MERCHANTS_MANAGE = "merchants.manage"
    """Applications, suspension, fee, offline cap and payout of merchants."""
    OFFERS_APPROVE = "offers.approve"
    MERCHANT_MANAGE = "merchant.manage"
    """A merchant's own people, tills and offers."""
    SETTLEMENTS_READ = "settlements.read"
    """A merchant's own statements, and its disputes of them."""
    VOUCHERS_REDEEM = "vouchers.redeem"
    """Open a shift at a till of one's merchant, and stand by a reversal there."""
    WEBHOOKS_MANAGE = "webhooks.manage"
    """Where one's own messages are sent."""
    ORGANISATIONS_MANAGE = "organisations.manage"
    """Applications and suspension of organisations."""
    ORGANISATION_MANAGE = "organisation.manage"
    """An organisation's own people."""
    HOLDINGS_READ = "holdings.read"
    """What one's organisation holds."""
    UNITS_TRADE = "units.trade"
    UNITS_RETIRE = "units.retire"
    """Retire or cancel what one's organisation holds."""
    LOTS_MANAGE = "lots.manage"
    """Freeze lots of pooled reductions, report on them, ask for the issuance of units."""
    LOTS_VERIFY = "lots.verify"
    """See the sample of a lot, find and decide."""
    UNITS_ISSUE = "units.issue"
    """Sign for the issuance of units, and give the regulator's part of a sample's seed."""
    UNITS_INVALIDATE = "units.invalidate"
    """Ask, and sign, for a recall of units."""
    REDUCTIONS_CANCEL = "reductions.cancel"
    """Cancel one's own reductions, or those of one's organisation; withdraw names shown by it."""
    PROJECTS_MANAGE = "projects.manage"
    """One's own projects, or those of one's organisation."""
    PROJECTS_READ = "projects.read"
    """Everybody's projects and their designs."""
    PROJECTS_REVIEW = "projects.review"
    """Say what an expert finds of a project that awaits its registration."""
    PROJECTS_VERIFY = "projects.verify"
    """Decide on projects' monitoring reports."""
    PROJECTS_REGISTER = "projects.register"
    """Ask for a project's registration, exclusion or end; a second person signs it."""
    MARKET_MANAGE = "market.manage"
    """Listings of the operator's units, payments, payouts; which units may serve which purpose."""
    SCENARIOS_OPERATE = "scenarios.operate"
    """Apply to operate a scenario."""
    GATHERINGS_MANAGE = "gatherings.manage"
    """The gatherings of one's organisation."""


class Role(StrEnum):
    """Who somebody is."""

    CITIZEN = "citizen"
    OPERATOR = "operator"
    REGULATOR = "regulator"
    EXPERT = "expert"
    VERIFIER = "verifier"
    MERCHANT_OWNER = "merchant_owner"
    MERCHANT_KEEPER = "merchant_keeper"
    ORGANISATION_OWNER = "organisation_owner"
    ORGANISATION_AGENT = "organisation_agent"


_AGENT: Final = frozenset(
    {
        Scope.HOLDINGS_READ,
        Scope.UNITS_TRADE,
        Scope.UNITS_RETIRE,
        Scope.REDUCTIONS_CANCEL,
        Scope.PROJECTS_MANAGE,
        Scope.SCENARIOS_OPERATE,
        Scope.GATHERINGS_MANAGE,
    }
)
SCOPES: Final[Mapping[Role, frozenset[Scope]]] = MappingProxyType(
    {
        Role.CITIZEN: frozenset({Scope.ME, Scope.REDUCTIONS_CANCEL, Scope.PROJECTS_MANAGE}),
        Role.OPERATOR: frozenset(
            {
                Scope.METHODOLOGIES_PROPOSE,
                Scope.PROVIDERS_MANAGE,
                Scope.PROGRAMMES_MANAGE,
                Scope.APPEALS_DECIDE,
                Scope.STAFF_MANAGE,
                Scope.APPROVALS_SIGN,
                Scope.MERCHANTS_MANAGE,
                Scope.OFFERS_APPROVE,
                Scope.WEBHOOKS_MANAGE,
                Scope.ORGANISATIONS_MANAGE,
                Scope.LOTS_MANAGE,
                Scope.PROJECTS_READ,
                Scope.PROJECTS_REGISTER,
                Scope.MARKET_MANAGE,
            }
        ),
        Role.REGULATOR: frozenset(
            {
                Scope.METHODOLOGIES_PROPOSE,
                Scope.METHODOLOGIES_PUBLISH,
                Scope.FACTORS_CORRECT,
                Scope.STAFF_MANAGE,
                Scope.OVERSIGHT_MANAGE,
                Scope.AUDIT_READ,
                Scope.UNITS_ISSUE,
                Scope.UNITS_INVALIDATE,
                Scope.APPROVALS_SIGN,
                Scope.PROJECTS_READ,
                Scope.PROJECTS_REGISTER,
            }
        ),
        Role.EXPERT: frozenset(
            {
                Scope.METHODOLOGIES_PROPOSE,
                Scope.METHODOLOGIES_REVIEW,
                Scope.PROJECTS_READ,
                Scope.PROJECTS_REVIEW,
            }
        ),
        Role.VERIFIER: frozenset(
            {
                Scope.AUDIT_READ,
                Scope.PROJECTS_READ,
                Scope.PROJECTS_REVIEW,
                Scope.PROJECTS_VERIFY,
                Scope.LOTS_VERIFY,
            }
        ),
        Role.MERCHANT_OWNER: frozenset(
            {
                Scope.MERCHANT_MANAGE,
                Scope.SETTLEMENTS_READ,
                Scope.VOUCHERS_REDEEM,
                Scope.WEBHOOKS_MANAGE,
            }
        ),
        Role.MERCHANT_KEEPER: frozenset({Scope.VOUCHERS_REDEEM}),
        Role.ORGANISATION_OWNER: _AGENT | {Scope.ORGANISATION_MANAGE, Scope.WEBHOOKS_MANAGE},
        Role.ORGANISATION_AGENT: _AGENT,
    }
)


def scopes_of(roles: Iterable[Role]) -> frozenset[Scope]:
    """Give everything that any of the roles may do.

    >>> scopes_of([Role.MERCHANT_OWNER, Role.MERCHANT_KEEPER]) == SCOPES[Role.MERCHANT_OWNER]
    True
    """
    return frozenset[Scope]().union(*(SCOPES[role] for role in roles))
