"""Funnel, the losses: at which stage, why, when and to whom."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.analytics.dimensions import BESIDE
from core.analytics.selection import Selection
from core.charts.bars import ranked_bars
from core.charts.funnel_losses import lost_by_month, lost_by_stage, reasons_shown
from core.i18n import _
from core.queries.funnel_losses import losses_by_competitor, losses_by_month, losses_by_stage
from core.reports.tables import Column
from core.ui.drill import COUNTED, chart, columns_open, numbers, opening
from core.ui.screens.funnel_cohort import month_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from core.ui.page import View
    from core.ui.screens.funnel_state import Asked

_RIVALS_SHOWN = 12


def draw(view: View, asked: Asked) -> None:
    """Draw the part."""
    st.caption(_("By stage: the deals opened in the period. By month and by competitor: the deals lost in the period."))
    months = view.ask(losses_by_month, period=asked.period, filters=asked.filters, as_of=asked.as_of)
    stages = view.ask(losses_by_stage, period=asked.period, filters=asked.filters, as_of=asked.as_of)
    shown = reasons_shown(months, stages)
    _by_month(view, asked, _named(months, "reason"), shown)
    left, right = st.columns(2)
    with left:
        _by_stage(view, asked, _named(stages, "reason"), shown)
    with right:
        _by_competitor(view, asked)


def _reasons(losses: pd.DataFrame, shown: Sequence[str], key: str) -> str:
    """Return the key of a reason in a chart; "" are all those of `losses` that are not `shown` by themselves."""
    known = dict.fromkeys(str(row.reason_key) for row in losses.itertuples())
    if key:
        return key if key in known else ""
    return BESIDE.join(one for one in known if one not in shown)


def _by_month(view: View, asked: Asked, losses: pd.DataFrame, shown: Sequence[str]) -> None:
    def choose(data: Sequence[Any]) -> Selection | None:
        if len(data) < 2:
            return None
        month, key = month_of(asked.period, str(data[0])), _reasons(losses, shown, str(data[1]))
        return asked.selection("lost", month, "lost_reason", key) if key else None

    figure = lost_by_month(losses, dark=view.dark, large=view.large, reasons=shown)
    chart(view, figure, key="funnel-lost-months", alt=_("Lost deals by month and reason"), choose=choose)
    columns = [Column("month", _("Month"), "month"), Column("reason", _("Lost reason")), *_counted(view)]
    behind = columns_open(COUNTED, lambda _measure, row: choose([str(row["month"]), str(row["reason_key"])]))
    numbers(view, losses, columns, name="funnel-lost-months", behind=behind)


def _by_stage(view: View, asked: Asked, losses: pd.DataFrame, shown: Sequence[str]) -> None:
    stages = {str(row.stage_key) for row in losses.itertuples()}

    def choose(data: Sequence[Any]) -> Selection | None:
        if len(data) < 2 or str(data[0]) not in stages:
            return None
        key = _reasons(losses, shown, str(data[1]))
        return asked.selection(f"lost_at:{data[0]}", asked.period, "lost_reason", key) if key else None

    figure = lost_by_stage(losses, dark=view.dark, large=view.large, reasons=shown)
    chart(view, figure, key="funnel-losses", alt=_("Where deals were lost, and why"), choose=choose)
    numbers(
        view, losses, [Column("stage", _("Stage")), Column("reason", _("Lost reason")), *_counted(view)],
        name="funnel-losses",
        behind=columns_open(COUNTED, lambda _measure, row: choose([row["stage_key"], str(row["reason_key"])])),
    )  # fmt: skip


def _by_competitor(view: View, asked: Asked) -> None:
    rivals = _named(
        view.ask(losses_by_competitor, period=asked.period, filters=asked.filters, as_of=asked.as_of), "name"
    )
    told = rivals[rivals["key"] != "none"]
    if told.empty:
        st.caption(_("No competitor was named in the deals lost in this period."))
        return

    title = _("Lost to competitors")
    bars = told[["key", "name", "count"]].rename(columns={"count": "value"}).head(_RIVALS_SHOWN)
    figure = ranked_bars(
        bars.reset_index(drop=True), unit="count", title=title, dark=view.dark, large=view.large
    )  # fmt: skip
    lost = partial(asked.selection, "lost", asked.period, "competitor")
    chart(view, figure, key="funnel-rivals", alt=title, choose=opening(set(rivals["key"]), lost))
    columns = [Column("name", _("Competitor")), *_counted(view)]
    behind = columns_open(COUNTED, lambda _measure, row: lost(str(row["key"])))
    numbers(view, rivals, columns, name="funnel-rivals", behind=behind)


def _named(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame.assign(**{column: frame[column].where(frame[column] != "", _("None"))})


def _counted(view: View) -> list[Column]:
    return [
        Column("count", _("Deals"), "count"),
        Column("value", _("Value"), "money", currency=view.currency),
    ]
