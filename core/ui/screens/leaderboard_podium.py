"""The first three of a board, and who gained most, each with the deals that got them there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.i18n import _
from core.reports.tables import records
from core.ui.cards import said
from core.ui.drill import deals_button
from core.ui.page import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from core.analytics.selection import Selection
    from core.ui.cards import Unit
    from core.ui.page import View

_MEDALS = (":orange[:material/trophy:]", ":gray[:material/workspace_premium:]", ":red[:material/military_tech:]")
_ROCKET = ":green[:material/rocket_launch:]"


def draw_podium(
    view: View, ranked: pd.DataFrame, column: str, figure: tuple[str, Unit],
    behind: Callable[[dict[Any, Any]], Selection | None],
) -> None:  # fmt: skip
    """Draw the cards; nothing where there are no more ranked than medals.

    figure: what `column` is called, and its unit. `behind` gives the deals that it counts of a row, None for none.
    """
    (name, unit), top = figure, ranked.head(len(_MEDALS))
    improved = ranked[ranked["most_improved"] & ranked["previous_value"].notna()].head(1)
    if len(ranked) < len(_MEDALS) + 1:
        return
    with st.grid(len(top) + len(improved), min_column_width=220, gap="small", key="podium"):
        for place, (medal, row) in enumerate(zip(_MEDALS, records(top), strict=False)):
            _winner(view, place, (medal, said(row[column], unit, view.currency), name), row, behind(row))
        for row in records(improved):
            before, after = (said(row[one], unit, view.currency) for one in ("previous_value", column))
            gain = _("from {before} to {after}", before=before, after=after)
            _winner(view, len(_MEDALS), (_ROCKET, _("Most improved"), gain), row, behind(row))


def _winner(
    view: View, place: int, told: tuple[str, str, str], row: dict[Any, Any], selection: Selection | None
) -> None:
    mark, value, note = told
    with st.container(border=True, gap="xxsmall", height="stretch", key=f"card-podium-{place}"):
        st.markdown(f"{'##' if view.large else '####'} {mark} {plain(str(row['name']))}")
        st.text(value)
        st.caption(plain(f"{note} · {row['team']}" if row.get("team") else note))
        if selection is not None:
            deals_button(view, selection, label=_("Show deals"), key=f"podium-{place}")
