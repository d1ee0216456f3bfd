"""Webhooks (网络回调): what merchants, organisations, partners and the operator are told over HTTP.

Standard Webhooks 1.0. A domain tells in the transaction of its deed; a job sends, each message at
least once, in no promised order, for three days, and a receiver tells by ``webhook-id`` what it
has had. What is sent names no person. Where it is sent is held to addresses that are everybody's.
"""

from app.webhooks.messages import News, listeners, tell, tell_partners
from app.webhooks.rules import (
    OPERATOR,
    NewsKind,
    merchant_owner,
    organisation_owner,
    partner_owner,
)

__all__ = [
    "OPERATOR",
    "News",
    "NewsKind",
    "listeners",
    "merchant_owner",
    "organisation_owner",
    "partner_owner",
    "tell",
    "tell_partners",
]
