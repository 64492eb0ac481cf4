"""Changing the company's own settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import select

from core.access.actions import Action
from core.access.board_sight import BoardSight
from core.access.margin_sight import MarginSight
from core.errors import InvalidFields
from core.gate import command
from core.i18n import LANGUAGES, _
from core.model import Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.db.work import Work

WHOLE_NUMBERS: dict[str, tuple[int, int]] = {
    "fiscal_first_month": (1, 12), "idle_days": (1, 365), "minimum_decided": (1, 100), "yearly_discount": (1, 100),
}  # fmt: skip
"""Settings that are whole numbers: the least and the most."""
CHANGEABLE = ("company_name", "company_name_en", "default_language", "board_sight", "margin_sight", *WHOLE_NUMBERS)


@command(Action.SETTING_EDIT)
def change_settings(work: Work, *, values: Mapping[str, str]) -> int:
    """Set the named settings, all or none; return how many changed. Raises InvalidFields."""
    problems = {name: sentence for name, value in values.items() if (sentence := _problem(name, value))}
    if problems:
        raise InvalidFields(problems)
    stored = {row.name: row for row in work.session.exec(select(Setting))}
    changed = 0
    for name, value in values.items():
        said = value.strip()
        if said == work.setting(name):
            continue
        changed += 1
        if name in stored:
            stored[name].value = said
        else:
            work.session.add(Setting(name=name, value=said))
    return changed


def _problem(name: str, value: str) -> str | None:
    said = value.strip()
    if name not in CHANGEABLE:
        return _("There is no such setting.")
    if name in WHOLE_NUMBERS:
        least, most = WHOLE_NUMBERS[name]
        if not (said.isascii() and said.isdigit() and least <= int(said) <= most):
            return _("Give a whole number from {least} to {most}.", least=least, most=most)
    if name == "default_language" and said not in {"", *LANGUAGES}:
        return _("Please choose a language from the list.")
    if name == "board_sight" and said not in set(BoardSight):
        return _("Please choose from the list.")
    if name == "margin_sight" and said not in set(MarginSight):
        return _("Please choose from the list.")
    if name in {"company_name", "company_name_en"} and len(said) > 80:
        return _("At most {n} characters, please.", n=80)
    return None
