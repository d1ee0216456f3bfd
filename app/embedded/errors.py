"""Refusals of the embedded runtime 内嵌运行时的拒绝: why a child could not start, typed and coded.

Each is an operating error that a person can act on, so each message says what to do next.
"""


class EmbeddedRefused(Exception):  # noqa: N818 -- a refusal, in the words of the house
    """Something on this machine keeps the embedded runtime from starting."""

    code = "embedded.refused"


class HomeOwned(EmbeddedRefused):
    """Another process already runs this data directory."""

    code = "embedded.owned"


class HomeUnusable(EmbeddedRefused):
    """The data directory cannot be used by this user as it stands."""

    code = "embedded.home_unusable"


class BinaryMissing(EmbeddedRefused):
    """A server's program is not installed."""

    code = "embedded.binary_missing"


class ChildFailed(EmbeddedRefused):
    """A server's program ended or stayed silent instead of serving."""

    code = "embedded.child_failed"


class ProgramFailed(EmbeddedRefused):
    """A program of PostgreSQL ended with an error; nothing was left half done."""

    code = "embedded.program_failed"
