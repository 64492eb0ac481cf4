"""Who a browser belongs to, and what is kept of the tokens that say so."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from core.access.actors import Actor


@dataclass(frozen=True)
class SignedIn:
    """Who a browser belongs to in this moment. `session_id` is None for an actor put in by a test.

    `stale`: its last use was written down so long ago that this one should be.
    """

    actor: Actor
    session_id: int | None
    language: str = ""
    must_change_password: bool = False
    stale: bool = False


def fingerprint(secret: str) -> str:
    """Return the SHA-256 of a token: what is kept of it."""
    return hashlib.sha256(secret.encode()).hexdigest()
