"""A certificate in words (证书文字): for page and print, in both languages, what was lost first."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from app.certificates.reading import Shown
from app.certificates.takedowns import NAMES, REASONS
from ledger.assets import MG_PER_KG
from ledger.certificate import Purpose
from ledger.receipt import Json

PURPOSES: Final = {
    Purpose.PUBLIC_BENEFIT: "公益注销 Public benefit",
    Purpose.GATHERING: "大型活动碳中和 Carbon neutrality of an event",
    Purpose.VOLUNTARY_OFFSET: "自愿抵销 Voluntary offset",
    Purpose.ETS_SURRENDER: "配额清缴抵销 Surrender under an emissions trading system",
    Purpose.ECOLOGICAL_DAMAGE: "生态环境损害赔偿 Compensation of ecological damage",
    Purpose.REPLACEMENT: "失效替换 Replacement of void units",
}
STATES: Final = {
    "valid": "有效 Valid",
    "reduced": "已核减 REDUCED",
    "revoked": "已失效 REVOKED",
}
_EPOCH: Final = date(1970, 1, 1)


class Told(NamedTuple):
    """One line of a certificate: what of, and what."""

    name: str
    words: str


class ToldCertificate(NamedTuple):
    """A certificate, ready to be set."""

    public: str
    state: str
    is_whole: bool
    status: str
    """The first thing that is read."""
    amount: str
    beneficiary: str
    message: str
    facts: Sequence[Told]
    classes: Sequence[Told]
    proof: Sequence[Told]


def told(found: Shown, as_of: str) -> ToldCertificate:
    """Put a certificate into words."""
    claim, unit = found.certificate.claim, found.certificate.claim["unit"]
    return ToldCertificate(
        public=found.public,
        state=found.state,
        is_whole=found.remaining == found.amount,
        status=_status(found, as_of),
        amount=mass_of(found.amount, unit),
        beneficiary=_beneficiary(found),
        message=_opened(found, "message"),
        facts=[*_facts(found)],
        classes=[
            Told(
                _class(part["asset"], said["serials"]), mass_of(int(said["amount"]), claim["unit"])
            )
            for part, said in zip(found.certificate.parts, claim["parts"], strict=True)
        ],
        proof=[*_proof(found)],
    )


def mass_of(amount: int, unit: str) -> str:
    """Write an amount of a claim for people.

    >>> mass_of(1_200_000, "mg"), mass_of(30, "kg")
    ('1.200000 kg CO2e', '30 kg CO2e')
    """
    if unit == "kg":
        return f"{amount} kg CO2e"
    return f"{amount // MG_PER_KG}.{amount % MG_PER_KG:06d} kg CO2e"


def _status(found: Shown, as_of: str) -> str:
    said, unit = STATES[found.state], found.certificate.claim["unit"]
    if found.remaining == found.amount:
        return f"{said} · {as_of}"
    left, total = mass_of(found.remaining, unit), mass_of(found.amount, unit)
    return f"{said} · 余 {left}，原 {total} · {left} of {total} left · {as_of}"


def _opened(found: Shown, name: str) -> str:
    opened = found.certificate.openings.get(name)
    return "" if opened is None else opened.text


def _beneficiary(found: Shown) -> str:
    pseudonym = found.certificate.claim["beneficiary_commit"][:8]
    return _opened(found, "beneficiary") or f"化名 Pseudonym {pseudonym}"


def _facts(found: Shown) -> Iterator[Told]:
    claim = found.certificate.claim
    yield Told("证书编号 Certificate", found.public)
    yield Told("注销编号 Cancellation", claim["subject"])
    yield Told("用途 Purpose", PURPOSES[Purpose(claim["purpose"])])
    if claim["period"] is not None:
        yield Told("对应期间 Period", claim["period"])
    yield Told("注销日期 Cancelled on", f"{_EPOCH + timedelta(days=claim['day'])}")
    yield Told("出具时间 Issued", f"{found.issued_at:%Y-%m-%d %H:%M UTC}")
    for each in found.taken_down:
        (text_zh, text_en), (why_zh, why_en) = NAMES[each.name], REASONS[each.reason]
        words = f"{text_zh} {text_en} · {each.on} · {why_zh} {why_en}"
        yield Told("平台下架 Taken down", words)


def _class(asset: Json, serials: str | None) -> str:
    if serials is not None:
        return serials
    month = f"{asset['vintage'][:4]}-{asset['vintage'][4:]}"
    text = f"{asset['methodology']} v{asset['version']} · {asset['scenario']}"
    return f"{text} · {asset['grade']} · {month}"


def _proof(found: Shown) -> Iterator[Told]:
    certificate = found.certificate
    yield Told("账本 Ledger", certificate.origin)
    yield Told("期 Epoch", f"{certificate.header.epoch}")
    yield Told("期头哈希 Header hash", certificate.header.hash().hex())
    place = certificate.anchoring
    if place is not None:
        yield Told("合约 Contract", f"{place.contract} (chain {place.chain_id})")
        yield Told("上链交易 Chain transaction", f"{place.tx} (block {place.block})")
    yield Told("受益人承诺 Beneficiary commitment", certificate.claim["beneficiary_commit"])
