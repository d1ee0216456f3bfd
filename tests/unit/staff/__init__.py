"""Tests of the desk without a database (办事台)."""
