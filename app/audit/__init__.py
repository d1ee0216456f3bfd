"""The audit (审计): recompute everything from the immutable rows, and name what differs.

``audit`` reads one snapshot of the database with a role that may do nothing else, recomputes
balances, entries, log, accounts, cells, supply and headers, and holds the headers against the
chain: never against the database's own word for what was anchored (R26). What the pure core
decides lies in ``ledger.audit``; here are the readers, in chunks, and what only a database can
be asked. Nothing is written, and postings go on meanwhile.
"""

from app.audit.books import check_the_books
from app.audit.chain import ChainReader, Headers, RegisterReader
from app.audit.registrations import Sums
from app.audit.replay import audit
from app.audit.report import Found, Report

__all__ = [
    "ChainReader",
    "Found",
    "Headers",
    "RegisterReader",
    "Report",
    "Sums",
    "audit",
    "check_the_books",
]
