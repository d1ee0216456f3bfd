"""The mall (商城): points buy goods, coupons and tickets, or support a public cause.

An order reserves a citizen's points, by earliest expiry, and one of what is left of an offer; its
voucher is redeemed at a till of the merchant, once, and the points become the merchant's claim.
What is cancelled, expires or is reversed gives the same classes of points back, and the offer its
units (docs/decisions/0029). Every such deed is one function of the schema.
"""
