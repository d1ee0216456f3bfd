"""Organisations (机构): who buys units, organises gatherings, owns projects; the operator's.

An enterprise or institution applies; two of the operator's desk approve it, which opens its owner
in the books. Its people log in as merchants' do. One organisation is the operator's own: it
receives the units that are issued, and is opened when a city is set up.
"""

from app.organisations.deeds import DEEDS
from app.organisations.members import OrganisationMember, Owner, member
from app.organisations.people import OrganisationRole, OrganisationUser, organisation_scopes
from app.organisations.registry import (
    NewOrganisation,
    Organisation,
    OrganisationKind,
    find_organisation,
    open_operator,
    open_organisation,
    operator_of,
    organisations_of,
)

__all__ = [
    "DEEDS",
    "NewOrganisation",
    "Organisation",
    "OrganisationKind",
    "OrganisationMember",
    "OrganisationRole",
    "OrganisationUser",
    "Owner",
    "find_organisation",
    "member",
    "open_operator",
    "open_organisation",
    "operator_of",
    "organisation_scopes",
    "organisations_of",
]
