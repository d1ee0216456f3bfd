"""Unit tests of the methodologies."""
