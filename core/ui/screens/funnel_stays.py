"""Funnel, the time in each stage, with the stays that go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.charts.funnel_stays import stay_curves, time_in_stage
from core.i18n import _, format_days, format_number
from core.queries import funnel_stays as questions
from core.reports.tables import Column
from core.ui.drill import chart, columns_open, deals_button, numbers, opening
from core.ui.page import plain

if TYPE_CHECKING:
    import pandas as pd

    from core.ui.page import View
    from core.ui.screens.funnel_state import Asked


def draw(view: View, asked: Asked) -> None:
    """Draw the part."""
    st.caption(
        _("Stays of the deals opened in the period. Those that go on count for as long as they have lasted "
          "(Kaplan–Meier), so that slow deals are not left out. Not reached yet: fewer than half, or nine in ten, "
          "have left by the longest time seen.")
    )  # fmt: skip
    stays = view.ask(questions.time_in_stage, period=asked.period, filters=asked.filters, as_of=asked.as_of)
    if not int(stays["completed"].sum() + stays["still_inside"].sum()):
        st.info(_("No deal was opened in this period. Choose a longer period, or log the first deal."),
                icon=":material/inbox:")  # fmt: skip
        return
    drawn = stays.assign(
        ended_median_days=stays["median_days"],
        ended_p90_days=stays["p90_days"],
        median_days=stays["km_median_days"],
        p90_days=stays["km_p90_days"],
        stays=stays["completed"] + stays["still_inside"],
    )
    figure = time_in_stage(drawn, dark=view.dark, large=view.large)
    choose = opening(set(stays["stage_key"].astype(str)), lambda key: asked.selection(f"stayed:{key}", asked.period))
    chart(view, figure, key="funnel-stays", alt=_("Days in each stage"), choose=choose)
    told = stays.assign(
        km_median=_reached(stays, "km_median_days"), km_p90=_reached(stays, "km_p90_days")
    )  # fmt: skip
    columns = [
        Column("stage", _("Stage")),
        Column("deals", _("Deals"), "count"),
        Column("km_median", _("Median, with open stays"), "written"),
        Column("km_p90", _("90th percentile, with open stays"), "written"),
        Column("completed", _("Stays that ended"), "count"),
        Column("median_days", _("Their median"), "days"),
        Column("p90_days", _("90th percentile"), "days"),
        Column("still_inside", _("Still inside"), "count"),
        Column("still_inside_median_days", _("Their median so far"), "days"),
        Column("expected_days", _("Expected"), "days"),
    ]
    measures = {
        **dict.fromkeys(("deals", "km_median", "km_p90"), "stayed"),
        **dict.fromkeys(("median_days", "p90_days"), "left"),
        **dict.fromkeys(("still_inside", "still_inside_median_days"), "inside"),
    }
    behind = columns_open(measures, lambda name, row: asked.selection(f"{name}:{row['stage_key']}", asked.period))
    numbers(view, told, columns, name="funnel-stays", behind=behind)
    curves = view.ask(questions.stay_curves, period=asked.period, filters=asked.filters, as_of=asked.as_of)
    figure = stay_curves(curves, dark=view.dark, large=view.large)
    chart(view, figure, key="funnel-curves", alt=_("Share still there, by days"), choose=choose)
    _inside(view, asked, stays)


def _inside(view: View, asked: Asked, stays: pd.DataFrame) -> None:
    """Offer the deals that are still in each stage."""
    with st.container(horizontal=True, gap="small"):
        for row in cast("list[dict[str, Any]]", stays.to_dict("records")):
            if row["still_inside"]:
                name = _("Still in {stage}", stage=row["stage"])
                deals_button(
                    view,
                    asked.selection(f"inside:{row['stage_key']}", asked.period),
                    label=plain(f"{name}: {format_number(row['still_inside'])}"),
                    key=f"funnel-inside-{row['stage_key']}",
                )


def _reached(stays: pd.DataFrame, name: str) -> list[str]:
    rows = cast("list[dict[str, Any]]", stays.to_dict("records"))
    return [
        _("not reached yet")
        if row[name] != row[name] and row["completed"] + row["still_inside"]
        else format_days(row[name])
        for row in rows
    ]
