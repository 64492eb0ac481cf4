"""What an installation keeps beside its database: keys, the setup code, the demo company's sign-ins."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from core.db.private_files import private_file
from core.domain.periods import day_of
from core.i18n import _
from core.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.db.work import Database
    from data.demo import DemoSummary

COOKIE_KEY = "cookie.key"
DEMO_SIGN_IN = "demo-sign-in.txt"
SETUP_CODE = "setup-code.txt"
AUDIT_END = "audit-end.txt"
DEMO_DEALS = 12_000


def cookie_key() -> str:
    """Return the key that Streamlit signs its cookies with."""
    return private_file(COOKIE_KEY, lambda: secrets.token_urlsafe(48))


def setup_code() -> str:
    """Return the code that opens the first start to a browser on another machine."""
    return private_file(SETUP_CODE, lambda: secrets.token_hex(8))


def forget_setup_code() -> None:
    """Delete the setup code: somebody has an account now."""
    (settings().data_dir / SETUP_CODE).unlink(missing_ok=True)


def audit_end() -> tuple[int, str]:
    """Return number and hash of the audit's last entry when it was last found whole; 0 and "" before.

    A chain does not miss its own end: only what was kept outside of the database does.
    """
    path = settings().data_dir / AUDIT_END
    number, _space, said = (path.read_text(encoding="utf-8") if path.is_file() else "").strip().partition(" ")
    return (int(number), said) if number.isdigit() else (0, "")


def keep_audit_end(number: int, said: str) -> None:
    """Keep the audit's last entry for the next check."""
    (settings().data_dir / AUDIT_END).unlink(missing_ok=True)
    private_file(AUDIT_END, lambda: f"{number} {said}")


def demo_sign_ins() -> str:
    """Return the demo company's sign-ins as they are shown; "" where it was never loaded."""
    path = settings().data_dir / DEMO_SIGN_IN
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def load_demo_company(
    database: Database,
    *,
    now: datetime,
    deals: int = DEMO_DEALS,
    progress: Callable[[float], None] | None = None,
) -> str:
    """Load the demo company up to today and keep its sign-ins in a private file; return their text.

    progress: called with the share done. Raises data.demo.NotEmpty.
    """
    from data.demo import load_demo

    return keep_demo_sign_ins(load_demo(database, deals=deals, until=day_of(now, database.zone), progress=progress))


def keep_demo_sign_ins(summary: DemoSummary) -> str:
    """Keep the sign-ins of a demo company just loaded in a private file; return their text."""
    text = said_sign_ins(summary)
    (settings().data_dir / DEMO_SIGN_IN).unlink(missing_ok=True)
    forget_setup_code()
    return private_file(DEMO_SIGN_IN, lambda: text)


def said_sign_ins(summary: DemoSummary) -> str:
    """Return the demo company's sign-ins as they are shown."""
    longest = max(len(user.username) for user in summary.users)
    names = [f"{user.username:<{longest}}  {user.role}" for user in summary.users]
    return "\n".join([_("Demo sign-ins, all with the passphrase {said}", said=summary.passphrase), *names])
