"""The company's word list: a grid of words in both languages, edited in place and saved at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from core.errors import InvalidFields, SalesError
from core.i18n import _, _n
from core.queries.administration import word_pairs
from core.services.words import LONGEST, WordRow, save_words
from core.ui.administration import do, grid_key, renew_grid, tell, typed_text
from core.ui.page import plain

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
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button(_("Save"), type="primary", icon=":material/save:", disabled=not count, key="words-save")
        if count and st.button(_("Throw away"), icon=":material/undo:", key="words-undo"):
            renew_grid(_GRID)
            st.rerun()
        if count:
            st.caption(_n("{n} line changed, not saved yet.", "{n} lines changed, not saved yet.", count))
    if sent:
        _save(view, rows, removed, labels)


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


def _save(view: View, rows: list[WordRow], removed: list[tuple[int, int]], labels: dict[str, str]) -> None:
    try:
        count = do(view, save_words, rows=rows, removed=removed)
    except InvalidFields as error:
        for place, sentence in list(error.problems.items())[:8]:
            line, _sep, field = place.partition(":")
            said = _("Line {line}, {field}: {problem}", line=line, field=labels[field], problem=sentence)
            st.error(plain(said), icon=":material/error:")
        return
    except SalesError as error:
        st.error(plain(error.message()), icon=":material/block:")
        return
    renew_grid(_GRID)
    tell(_n("{n} line is saved.", "{n} lines are saved.", count))
    st.rerun()
