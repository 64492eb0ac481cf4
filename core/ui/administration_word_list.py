"""The company's word list: a grid of words in both languages, edited in place and saved at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from core.i18n import _
from core.queries.administration import word_pairs
from core.services.words import LONGEST, WordRow, save_words
from core.ui.administration import do, grid_key, typed_text
from core.ui.administration_grid import save_grid

if TYPE_CHECKING:
    from core.model import WordPair
    from core.ui.page import View

_GRID = "words"
_FIELDS = ("name", "name_en")


def draw_word_list(view: View) -> None:
    """Draw the list with what it is for, and the button that saves it."""
    st.caption(
        _(
            "Words that your data has in one language: segments, sizes, industries, cities, categories, units, "
            "job titles, usual subjects. Each is shown in the reader's language; what is stored, filtered and "
            "exported as a key stays as it was typed."
        )
    )
    found = view.ask(word_pairs)
    labels = {"name": _("Chinese"), "name_en": _("English")}
    text = st.column_config.TextColumn
    st.data_editor(
        pd.DataFrame([{name: getattr(row, name) for name in _FIELDS} for row in found], columns=list(_FIELDS)),
        num_rows="dynamic",
        hide_index=True,
        key=grid_key(_GRID),
        width=720,
        height=min(36 * (len(found) + 2) + 3, 560),
        column_config={name: text(label, max_chars=LONGEST, width="medium") for name, label in labels.items()},
    )
    rows, removed = _typed(found)
    count = len(rows) + len(removed)
    save_grid(_GRID, count, labels, lambda: do(view, save_words, rows=rows, removed=removed))


def _typed(found: list[WordPair]) -> tuple[list[WordRow], list[tuple[int, int]]]:
    """Return the lines that were changed or added in the grid, and number and version of those deleted."""
    state = cast("dict[str, Any]", st.session_state.get(grid_key(_GRID)) or {})
    gone = set(state.get("deleted_rows", ()))
    rows = []
    for place, cells in state.get("edited_rows", {}).items():
        pair = found[int(place)]
        if int(place) not in gone:
            name, english = (typed_text(cells.get(field, getattr(pair, field))) for field in _FIELDS)
            rows.append(WordRow(int(place) + 1, name, english, number=pair.id, version=pair.version))
    for place, cells in enumerate(state.get("added_rows", ()), start=len(found) + 1):
        name, english = (typed_text(cells.get(field)) for field in _FIELDS)
        if name or english:
            rows.append(WordRow(place, name, english))
    return rows, [(found[place].id, found[place].version) for place in sorted(gone)]
