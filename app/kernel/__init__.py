"""What every domain stands on: settings, transactions, refusals, ids and the clock (内核)."""
