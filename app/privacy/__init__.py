"""Privacy (隐私): what a person decides about their data, takes away, and has destroyed.

Consents are given and withdrawn per provider and scene, with whereabouts apart; a guardian
consents for a child. An export is everything about a person in one file. An erasure follows the
order of R20, stage by stage, and ends with a signed receipt (docs/decisions/0020).
"""
