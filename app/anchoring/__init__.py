"""Anchoring (存证): what happened becomes entries, entries an epoch, an epoch one word on the chain."""
