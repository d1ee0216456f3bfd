"""A certificate as page and print (证书版式): what was lost comes first, and nothing is markup."""

from datetime import UTC, datetime

import pytest

from app.certificates.page import STYLE, page_of
from app.certificates.pdf_file import pdf_of
from app.certificates.reading import Shown
from app.certificates.telling import ToldCertificate, told
from ledger.certificate import TEXTS, Certificate
from tests.vectors.certificates import (
    CLASSES,
    NAMELESS,
    ORIGIN,
    RETIREMENT,
    Given,
    certificate,
    certified_city,
)

CITY = certified_city()
LINK = "https://carbon.example.cn/v1/public/certificates/cert_01k0000000000000000000000a"


def said(claimed: Given, remaining: int, *names: str) -> ToldCertificate:
    header, document = CITY.headers[-1], certificate(CITY, claimed)
    made = Certificate(
        origin=ORIGIN,
        header=header,
        anchoring=CITY.anchoring(header.epoch),
        claim=document["claim"],
        parts=document["parts"],
        openings=claimed.opened(*names),
    )
    amount = sum(part.amount for part in claimed.parts)
    name, at = f"cert_{claimed.claim['subject'][4:]}", datetime(2026, 11, 22, 19, tzinfo=UTC)
    return told(Shown(made, name, at, amount, remaining, []), "2026-11-22 19:00 UTC")


@pytest.mark.parametrize(
    ("remaining", "word"), [(950_000, "有效 Valid"), (1, "已核减 REDUCED"), (0, "已失效 REVOKED")]
)
def test_what_was_lost_is_read_first(remaining: int, word: str) -> None:
    found = said(CLASSES, remaining, "beneficiary")
    page = page_of(found, LINK)
    shown = page.partition("</style>")[2]
    assert shown.index(word) < shown.index("<h1>") < shown.index(found.amount, shown.index("<h1>"))
    assert ('class="lost"' in page) is (remaining != 950_000)
    assert found.is_whole is (remaining == 950_000)
    assert pdf_of(found, LINK) != pdf_of(said(CLASSES, 2, "beneficiary"), LINK)


def test_words_of_others_are_never_markup() -> None:
    page = page_of(said(CLASSES, 950_000, *TEXTS), LINK)
    assert "南山小学 &#34;二班&#34;" in page
    assert CLASSES.texts["holder"] not in page
    assert f"<style>{STYLE}</style>" in page
    assert page.count("<script") == 1


def test_without_a_name_it_is_a_pseudonym_and_has_no_message() -> None:
    found = said(CLASSES, 950_000)
    assert found.beneficiary == f"化名 Pseudonym {CLASSES.claim['beneficiary_commit'][:8]}"
    assert "<blockquote>" not in page_of(found, LINK)


def test_it_says_units_by_their_serials_and_grams_by_their_class() -> None:
    (units,) = said(RETIREMENT, 30, "beneficiary").classes
    assert (units.name, units.words) == (RETIREMENT.parts[0].serials, "30 kg CO2e")
    first, second = said(CLASSES, 950_000).classes
    assert first.name == "SZ-METRO v1 · metro · A · 2026-01"
    assert (second.name, second.words) == ("SZ-BUS v2 · 公交 · A · 2026-01", "0.250000 kg CO2e")
    assert "1099511.627776 kg CO2e" in said(NAMELESS, 2**40).amount


def test_the_same_certificate_is_printed_the_same() -> None:
    found = said(CLASSES, 250_000, "beneficiary", "message")
    assert pdf_of(found, LINK) == pdf_of(found, LINK)
