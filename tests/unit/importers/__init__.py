"""Importers over the real files, each count found again by other means."""
