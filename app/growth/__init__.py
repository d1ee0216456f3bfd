"""Growth and the personal carbon score (成长体系与个人碳信用分), and what people do together.

Levels, badges, streaks, the score, ranks and progress are read from acts and transfers by rules
that are published documents (``documents/``), and stored nowhere. Stored is what people decided:
to be in a team or a challenge, to be on a board under a name of their choice, to hold a statement
("at least 100 kg in twelve months") that they give to somebody for one purpose.
"""
