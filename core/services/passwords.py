"""Passwords: hashed by bcrypt, and the rules that a new one keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import bcrypt
from zxcvbn import zxcvbn

from core.errors import InvalidFields
from core.i18n import N_, _

COST = 12
SHORTEST = 10
LONGEST_BYTES = 72
_STRONG_ENOUGH = 3

RULES = N_("At least {n} characters, and hard to guess: several words that do not belong together make a good one.")
TOO_SHORT = N_("Use at least {n} characters.")
TOO_LONG = N_("Use at most {n} bytes; a Chinese character takes three.")
TOO_EASY = N_("This is easy to guess. Several words that do not belong together make a good one.")
NOT_THE_SAME = N_("The two do not match.")


@dataclass(frozen=True)
class NewPassword:
    """The hash of a password that keeps the rules; `new_password` makes it, commands take it."""

    hashed: str = field(repr=False)


def new_password(password: str, *, about: tuple[str, ...], again: str | None = None) -> NewPassword:
    """Check a new password, typed twice where `again` is given, and hash it.

    The hash takes a good part of a second: make it before a transaction that writes is opened, for
    everybody who writes waits for that one. Raises InvalidFields.
    """
    problems = problems_with(password, password if again is None else again, about=about)
    if problems:
        raise InvalidFields(problems)
    return NewPassword(hash_password(password))


def hash_password(password: str) -> str:
    """Return the bcrypt hash; a ValueError for more than 72 bytes, which bcrypt would not read."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST)).decode()


def password_matches(password: str, hashed: str | None) -> bool:
    """Say whether `password` made `hashed`; takes as long where there is no hash at all."""
    raw = password.encode()
    readable = raw[:LONGEST_BYTES].replace(b"\0", b"?")
    same = bcrypt.checkpw(readable, (hashed or dummy_hash()).encode())
    return same and bool(hashed) and readable == raw


@cache
def dummy_hash() -> str:
    """Return the hash that stands in for those of people who do not exist."""
    return hash_password(bcrypt.gensalt().decode())


def problem_with(password: str, *, about: tuple[str, ...] = ()) -> str | None:
    """Return why this cannot be a password, in the reader's language; None for a good one.

    `about` are words that others know of the person: name, sign-in name, e-mail. Strength by
    zxcvbn, 3 of 4 ("safely unguessable") at least.
    """
    if len(password) < SHORTEST:
        return _(TOO_SHORT, n=SHORTEST)
    if len(password.encode()) > LONGEST_BYTES or "\0" in password:
        return _(TOO_LONG, n=LONGEST_BYTES)
    known = [word for word in about if word]
    if zxcvbn(password, user_inputs=[*known, "luopan", "罗盘"])["score"] < _STRONG_ENOUGH:
        return _(TOO_EASY)
    return None


def problems_with(password: str, again: str, *, about: tuple[str, ...]) -> dict[str, str]:
    """Return what is wrong with a new password typed twice, by field."""
    wrong = problem_with(password, about=about)
    if wrong:
        return {"password": wrong}
    return {} if password == again else {"again": _(NOT_THE_SAME)}
