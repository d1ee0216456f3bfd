"""Headers, audited (期头审计): against one another, their own columns, and the chain (R26)."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from app.audit.chain import Anchors
from app.audit.report import Sheet
from app.kernel.db import Connection
from ledger.audit import check_headers
from ledger.extras import aux_root, methodology_root
from ledger.findings import FindingKind, HeaderRow
from ledger.header import Header, origin_tag
from ledger.log import Edge

_EPOCHS: Final = """
select e.epoch, e.header, e.hash, e.log_size, e.bits, floor(extract(epoch from e.closed_at))::int8,
       e.extras, g.size, g.rows
  from epoch e left join log_edge g on g.epoch = e.epoch order by e.epoch"""


class Epoch(NamedTuple):
    """One epoch as the database has it, its header beside what was made from it."""

    number: int
    data: bytes
    hash: bytes
    log_size: int
    bits: int
    closed_at: int
    extras: dict[str, Any]
    edge_size: int | None
    edge_rows: Sequence[bytes] | None

    @property
    def where(self) -> str:
        """The place that a finding names."""
        return f"epoch {self.number}"

    def digest(self, name: str) -> str | None:
        """The digest that it says under a name of ``aux``; nothing if in no way of ours."""
        try:
            told = self.extras["aux"][name]
        except (LookupError, TypeError):
            return None
        return told if isinstance(told, str) else None


def epochs(connection: Connection) -> list[Epoch]:
    """Read all epochs: a few hundred a year, a kilobyte each."""
    return [Epoch(*row) for row in connection.execute(_EPOCHS).fetchall()]


def headers_of(rows: Sequence[Epoch]) -> list[Header]:
    """Give the headers that can be read; the others are findings of `check_the_headers`."""
    made: list[Header] = []
    for row in rows:
        try:
            made.append(Header.of(row.data))
        except ValueError:
            continue
    return made


def check_the_headers(
    rows: Sequence[Epoch], anchors: Anchors | None, origin: str, sheet: Sheet
) -> None:
    """Hold headers to one another and to the chain, and their columns to the headers."""
    told = {row.number: row.hash for row in rows}

    def on_chain(epoch: int) -> bytes:
        assert anchors is not None
        if epoch < anchors.first:  # on an earlier chain: held by the link of the first one here
            return told[epoch]
        return anchors.hashes[epoch]

    listed = (HeaderRow(row.number, row.data, row.hash) for row in rows)
    anchored = 0 if anchors is None else anchors.tip
    sheet.add(check_headers(sheet.counted("headers", listed), on_chain, anchored))
    known = 0 if anchors is None else sum(anchors.first <= row.number <= anchored for row in rows)
    sheet.checked["headers_on_chain"] = known
    for row in rows:
        for detail in _wrong_columns(row, origin):
            sheet.find(FindingKind.HEADER, row.where, detail)


def _wrong_columns(row: Epoch, origin: str) -> Iterator[str]:
    try:
        header = Header.of(row.data)
    except ValueError:
        return  # said already
    if header.origin_tag != origin_tag(origin):
        yield f"of another origin than {origin}"
    if (row.log_size, row.bits, row.closed_at) != (header.log_size, header.bits, header.closed_at):
        yield "its columns say otherwise"
    if row.edge_size is None or row.edge_rows is None:
        yield "the edge of its log is gone"
    elif (row.edge_size, Edge(row.edge_size, tuple(row.edge_rows)).root()) != (
        header.log_size,
        header.log_root,
    ):
        yield "the edge of its log has another root"
    try:
        digests = {name: bytes.fromhex(value) for name, value in row.extras["aux"].items()}
        pairs = [(bytes.fromhex(k), bytes.fromhex(v)) for k, v in row.extras["methodologies"]]
        roots = (methodology_root(pairs), aux_root(digests))
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError):
        yield "what it was made of cannot be read"
        return
    if roots != (header.methodology_root, header.aux):
        yield "what it was made of gives other roots"
