"""The gates (门禁): what enforces the house, and that each gate does."""
