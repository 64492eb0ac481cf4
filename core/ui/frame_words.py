"""Words of the frame: roles, languages, and what a browser calls itself."""

from __future__ import annotations

from core.access.policy import Role
from core.i18n import N_, _

LANGUAGE_NAMES = {"zh": "中文", "en": "English"}
ROLE_NAMES: dict[Role, str] = {
    Role.REP: N_("Rep"),
    Role.MANAGER: N_("Team manager"),
    Role.LEADERSHIP: N_("Leadership"),
    Role.OPERATIONS: N_("Sales operations"),
    Role.ADMINISTRATOR: N_("Administrator"),
    Role.SHARED: N_("Share link"),
}
_BROWSERS = (
    ("MicroMessenger", "WeChat"), ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"),
    ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser_name(user_agent: str) -> str:
    """Return a User-Agent header in two words, such as "Chrome, Windows"."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), _("Browser"))
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return f"{browser}, {system}" if system else browser
