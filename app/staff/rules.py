"""What the desk's login allows (登录规则): passwords long enough, and how long guessing waits."""

from typing import Final

PASSWORD_MIN: Final = 12
PASSWORD_MAX: Final = 200
DISTINCT_MIN: Final = 6
"""Fewer different characters are a pattern."""
FREE_TRIES: Final = 4
"""So many wrong logins in a row cost nothing."""
FIRST_WAIT_S: Final = 60
LONGEST_WAIT_S: Final = 3600


def is_strong(password: str, login: str) -> bool:
    """Say whether a password may stand beside a second factor.

    >>> is_strong("correct horse battery", "an.li"), is_strong("an.li an.li 123", "an.li")
    (True, False)
    >>> is_strong("aaaaaaaaaaaab", "an.li")
    False
    """
    return (
        PASSWORD_MIN <= len(password) <= PASSWORD_MAX
        and len(set(password)) >= DISTINCT_MIN
        and login.casefold() not in password.casefold()
    )


def wait_s(failures: int) -> int:
    """Give how long a clerk waits after so many wrong logins in a row [s].

    It doubles, so that a day allows some 30 guesses, and ends at an hour, so that somebody who
    guesses on purpose does not keep a clerk out for ever.

    >>> [wait_s(failures) for failures in (4, 5, 6, 7, 99)]
    [0, 60, 120, 240, 3600]
    """
    if failures <= FREE_TRIES:
        return 0
    doublings = min(failures - FREE_TRIES - 1, 10)
    return min(FIRST_WAIT_S << doublings, LONGEST_WAIT_S)
