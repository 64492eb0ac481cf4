"""Keeping the company's word list: words of its data in both languages, by which they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import select

from core.access.actions import Action
from core.db.work import get_visible
from core.errors import InvalidFields
from core.gate import command
from core.i18n import N_, _
from core.model import WordPair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.db.work import Work

LONGEST = 200
BOTH_NEEDED = N_("Please give the word in both languages.")
STANDS_THERE = N_("This word stands on the list already.")


@dataclass(frozen=True)
class WordRow:
    """A line of the list as typed; without `number` a new one. `row` names it in refusals."""

    row: int
    name: str
    name_en: str
    number: int | None = None
    version: int | None = None


@command(Action.SETTING_EDIT)
def save_words(work: Work, *, rows: Sequence[WordRow], removed: Sequence[tuple[int, int]] = ()) -> int:
    """Save changed and new lines and take away `removed` ones (number, version), all or none; return how many.

    Raises NotFound, EditedMeanwhile, and InvalidFields whose fields are `row:column`.
    """
    typed = {row.number for row in rows} | {number for number, _version in removed}
    taken = {pair.name for pair in work.session.exec(select(WordPair)) if pair.id not in typed}
    problems: dict[str, str] = {}
    for row in rows:
        for column, word in (("name", row.name.strip()), ("name_en", row.name_en.strip())):
            if not word:
                problems[f"{row.row}:{column}"] = _(BOTH_NEEDED)
            elif len(word) > LONGEST:
                problems[f"{row.row}:{column}"] = _("At most {n} characters, please.", n=LONGEST)
        if row.name.strip() and row.name.strip() in taken:
            problems[f"{row.row}:name"] = _(STANDS_THERE)
        taken.add(row.name.strip())
    if problems:
        raise InvalidFields(problems)
    kept = {row.row: get_visible(work, WordPair, row.number, version=row.version) for row in rows if row.number}
    renamed = {row.row for row in rows if row.row in kept and kept[row.row].name != row.name.strip()}
    for pair in [get_visible(work, WordPair, number, version=version) for number, version in removed]:
        work.session.delete(pair)
    for place in renamed:  # made anew, so that two may change places
        work.session.delete(kept.pop(place))
    work.session.flush()
    for row in rows:
        pair = kept.get(row.row) or WordPair(name=row.name.strip(), name_en="")
        pair.name_en = row.name_en.strip()
        work.session.add(pair)
    return len(rows) + len(removed)
