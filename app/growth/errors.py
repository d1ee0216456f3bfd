"""What is refused of growth, boards, teams, challenges and statements (成长与声明的拒绝)."""

from app.kernel.problems import Refusal


class DocumentUnknown(Refusal):
    """There is no published version of these rules with this number."""

    code = "growth.document_unknown"
    status = 404
    title_zh = "没有这个版本的规则"


class DayOutOfRange(Refusal):
    """That day is in the future, or longer ago than this answers for."""

    code = "growth.day_out_of_range"
    status = 422
    title_zh = "日期在未来，或早于可查询的范围"


class PseudonymRefused(Refusal):
    """A name on a board has 2 to 20 printable characters and is no phone number."""

    code = "leaderboards.pseudonym_refused"
    status = 422
    title_zh = "榜单名号须为 2 至 20 个可见字符，且不能像手机号"


class LeaderboardUnknown(Refusal):
    """There is no such leaderboard."""

    code = "leaderboards.unknown"
    status = 404
    title_zh = "没有这个榜单"


class TeamUnknown(Refusal):
    """There is no team with this code, or you are in none."""

    code = "teams.unknown"
    status = 404
    title_zh = "没有这个小队，或您尚未加入小队"


class TeamTaken(Refusal):
    """You are in a team already; leave it first."""

    code = "teams.already_in_one"
    title_zh = "您已在一个小队中，请先退出"


class TeamFull(Refusal):
    """This team has as many members as a team may have."""

    code = "teams.full"
    title_zh = "小队人数已满"


class TeamNameRefused(Refusal):
    """A team's name has 2 to 40 printable characters."""

    code = "teams.name_refused"
    status = 422
    title_zh = "小队名须为 2 至 40 个可见字符"


class ChallengeUnknown(Refusal):
    """There is no such challenge."""

    code = "challenges.unknown"
    status = 404
    title_zh = "没有这个挑战"


class ChallengeOver(Refusal):
    """This challenge is over."""

    code = "challenges.over"
    title_zh = "该挑战已结束"


class ChallengeMalformed(Refusal):
    """A challenge lasts at most a year, is not over yet, and has one goal: days or a mass."""

    code = "challenges.malformed"
    status = 422
    title_zh = "挑战须不超过一年、尚未结束，且只设一个目标：天数或减排量"


class StatementUnknown(Refusal):
    """You have no such statement."""

    code = "statements.unknown"
    status = 404
    title_zh = "没有这份声明"


class StatementNotHeld(Refusal):
    """Your rows do not show as much as the statement would say."""

    code = "statements.not_held"
    title_zh = "您的记录达不到要声明的数额"


class StatementRange(Refusal):
    """A statement names one of the published numbers, and lasts a year at most."""

    code = "statements.range"
    status = 422
    title_zh = "声明只能使用公布的档次，且有效期不超过一年"


class StatementMany(Refusal):
    """You hold as many valid statements as a person may hold; revoke one first."""

    code = "statements.too_many"
    title_zh = "有效声明已达上限，请先撤销一份"


class StatementInvalid(Refusal):
    """This is no statement of ours, or not as it was issued."""

    code = "statements.invalid"
    status = 422
    title_zh = "这不是本平台签发的声明，或已被改动"


class StatusListUnknown(Refusal):
    """There is no such status list yet."""

    code = "statements.status_list_unknown"
    status = 404
    title_zh = "没有这份状态清单"


class StatementEmpty(Refusal):
    """A statement says something of the reduction or of the score."""

    code = "statements.empty"
    status = 422
    title_zh = "声明须涉及减排量或信用分"
