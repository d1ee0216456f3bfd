"""The books: who holds how much of what, and why (账本)."""
