"""The whole thing, started as people start it (端到端)."""
