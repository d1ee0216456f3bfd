"""Which pictures are kept, and who may see them (商品图片的留存).

Bytes and rows have no common transaction, so both go by one lock of the database: whoever puts a
picture shares it until the row that names it is committed, and the sweep has it alone while it
looks for names in the rows and deletes the others. So nothing is deleted that a row names or is
about to name, wherever either of the two stops; bytes of a deed that failed go with the next sweep.
"""

from itertools import islice
from typing import Annotated, Any, Final

import psycopg
from fastapi import Path, Response
from sqlmodel import Session

from app.kernel.db import Database, driver
from app.mall.images import MEDIA_TYPE
from app.mall.object_store import ObjectStore
from app.mall.offer_errors import ImageUnknown
from app.mall.offer_rules import Offer
from app.mall.offer_schemas import IMAGE_NAME

AT_ONCE: Final = 500
"""Names that are looked at under the lock; whoever sends one waits meanwhile."""
INERT: Final = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
}
"""A picture, whatever a browser takes it for."""

PICTURE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The picture.", "content": {MEDIA_TYPE: {}}}
}
PictureName = Annotated[str, Path(pattern=IMAGE_NAME, examples=["0" * 64], description="图片名称")]

_LOCK: Final = "hashtextextended('offer pictures', 0)"
_SHARE: Final = f"select pg_advisory_xact_lock_shared({_LOCK})"
_HOLD: Final = f"select pg_advisory_lock_shared({_LOCK})"
_ALONE: Final = f"select pg_try_advisory_xact_lock({_LOCK})"
_NAMED: Final = """
select name from unnest(%s::text[]) as n (name)
 where exists (select from offer where images @> array[name])"""


def keep_picture(session: Session, store: ObjectStore, picture: bytes) -> str:
    """Put a picture that a row of this transaction is going to name; gives its name."""
    driver(session).execute(_SHARE)
    return store.put(picture)


def hold_pictures(connection: psycopg.Connection) -> None:
    """Let no picture be swept until a connection ends: for a backup, before its snapshot."""
    connection.execute(_HOLD)


def sweep_pictures(db: Database, store: ObjectStore) -> int:
    """Delete what no offer of any state shows; gives how many files. Resumable.

    What it finds locked it leaves to its next run: nobody waits behind it for a backup.
    """
    names, gone = store.names(), 0
    while chunk := list(islice(names, AT_ONCE)):
        gone += db.transact(_sweep, store, chunk)
    return gone


def preview(store: ObjectStore, offer: Offer, name: str) -> Response:
    """Show a picture of an offer to whoever may see the offer in any state.

    Raises:
        ImageUnknown: The offer does not show it.
    """
    data = store.get(name) if name in offer.content.images else None
    if data is None:
        raise ImageUnknown
    return Response(data, media_type=MEDIA_TYPE, headers=INERT)


def _sweep(session: Session, store: ObjectStore, names: list[str]) -> int:
    connection = driver(session)
    if connection.execute(_ALONE).fetchone() != (True,):
        return 0
    named = {name for (name,) in connection.execute(_NAMED, (names,))}
    unnamed = [name for name in names if name not in named]
    for name in unnamed:
        store.delete(name)
    return len(unnamed)
