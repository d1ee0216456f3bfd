"""Backups (备份与恢复): a city in two dumps, its pictures, and a signed word on what they hold.

The openings of people's entries lie in a dump of their own, so that it can be kept for a shorter
time: whoever restores an old one brings back what an erasure destroyed. Key files and the signer
guard are in neither. A restore is one transaction, and is reconciled before anybody may believe
it: with the manifest, with the guard, and with the chain, which is halted on when it knows more.
"""

from app.backup.restoring import Restored, restore
from app.backup.survey import Survey
from app.backup.taking import take_backup

__all__ = ["Restored", "Survey", "restore", "take_backup"]
