"""What the registry refuses (登记簿的拒绝)."""

from app.kernel.problems import Refusal


class LotUnknown(Refusal):
    """There is no such lot."""

    code = "lots.unknown"
    status = 404
    title_zh = "没有这个批次池"


class LotOpen(Refusal):
    """A lot of this class is open already; one is verified at a time."""

    code = "lots.open"
    title_zh = "该类减排量已有未结批次池"


class ClassNotPooled(Refusal):
    """This is no grade A class of reductions."""

    code = "lots.class_not_pooled"
    status = 422
    title_zh = "不是可入池的甲级减排量类别"


class TermsUnset(Refusal):
    """Two people have not yet set the share of the buffer and the size of a sample."""

    code = "lots.terms_unset"
    title_zh = "尚未设定缓冲比例与抽样数量"


class LotState(Refusal):
    """The lot is not at the step that this asks for."""

    code = "lots.wrong_step"
    title_zh = "批次池不在该步骤"


class NonceTaken(Refusal):
    """This party has committed to its nonce, or revealed it, already; or it copies the other's."""

    code = "lots.nonce_taken"
    title_zh = "该方随机数已提交"


class NonceLate(Refusal):
    """The time for this is over; a nonce that is missing by now counts as withheld."""

    code = "lots.nonce_late"
    title_zh = "已逾期,缺失的随机数视为扣留"


class NonceEarly(Refusal):
    """The epoch whose block decides is not closed: a nonce is revealed after it."""

    code = "lots.nonce_early"
    title_zh = "决定期次尚未关闭,不可揭示"


class NonceWrong(Refusal):
    """This is not the nonce that was committed to."""

    code = "lots.nonce_wrong"
    status = 422
    title_zh = "随机数与承诺不符"


class BlockNotFinal(Refusal):
    """The block that decides is not final yet; ask again soon."""

    code = "lots.block_not_final"
    title_zh = "决定区块尚未最终确认"


class NobodyRevealed(Refusal):
    """Nobody revealed a nonce: the block alone draws nothing, and the lot can only be thawed."""

    code = "lots.nobody_revealed"
    title_zh = "无人揭示随机数,不能抽样,只能解冻"


class LotGoesOn(Refusal):
    """A nonce was revealed, or may still be: the lot goes on."""

    code = "lots.goes_on"
    title_zh = "已有随机数揭示或尚可揭示,批次池继续"


class FindingUnknown(Refusal):
    """The sample has no row of this number."""

    code = "lots.row_not_sampled"
    status = 404
    title_zh = "样本中没有这一行"


class FindingGiven(Refusal):
    """What was found of this row is recorded already."""

    code = "lots.finding_given"
    title_zh = "该行已有核查结论"


class RecordUnopened(Refusal):
    """A row is confirmed by the provider's record that opens its commitment."""

    code = "lots.record_unopened"
    status = 422
    title_zh = "确认须以可打开证据承诺的原始记录为据"


class FindingsMissing(Refusal):
    """Not every row of the sample has its finding, or the monitoring report is missing."""

    code = "lots.findings_missing"
    title_zh = "尚有样本未出结论或缺少监测报告"


class NotCorrected(Refusal):
    """What was found cannot be corrected, so the lot cannot be confirmed."""

    code = "lots.not_corrected"
    title_zh = "核查发现无法更正,不能确认该批次池"


class BatchUnknown(Refusal):
    """There is no such issue batch, or it has no such unit."""

    code = "registry.batch_unknown"
    status = 404
    title_zh = "没有这个签发批次或单位"


class SerialUnknown(Refusal):
    """This is no serial, or of no units that were issued."""

    code = "registry.serial_unknown"
    status = 404
    title_zh = "序列号无效或未签发"


class RowUnknown(Refusal):
    """There is nothing of this act in this lot, or it is somebody else's."""

    code = "registry.row_unknown"
    status = 404
    title_zh = "该批次池没有此行为,或不属于你"


class RecallUnknown(Refusal):
    """There is no such recall."""

    code = "recalls.unknown"
    status = 404
    title_zh = "没有这项撤回"


class RecallMalformed(Refusal):
    """Name acts or batches, one of the two, and each batch once."""

    code = "recalls.malformed"
    status = 422
    title_zh = "请指定行为或批次之一,每批次只列一次"


class RecallEmpty(Refusal):
    """No unit was issued of such acts."""

    code = "recalls.empty"
    title_zh = "这些行为没有签发单位"


class RecallTooMuch(Refusal):
    """The batch has fewer units that no recall has named yet."""

    code = "recalls.too_much"
    title_zh = "超过该批次尚未撤回的数量"


class RecallChanged(Refusal):
    """Since it was asked for, acts of these days were issued or recalled: ask anew."""

    code = "recalls.changed"
    title_zh = "申请之后,这些日期的行为另有签发或撤回,请重新申请"


class ClosingUnknown(Refusal):
    """That day was not closed."""

    code = "conservation.unknown"
    status = 404
    title_zh = "该日没有守恒结账"


class PeriodTooLong(Refusal):
    """The period is longer than a year, or ends before it begins."""

    code = "registry.period_too_long"
    status = 422
    title_zh = "期间超过一年或起止颠倒"
