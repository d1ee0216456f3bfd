"""The auditor that runs after every anchoring test (审计): everything recomputed, nothing found."""

from sqlmodel import Session

from app.anchoring.auditing import anchor_rows_for_audit, check_current_leaves
from app.anchoring.chain import Chain
from app.anchoring.supply import supply_rows
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from ledger.audit import check_headers, check_live, check_log, check_supply
from ledger.audit_map import check_map
from ledger.findings import Finding
from ledger.header import Header


def findings(audit_db: Database, keys: Keys, chain: Chain) -> list[Finding]:
    """Audit log, map, headers and live balances against a chain."""

    def query(session: Session) -> list[Finding]:
        connection = driver(session)
        rows = anchor_rows_for_audit(connection, keys)
        headers = list(rows.headers)
        found = list(check_headers(headers, chain.hash_of, chain.tip()))
        found += check_log(rows.log, [Header.of(row.data) for row in headers])
        found += check_live(rows.live)
        found += check_current_leaves(connection)
        if rows.header is not None:
            found += check_map(rows.map_rows, rows.cells, rows.header, rows.erasures)
            found += check_supply(supply_rows(connection, epoch=rows.header.epoch), rows.header)
        return found

    return audit_db.read(query)
