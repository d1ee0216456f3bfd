"""What is refused of citizens, their consents and their links (市民、授权与绑定的拒绝)."""

from app.kernel.problems import Refusal


class EnrolmentRefused(Refusal):
    """An import opens no accounts in production: people join and consent by themselves."""

    code = "citizens.enrolment_refused"
    status = 403
    title_zh = "生产环境不能由导入代为开户和授权"


class CitizenUnknown(Refusal):
    """There is no such citizen."""

    code = "citizens.unknown"
    status = 404
    title_zh = "没有这位市民"


class InstrumentTaken(Refusal):
    """The card, meter or account number belongs to another citizen at that time."""

    code = "citizens.instrument_taken"
    title_zh = "该卡号、表号或户号在此期间已绑定他人"


class IntervalTaken(Refusal):
    """A consent for this provider and scene begins at that very instant already."""

    code = "citizens.interval_taken"
    title_zh = "该时刻已有同一授权"
