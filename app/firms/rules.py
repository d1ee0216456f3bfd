"""The unified social credit code (统一社会信用代码): whether one can be it (GB 32100-2015)."""

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Without I, O, S, V and Z."""
LENGTH: Final = 18


def is_registration(code: str) -> bool:
    """Say whether the last of 18 characters is the check of those before (ISO 7064 form, mod 31).

    >>> is_registration("91350100M000100Y43"), is_registration("91350100M000100Y44")
    (True, False)
    >>> is_registration("91350100m000100y43"), is_registration("")
    (False, False)
    """
    if len(code) != LENGTH or any(each not in ALPHABET for each in code):
        return False
    return check_character(code[:-1]) == code[-1]


def check_character(body: str) -> str:
    """Give the check of the first 17 characters: their sum, weighted by powers of 3, negated.

    >>> check_character("91350100M000100Y4")
    '3'
    """
    modulus = len(ALPHABET)
    total = sum(ALPHABET.index(each) * pow(3, place, modulus) for place, each in enumerate(body))
    return ALPHABET[-total % modulus]
