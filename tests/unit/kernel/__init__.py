"""Tests of the kernel (内核): ids, secrets, settings, logs, transactions."""
