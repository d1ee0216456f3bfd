"""Partners (合作机构): organisations whose machines call the API, each by a key of its own.

A machine proves who it is with an assertion that its private key signed (RFC 7523) and is given
an access token of ten minutes; no secret of a partner is ever here. Data providers are others:
they sign each request, in ``app.providers``.
"""

from app.partners.deeds import DEEDS
from app.partners.registry import PARTNER_SCOPES, Partner, PartnerKey, sweep_assertions

__all__ = ["DEEDS", "PARTNER_SCOPES", "Partner", "PartnerKey", "sweep_assertions"]
