"""What an empty database shows instead of the sign-in page."""

from __future__ import annotations

from core.services import people
from core.ui import session


def is_needed() -> bool:
    """Say whether nobody has an account yet."""
    return not people.anybody_there(session.database(), now=session.now())


def draw() -> None:
    """Draw it."""
