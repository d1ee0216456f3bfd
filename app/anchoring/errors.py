"""What anchoring refuses (存证的拒绝): each means that somebody must look before work goes on."""

from app.kernel.problems import Refusal


class PendingIncomplete(Refusal):
    """A pending entry has lost the row that it was made from."""

    code = "anchoring.pending_incomplete"
    title_zh = "待入日志的条目缺少原始记录"


class DatabaseRolledBack(Refusal):
    """The chain or the signer guard knows epochs that the database has lost."""

    code = "anchoring.database_rolled_back"
    title_zh = "数据库被回退:链上或签名守卫已有更新的期"


class Equivocation(Refusal):
    """Two different headers exist for one epoch."""

    code = "anchoring.equivocation"
    title_zh = "同一期出现两个不同的期头"


class GuardMissing(Refusal):
    """Headers were signed before, and the signer guard's file is gone."""

    code = "anchoring.guard_missing"
    title_zh = "签名守卫文件丢失"


class ContractMissing(Refusal):
    """No CarbonAnchor of this ledger is at the configured address."""

    code = "anchoring.contract_missing"
    title_zh = "配置的地址上没有本账本的存证合约"


class WrongChain(Refusal):
    """The node answers for another chain than the one anchored on before."""

    code = "anchoring.wrong_chain"
    title_zh = "链标识与此前存证的链不一致"


class AnchorRefused(Refusal):
    """The contract says no to what it was told next."""

    code = "anchoring.refused_by_contract"
    title_zh = "合约拒绝提交的内容"


class MethodologyConflict(Refusal):
    """The registry on the chain has another digest for a published methodology version."""

    code = "anchoring.methodology_conflict"
    title_zh = "链上方法学摘要与本地不一致"


class RegistrationConflict(Refusal):
    """The registry on the chain has other words for something that it was told."""

    code = "anchoring.registration_conflict"
    title_zh = "链上登记内容与本地不一致"


class NotAnchored(Refusal):
    """The owner has no entry in any closed epoch yet."""

    code = "anchoring.not_in_map"
    status = 404
    title_zh = "该账户尚未进入任何已关闭的期"


class ChainUnavailable(Exception):  # noqa: N818 -- a state of the world
    """The chain does not answer, or not in time; the next tick tries again."""
