"""Funnel, the snapshot: who is where now, and what has been there for too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.analytics.selection import Selection
from core.analytics.stage_measures import LEAST_STAYS
from core.charts.funnel_months import standing
from core.i18n import _, _n, format_date, format_money, format_number
from core.queries.funnel_flow import funnel_snapshot
from core.reports.tables import Column
from core.ui.drill import chart, columns_open, deals_button, numbers
from core.ui.page import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from core.ui.page import View
    from core.ui.screens.funnel_state import Asked


_CELLS = {
    "count": "stage", "value": "stage", "median_days": "stage", "weighted": "weighted",
    "rotting_count": "rotting", "rotting_value": "rotting",
}  # fmt: skip


def draw(view: View, asked: Asked) -> None:
    """Draw the part."""
    as_of = asked.as_of
    day = format_date(as_of.on if as_of else view.today)
    st.caption(
        plain(_("Snapshot: the open deals by the stage they are in on {day}, whenever they were opened.", day=day))
    )
    stages = view.ask(funnel_snapshot, filters=asked.filters, as_of=as_of)
    rotting, whole = int(stages["rotting_count"].sum()), int(stages["count"].sum())
    if not whole:
        st.info(_("No deal is open."), icon=":material/inbox:")
        return
    _rotting(view, asked, stages, rotting, whole)
    keys = set(stages["stage_key"].astype(str))

    def choose(data: Sequence[Any]) -> Selection | None:
        key = str(data[0]) if data else ""
        if key not in keys:
            return None
        if len(data) > 1 and data[1] == "rotting":
            return asked.selection(f"rotting:{key}", None)
        return asked.selection(f"stage:{key}", None)

    figure = standing(stages, dark=view.dark, large=view.large, currency=view.currency)
    chart(view, figure, key="funnel-now", alt=_("Who is where"), choose=choose)
    if bool(stages["usual_days"].isna().any()):
        st.caption(_("Stages that fewer than {n} won deals went through have no usual time yet.", n=LEAST_STAYS))
    columns = [
        Column("stage", _("Stage")),
        Column("count", _("Open deals"), "count"),
        Column("value", _("Value"), "money", currency=view.currency),
        Column("weighted", _("Weighted"), "money", currency=view.currency),
        Column("median_days", _("Median so far"), "days"),
        Column("usual_days", _("Won deals, 9 in 10"), "days"),
        Column("rotting_count", _("Rotting"), "count"),
        Column("rotting_value", _("Rotting value"), "money", currency=view.currency),
    ]
    behind = columns_open(_CELLS, lambda measure, row: asked.selection(f"{measure}:{row['stage_key']}", None))
    numbers(view, stages, columns, name="funnel-now", behind=behind)


def _rotting(view: View, asked: Asked, stages: pd.DataFrame, rotting: int, whole: int) -> None:
    said = _n(
        "{n} of {whole} open deals is rotting ({amount}): longer in its stage than nine in ten won ones were.",
        "{n} of {whole} open deals are rotting ({amount}): longer in their stage than nine in ten won ones were.",
        rotting, n=format_number(rotting), whole=format_number(whole),
        amount=format_money(float(stages["rotting_value"].sum()), view.currency, compact=True),
    )  # fmt: skip
    st.markdown(f"**{plain(said)}**")
    if rotting:
        deals_button(
            view, asked.selection("rotting_all", None),
            label=_("{n} rotting", n=format_number(rotting)), key="funnel-rotting",
        )  # fmt: skip
