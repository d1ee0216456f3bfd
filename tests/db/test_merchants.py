"""Merchants (商户): opened with an owner in the books, worked by people, sold at by tills."""

from app.kernel.db import Database
from app.kernel.secrets import Keys
from tests.support.mall import merchant, till


def test_a_till_names_itself_in_what_it_signs(db: Database, keys: Keys) -> None:
    made = till(db, merchant(db, keys))
    headers = made.sign("POST", "/v1/merchant/redemptions", body=b"{}")
    assert f'keyid="{made.till.public}"' in headers["Signature-Input"]
