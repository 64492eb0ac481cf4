"""Saving a grid that was edited in place, or throwing away what was typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InvalidFields, SalesError
from core.i18n import _, _n
from core.ui.administration import renew_grid, tell
from core.ui.page import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def save_grid(name: str, changed: int, labels: Mapping[str, str], save: Callable[[], int]) -> None:
    """Draw the buttons under grid `name`, in which `changed` lines wait; `save` says how many it saved.

    Refusals stand there with their line and column, by `labels`.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button(_("Save"), type="primary", icon=":material/save:", disabled=not changed, key=f"{name}-save")
        if changed and st.button(_("Throw away"), icon=":material/undo:", key=f"{name}-undo"):
            renew_grid(name)
            st.rerun()
        if changed:
            st.caption(_n("{n} line changed, not saved yet.", "{n} lines changed, not saved yet.", changed))
    if not sent:
        return
    try:
        count = save()
    except InvalidFields as error:
        for place, sentence in list(error.problems.items())[:8]:
            line, _sep, field = place.partition(":")
            said = _("Line {line}, {field}: {problem}", line=line, field=labels[field], problem=sentence)
            st.error(plain(said), icon=":material/error:")
        return
    except SalesError as error:
        st.error(plain(error.message()), icon=":material/block:")
        return
    renew_grid(name)
    tell(_n("{n} line is saved.", "{n} lines are saved.", count))
    st.rerun()
