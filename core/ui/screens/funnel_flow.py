"""Funnel, the flow: the moves between stages in the period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.analytics.selection import Selection
from core.charts.funnel_flow import KIND_NAMES, flow
from core.i18n import _, format_number
from core.queries.funnel_flow import flow_kinds, funnel_flow
from core.reports.tables import Column
from core.ui.drill import chart, columns_open, deals_button, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from core.ui.page import View
    from core.ui.screens.funnel_state import Asked


def draw(view: View, asked: Asked) -> None:
    """Draw the part."""
    st.caption(
        _("Flow: the moves made in the period, whenever the deals were opened. A deal counts once in each link.")
    )
    links = view.ask(funnel_flow, period=asked.period, filters=asked.filters, as_of=asked.as_of)
    if links.empty:
        st.info(_("No deal moved in this period."), icon=":material/inbox:")
        return
    _kinds(view, asked)
    names = {
        (str(row.from_key), str(row.to_key)): _way(str(row.from_stage), str(row.to_stage))
        for row in links.itertuples()
    }  # fmt: skip

    def choose(data: Sequence[Any]) -> Selection | None:
        pair = (str(data[0]), str(data[1])) if len(data) > 1 else ("", "")
        if pair not in names:
            return None
        return asked.selection(f"moved:{pair[0]}:{pair[1]}", asked.period)

    figure = flow(links, dark=view.dark, large=view.large, currency=view.currency)
    chart(view, figure, key="funnel-flow", alt=_("Moves between stages"), choose=choose)
    told = links.assign(
        kind_name=[_(KIND_NAMES[kind]) for kind in links["kind"]],
        from_name=links["from_stage"].where(links["from_key"] != "0", _("New")),
    )
    columns = [
        Column("from_name", _("From stage")),
        Column("to_stage", _("To stage")),
        Column("kind_name", _("Kind of move")),
        Column("deals", _("Deals"), "count"),
        Column("moves", _("Moves"), "count"),
        Column("value", _("Value"), "money", currency=view.currency),
    ]
    behind = columns_open({"deals": "", "value": ""}, lambda _measure, row: choose([row["from_key"], row["to_key"]]))
    numbers(view, told, columns, name="funnel-flow", behind=behind)
    _back(view, asked, links)


def _way(origin: str, to: str) -> str:
    return f"{origin or _('New')} → {to}"


def _kinds(view: View, asked: Asked) -> None:
    """Offer what kinds of moves there were, each with its deals."""
    kinds = view.ask(flow_kinds, period=asked.period, filters=asked.filters, as_of=asked.as_of)
    with st.container(horizontal=True, gap="small"):
        for row in cast("list[dict[str, Any]]", kinds.to_dict("records")):
            kind = str(row["kind"])
            name = _(KIND_NAMES[kind])
            if row["deals"]:
                deals_button(
                    view,
                    asked.selection(f"flow:{row['place']}", asked.period),
                    label=f"{name}: {format_number(row['deals'])}",
                    key=f"funnel-kind-{kind}",
                )


def _back(view: View, asked: Asked, links: pd.DataFrame) -> None:
    """Offer the deals that fell back, by where from and where to."""
    back = links[links["kind"] == "back"].sort_values("deals", ascending=False)
    if back.empty or view.large:
        return
    st.markdown(f"**{_('Fell back')}**")
    with st.container(horizontal=True, gap="small"):
        for row in cast("list[dict[str, Any]]", back.to_dict("records")):
            way = _way(str(row["from_stage"]), str(row["to_stage"]))
            deals_button(
                view,
                asked.selection(f"moved:{row['from_key']}:{row['to_key']}", asked.period),
                label=f"{way}: {format_number(row['deals'])}",
                key=f"funnel-back-{row['from_key']}-{row['to_key']}",
            )
