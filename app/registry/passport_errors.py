"""What the purpose passport refuses (用途护照的拒绝)."""

from app.kernel.problems import Refusal


class PurposeRefused(Refusal):
    """Units of this sort may not serve this purpose this year."""

    code = "passport.purpose_refused"
    title_zh = "此类减排量本年度不得用于该用途"


class PurposeReserved(Refusal):
    """Nobody retires for this purpose by asking; the registry itself does."""

    code = "passport.purpose_reserved"
    title_zh = "该用途仅供登记系统使用"


class ComplianceYearMissing(Refusal):
    """For surrender, name the compliance year as the period: four digits."""

    code = "passport.compliance_year_missing"
    status = 422
    title_zh = "用于清缴抵销须注明四位数的履约年度"


class SurrenderRatioUnset(Refusal):
    """Nobody has entered yet how much of this compliance year's obligation units may meet."""

    code = "passport.surrender_ratio_unset"
    title_zh = "该履约年度的抵销比例尚未设定"


class SurrenderObligationUnset(Refusal):
    """Nobody has entered yet what this organisation has to surrender for this compliance year."""

    code = "passport.surrender_obligation_unset"
    title_zh = "该机构本履约年度的清缴义务尚未录入"


class SurrenderRatioExceeded(Refusal):
    """This would be more of the obligation than units may meet in this compliance year."""

    code = "passport.surrender_ratio_exceeded"
    title_zh = "超过该履约年度可用于抵销的比例"
