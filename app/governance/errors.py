"""What the governance of methodologies refuses (方法学治理的拒绝)."""

from app.kernel.problems import Refusal


class ProposalUnknown(Refusal):
    """There is no such proposal."""

    code = "governance.proposal_unknown"
    status = 404
    title_zh = "没有这个方法学提案"


class ProposalOwn(Refusal):
    """Nobody judges a document that they proposed themselves."""

    code = "governance.proposal_own"
    status = 403
    title_zh = "不能评审自己提出的方法学"


class ProposalNotOwn(Refusal):
    """Only the proposer revises a proposal."""

    code = "governance.proposal_not_own"
    status = 403
    title_zh = "只有提案人可以修订提案"


class ProposalPublished(Refusal):
    """The proposal is published; another version needs another proposal."""

    code = "governance.proposal_published"
    title_zh = "提案已发布，修改须另提新版本"


class RevisionStale(Refusal):
    """The proposal has a newer revision than the one that this speaks of."""

    code = "governance.revision_stale"
    title_zh = "提案已有更新的修订稿"


class ReviewRepeated(Refusal):
    """One expert reviews one revision once."""

    code = "governance.review_repeated"
    title_zh = "该修订稿已由你评审"


class NotPublishable(Refusal):
    """The proposal cannot be published as it stands; the detail says what is lacking."""

    code = "governance.not_publishable"
    title_zh = "提案尚不具备发布条件"


class VersionWithdrawn(Refusal):
    """This version was withdrawn before."""

    code = "governance.version_withdrawn"
    title_zh = "该方法学版本已撤回"


class DatePassed(Refusal):
    """The day is over: what was recorded on it stays as it is."""

    code = "governance.date_passed"
    status = 422
    title_zh = "日期已过，已记账的不再改变"


class DatesReversed(Refusal):
    """The last day is before the first."""

    code = "governance.dates_reversed"
    status = 422
    title_zh = "截止日期早于起始日期"


class ApprovalRecorded(Refusal):
    """An approval of this scenario that begins on this day is recorded already."""

    code = "governance.approval_recorded"
    title_zh = "该场景在此起始日已有批准"


class SignatureGiven(Refusal):
    """Your signature under this version holds already."""

    code = "governance.signature_given"
    title_zh = "你已为该版本签字"


class SettlesOtherwise(Refusal):
    """One version settles acts and the other months, so they do not compare."""

    code = "governance.settles_otherwise"
    title_zh = "两个版本一为逐次结算、一为按月结算,无从比较"


class CandidateFaulty(Refusal):
    """The candidate does not load, lacks a parameter, or is of another code."""

    code = "governance.candidate_faulty"
    title_zh = "候选文件有误、缺参数或代码不同"


class RunsTooMany(Refusal):
    """As many shadow runs as may wait are waiting; ask again when one is done."""

    code = "governance.runs_too_many"
    title_zh = "等待中的影子运行已达上限"


class RunUnknown(Refusal):
    """There is no such shadow run."""

    code = "governance.run_unknown"
    status = 404
    title_zh = "没有这次影子运行"


class NotAFactor(Refusal):
    """The two versions differ in more than the numbers of their formula."""

    code = "governance.not_a_factor"
    title_zh = "两个版本的差异不止于系数"


class CorrectionOpen(Refusal):
    """A correction of this version's factors is being carried out."""

    code = "governance.correction_open"
    title_zh = "该版本的系数更正正在执行"


class CorrectionUnknown(Refusal):
    """There is no such correction."""

    code = "governance.correction_unknown"
    status = 404
    title_zh = "没有这次系数更正"
