"""What is refused of backups (备份与恢复的拒绝)."""

from app.kernel.problems import Refusal


class BackupThere(Refusal):
    """There is a backup in this folder already; name another one."""

    code = "backup.already_there"
    title_zh = "该目录已有备份，请另选目录"


class BackupMalformed(Refusal):
    """This is no backup of ours, or a file of it was changed."""

    code = "backup.malformed"
    status = 422
    title_zh = "备份不完整或已被改动"


class TargetNotEmpty(Refusal):
    """The database holds a city already; restore into an empty one."""

    code = "backup.target_not_empty"
    title_zh = "目标数据库非空，请恢复到空数据库"
