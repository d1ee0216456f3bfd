"""The whole audit, put together (总审计): what the chain says first, then one snapshot."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final, NamedTuple

from psycopg import DataError, NotSupportedError
from sqlmodel import Session

from app.anchoring import RegisterTotals
from app.anchoring.errors import ChainUnavailable, ContractMissing
from app.audit.accounts import check_owners, check_the_living, check_the_map
from app.audit.acts import check_acts
from app.audit.books import check_assets, check_the_books
from app.audit.cancellations import check_cancellations
from app.audit.chain import Anchors, Headers, read_anchors
from app.audit.delays import note_delays
from app.audit.desk import check_the_desk
from app.audit.headers import Epoch, check_the_headers, epochs, headers_of
from app.audit.holds import check_holds
from app.audit.log import check_queue, log_rows
from app.audit.market import check_market
from app.audit.neutrality import check_neutrality
from app.audit.openings import Openings
from app.audit.orders import check_orders
from app.audit.points import check_points, check_the_debts
from app.audit.projects import check_projects
from app.audit.registrations import Replay, Sums, check_registrations, check_sums
from app.audit.registry import check_registry
from app.audit.report import Kind, Report, Sheet
from app.audit.schema import check_the_schema
from app.audit.settlements import check_settlements
from app.audit.streams import prepare
from app.audit.supply import check_the_clearing, check_the_supply
from app.audit.units import check_units
from app.audit.vouchers import check_vouchers
from app.audit.workings import check_workings
from app.kernel.db import Connection, Database, driver
from app.kernel.secrets import Keys
from app.settlements import is_signed
from ledger.audit import check_log
from ledger.encoding import ZERO_HASH
from ledger.findings import FindingKind, LogRow

ATTEMPTS_MAX: Final = 3
NOTHING: Final = RegisterTotals(0, 0, 0, 0, 0)

_SEEN: Final = """
select (select coalesce(max(epoch), 0) from anchored where final_at is not null),
       (select min(c.epoch) from epoch_cut c
         where not exists (select from epoch e where e.epoch = c.epoch))"""


class Seen(NamedTuple):
    """What the snapshot showed of work that goes on."""

    final: int
    """The last epoch that was seen final on the chain."""
    closing: int | None
    """The epoch that was half closed. Its sealing empties the staging area at once, for older
    snapshots as well, since PostgreSQL's TRUNCATE is not versioned: then the audit begins again."""


def audit(
    db: Database,
    keys: Keys,
    origin: str,
    chain: Headers | None = None,
    registry: Sums | None = None,
) -> Report:
    """Replay everything, and hold it to the chain.

    Args:
        db: Connected as ``tanpu_audit``, which may read and nothing else.
        keys: Opens the owners' secrets, from which salts are derived again.
        origin: Name of this ledger.
        chain: Where headers were anchored. Without it a notice says that nothing outside the
            database was asked; a chain that does not answer is a finding.
        registry: Where units were told; its sums are held to the messages.
    """
    sheet = Sheet()
    for _ in range(ATTEMPTS_MAX):
        sheet = Sheet()
        anchors, lacking = _anchors(chain)
        before, registrations = _sums(registry), Replay()
        seen = db.read(_replay, keys, origin, anchors, registrations, sheet)
        if registry is not None and registrations.all != NOTHING:
            _hold_sums(before, _sums(registry), registrations, sheet)
        if lacking:
            # Where no epoch was ever closed there is nothing to hold against a chain.
            say = sheet.note if chain is None or not sheet.checked["headers"] else sheet.find
            say(FindingKind.CHAIN, "headers", lacking)
        if anchors is not None and chain is not None and seen.final > anchors.tip:
            _hold_final(chain, seen.final, sheet)
        if seen.closing is None or not db.read(_is_sealed, seen.closing):
            return sheet.report()
    sheet.note(Kind.QUEUE, "epoch_staging", "an epoch was sealed during every attempt")
    return sheet.report()


def _anchors(chain: Headers | None) -> tuple[Anchors | None, str]:
    """Read the chain; give what it said, or why it said nothing."""
    if chain is None:
        return None, "no chain was asked: only the database's own word"
    try:
        return read_anchors(chain), ""
    except ChainUnavailable as error:
        return None, f"the chain does not answer: {error}"
    except ContractMissing as missing:
        return None, f"no CarbonAnchor there: {missing.facts}"


def _sums(registry: Sums | None) -> RegisterTotals | None:
    """Read the registry's sums; none if it does not answer, or is not there."""
    try:
        return None if registry is None else registry.totals()
    except (ChainUnavailable, ContractMissing):
        return None


def _hold_sums(
    before: RegisterTotals | None, after: RegisterTotals | None, told: Replay, sheet: Sheet
) -> None:
    if before is None or after is None:
        sheet.find(FindingKind.CHAIN, "registry", "it does not answer, and was told of units")
    else:
        check_sums(before, after, told, sheet)


def _hold_final(chain: Headers, final: int, sheet: Sheet) -> None:
    """Ask once more for an epoch that became final after the chain was read."""
    try:
        known = chain.hash_of(final) != ZERO_HASH
    except ChainUnavailable:
        known = False
    if not known:
        told = "was final, and the chain does not have it now"
        sheet.find(FindingKind.CHAIN, f"epoch {final}", told)


def _replay(
    session: Session,
    keys: Keys,
    origin: str,
    anchors: Anchors | None,
    registrations: Replay,
    sheet: Sheet,
) -> Seen:
    connection = driver(session)
    prepare(connection)
    openings, verify = Openings(keys), partial(is_signed, keys.receipt.public_key())
    rows: list[Epoch] = []
    with _readable(connection, "epochs", sheet):
        rows = epochs(connection)
    headers = headers_of(rows)
    checks: tuple[tuple[str, Callable[[], None]], ...] = (
        ("books", lambda: check_the_books(connection, sheet)),
        ("assets", lambda: check_assets(connection, sheet)),
        ("clearing", lambda: check_the_clearing(connection, sheet)),
        ("log", lambda: sheet.add(check_log(_entries(connection, openings, sheet), headers))),
        ("queue", lambda: check_queue(connection, sheet)),
        ("accounts", lambda: _check_accounts(connection, openings, rows, sheet)),
        ("living", lambda: check_the_living(connection, sheet)),
        ("headers", lambda: check_the_headers(rows, anchors, origin, sheet)),
        ("supply", lambda: check_the_supply(connection, rows, sheet)),
        ("acts", lambda: check_acts(connection, sheet)),
        ("workings", lambda: check_workings(connection, sheet)),
        ("projects", lambda: check_projects(connection, sheet)),
        ("points", lambda: check_points(connection, sheet)),
        ("orders", lambda: check_orders(connection, sheet)),
        ("vouchers", lambda: check_vouchers(connection, keys, sheet)),
        ("settlements", lambda: check_settlements(connection, sheet, verify)),
        ("market", lambda: check_market(connection, sheet)),
        ("registry", lambda: check_registry(connection, openings, sheet)),
        ("units", lambda: check_units(connection, sheet)),
        ("holds", lambda: check_holds(connection, sheet)),
        ("cancellations", lambda: check_cancellations(connection, sheet)),
        ("neutrality", lambda: check_neutrality(connection, sheet)),
        ("registrations", lambda: check_registrations(connection, rows, registrations, sheet)),
        ("debts", lambda: check_the_debts(connection, rows, sheet)),
        ("desk", lambda: check_the_desk(connection, rows, sheet)),
        ("schema", lambda: check_the_schema(connection, sheet)),
        ("delays", lambda: note_delays(connection, sheet)),
    )
    for name, check in checks:
        with _readable(connection, name, sheet):
            check()
    if anchors is not None and len(rows) > anchors.tip:
        told = f"{len(rows) - anchors.tip} epochs wait to be anchored"
        sheet.note(FindingKind.CHAIN, f"epoch {len(rows)}", told)
    return Seen(*connection.execute(_SEEN).fetchall()[0])


@contextmanager
def _readable(connection: Connection, name: str, sheet: Sheet) -> Generator[None]:
    """Let one poisoned value (a date without end, a sum past all bounds) blind one check only."""
    try:
        with connection.transaction():
            yield
    except (DataError, NotSupportedError) as error:
        told = f"a value is beyond what any row of ours holds: {error.sqlstate or error}"
        sheet.find(Kind.UNREADABLE, name, told)


def _entries(connection: Connection, openings: Openings, sheet: Sheet) -> Iterator[LogRow]:
    return sheet.counted("entries", log_rows(connection, openings, sheet))


def _is_sealed(session: Session, epoch: int) -> bool:
    found = driver(session).execute("select from epoch where epoch = %s", (epoch,))
    return found.fetchone() is not None


def _check_accounts(
    connection: Connection, openings: Openings, rows: Sequence[Epoch], sheet: Sheet
) -> None:
    headers = headers_of(rows[-1:])
    if headers:
        check_the_map(connection, openings, headers[0], sheet)
    elif (connection.execute("select count(*) from account_anchor").fetchone() or (0,))[0]:
        sheet.find(FindingKind.ACCOUNT, "account_anchor", "accounts of no epoch")
    check_owners(connection, openings, headers[0].bits if headers else 0, sheet)
