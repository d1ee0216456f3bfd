"""Asset classes on disk (资产类别): few thousand rows, appended once and never changed."""

from collections.abc import Iterable

from app.books.places import ASSET_SHIFT, class_of
from app.kernel.db import Connection
from ledger.assets import Asset, Money, Points, Reduction, Unit, asset_key

_FIND = "select key, id from asset where key = any(%s)"
_APPEND = """
insert into asset (id, key, methodology, version, scenario, grade, vintage,
                   programme, expires, fen_per_point, batch, currency)
values (nextval('asset_sequence') << %s | %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (key) do nothing"""


def asset_ids(connection: Connection, assets: Iterable[Asset]) -> dict[Asset, int]:
    """Give the ids of ``assets``, appending the classes that are new.

    Idempotent: two uploads that meet a new class at once agree on its id.
    """
    keys = {asset_key(asset): asset for asset in assets}
    found = _find(connection, keys)
    if missing := keys.keys() - found.keys():
        with connection.cursor() as cursor:
            cursor.executemany(_APPEND, [_row(keys[key]) for key in sorted(missing)])
        found |= _find(connection, keys)
    return {asset: found[key] for key, asset in keys.items()}


def _find(connection: Connection, keys: Iterable[bytes]) -> dict[bytes, int]:
    return dict(connection.execute(_FIND, (list(keys),)).fetchall())


def _row(asset: Asset) -> tuple[object, ...]:
    reduction: tuple[object, ...] = (None,) * 5
    points: tuple[object, ...] = (None,) * 3
    batch = currency = None
    match asset:
        case Reduction():
            reduction = (
                asset.methodology,
                asset.version,
                asset.scenario,
                asset.grade,
                asset.vintage,
            )
        case Points():
            points = (asset.programme, asset.expires, asset.fen_per_point)
        case Unit():
            batch = asset.batch
        case Money():
            currency = asset.currency
    return (
        ASSET_SHIFT,
        class_of(asset),
        asset_key(asset),
        *reduction,
        *points,
        batch,
        currency,
    )
