"""What citizens are told, in both languages (措辞): a kind and its facts become words."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple


class NoticeKind(StrEnum):
    """What there is to be told."""

    POINTS_EXPIRING = "points.expiring"
    ORDER_EXPIRING = "order.expiring"
    ORDER_EXPIRED = "order.expired"
    ORDER_REVERSED = "order.reversed"
    CANCELLATION_FINAL = "cancellation.final"
    CANCELLATION_REVERTED = "cancellation.reverted"
    CERTIFICATE_REDACTED = "certificate.redacted"
    UNITS_RECALLED = "units.recalled"


class Words(NamedTuple):
    """A notice as people read it."""

    title_zh: str
    title_en: str
    text_zh: str
    text_en: str


_WORDS: Final[Mapping[NoticeKind, Words]] = MappingProxyType(
    {
        NoticeKind.POINTS_EXPIRING: Words(
            "积分即将过期",
            "Points are about to expire",
            "您有 {points} 积分将于 {expires} 之后过期，请及时使用。",
            "{points} of your points can be used until {expires}, and not after it.",
        ),
        NoticeKind.ORDER_EXPIRING: Words(
            "券即将到期",
            "A voucher is about to end",
            "您用 {points} 积分兑换的券即将到期；到期未核销，积分将退回。",
            "The voucher that you ordered for {points} points ends soon; if it is not used, the"
            " points come back.",
        ),
        NoticeKind.ORDER_EXPIRED: Words(
            "券已到期，积分已退回",
            "A voucher has ended; its points are back",
            "券到期未核销，{points} 积分已退回原有效期。",
            "The voucher was not used in its time; {points} points are back, with the dates that"
            " they had.",
        ),
        NoticeKind.ORDER_REVERSED: Words(
            "核销已冲正，积分已退回",
            "A redemption was reversed; its points are back",
            "商户冲正了您的券，{points} 积分已退回原有效期。",
            "The merchant reversed your voucher; {points} points are back, with the dates that they"
            " had.",
        ),
        NoticeKind.CANCELLATION_FINAL: Words(
            "注销证书已出具",
            "The certificate of a cancellation is issued",
            "您注销的 {co2e} CO2e 已上链终局，证书可供任何人查验。",
            "Your cancellation of {co2e} CO2e is final on the chain; anybody can check its"
            " certificate.",
        ),
        NoticeKind.CANCELLATION_REVERTED: Words(
            "注销未执行",
            "A cancellation was not carried out",
            "您申请注销的 {co2e} CO2e 已另作他用或被更正，本次注销未执行。",
            "What your cancellation of {co2e} CO2e would take had gone elsewhere; nothing was"
            " cancelled.",
        ),
        NoticeKind.CERTIFICATE_REDACTED: Words(
            "证书上的文字已被下架",
            "Words on a certificate were taken down",
            "平台已永久下架您证书 {certificate} 上的文字，原因见证书页；证书的数量与效力不变。",
            "We have taken down words on your certificate {certificate} for ever; it says why. What"
            " it proves stays as it is.",
        ),
        NoticeKind.UNITS_RECALLED: Words(
            "您的减排所在批次有单位被撤回",
            "Units of a batch with your reductions were recalled",
            "监管方撤回了由您参与的减排签发的部分单位（{recall}），理由公开可查；您的积分不受影响。",
            "Regulators recalled units of a batch that your reductions are in ({recall}); the"
            " reason is public, and your points stay.",
        ),
    }
)


def words_of(kind: NoticeKind, facts: Mapping[str, str | int]) -> Words:
    """Say it.

    >>> words_of(NoticeKind.ORDER_EXPIRED, {"points": 120}).text_en
    'The voucher was not used in its time; 120 points are back, with the dates that they had.'
    """
    title_zh, title_en, text_zh, text_en = _WORDS[kind]
    return Words(title_zh, title_en, text_zh.format(**facts), text_en.format(**facts))
