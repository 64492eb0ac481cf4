"""Funnel: how far the deals of a cohort got, how long it took, and where they fell out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.analytics.selection import Selection
from core.charts.bars import grouped_bars
from core.charts.funnel import cohort_funnel, lost_by_stage, time_in_stage
from core.domain.periods import Preset
from core.i18n import N_, _, _n, format_number, format_rate
from core.queries import funnel as questions
from core.reports.tables import Column
from core.ui.drill import chart, deals_button, numbers, team_note
from core.ui.filters import address, analysis_filters, write_address
from core.ui.page import plain
from core.ui.sharing import share_button

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from core.analytics.dimensions import Dimension
    from core.analytics.filters import Filters
    from core.domain.periods import Period
    from core.ui.page import View

BY_NAMES: dict[str, str] = {
    "": N_("Whole cohort"),
    "team": N_("Team"),
    "rep": N_("Rep"),
    "channel": N_("Channel"),
    "product": N_("Product"),
    "segment": N_("Segment"),
    "territory": N_("Territory"),
}
_GROUPS_SHOWN = 6


def draw(view: View) -> None:
    """Draw the page."""
    period, filters = analysis_filters(view, default=Preset.THIS_YEAR, beside=share_button)
    stages = view.ask(questions.cohort_funnel, period=period, filters=filters)
    if stages.empty or not int(stages["reached"].iloc[0]):
        st.info(
            _("No deal was opened in this period. Choose a longer period, or log the first deal."),
            icon=":material/inbox:",
        )
        return
    _headline(view, period, filters, stages)
    by = _side_by_side(view)
    if by:
        _compare(view, period, filters, by)
    else:
        _cohort(view, period, filters, stages)
    left, right = st.columns(2)
    with left:
        _stays(view, period, filters)
    with right:
        _losses(view, period, filters)


def _headline(view: View, period: Period, filters: Filters, stages: pd.DataFrame) -> None:
    entered, won = int(stages["reached"].iloc[0]), int(stages["reached"].iloc[-1])
    still = int(stages["still_open"].sum())
    st.subheader(
        _n(
            "Of {n} deal opened in this period: won so far {won} ({rate}), still open {still}.",
            "Of {n} deals opened in this period: won so far {won} ({rate}), still open {still}.",
            entered,
            n=format_number(entered),
            won=format_number(won),
            rate=format_rate(won / entered),
            still=format_number(still),
        ),
        anchor=False,
    )
    losing = stages.iloc[:-1]
    shares = losing["lost_here"] / losing["reached"].where(losing["reached"] > 0)
    if shares.notna().any() and float(shares.max()) > 0:
        worst = losing.iloc[int(shares.argmax())]
        said = _("Most fall out at {stage}: {rate} of those who reached it.")
        st.caption(plain(said.format(stage=worst["stage"], rate=format_rate(shares.max()))))
    deals_button(
        view,
        Selection("created", period, filters),
        label=_n("{n} deal", "{n} deals", entered, n=format_number(entered)),
        title=_("Deals opened in this period"),
        key="funnel-created",
    )


def _side_by_side(view: View) -> str:
    chosen = (address(view).get("by") or [""])[0]
    chosen = chosen if chosen in BY_NAMES else ""
    if view.query is not None:
        return chosen
    picked = st.segmented_control(
        _("Side by side"), list(BY_NAMES), default=chosen, format_func=lambda code: _(BY_NAMES[code]),
        key="funnel-by", required=True,
    ) or ""  # fmt: skip
    write_address(by=picked)
    return picked


def _cohort(view: View, period: Period, filters: Filters, stages: pd.DataFrame) -> None:
    before = view.calendar.before(period)
    previous = view.ask(questions.cohort_funnel, period=before, filters=filters)
    figure = cohort_funnel(stages, dark=view.dark, large=view.large, previous=previous, currency=view.currency)
    chart(
        view, figure, key="funnel-cohort", alt=_("Cohort funnel"),
        choose=_opener(period, filters, stages, "reached", N_("Reached {stage}")),
    )  # fmt: skip
    shown = stages.merge(
        previous[["stage_key", "reached", "rate_from_previous"]].rename(
            columns={"reached": "reached_before", "rate_from_previous": "rate_before"}
        ),
        on="stage_key",
        how="left",
    )
    numbers(view, shown, [*_stage_columns(view), *_previous_columns()], name="funnel-cohort")
    _open_by_stage(view, period, filters, stages)


def _open_by_stage(view: View, period: Period, filters: Filters, stages: pd.DataFrame) -> None:
    if view.large:
        return
    with st.container(horizontal=True, gap="small"):
        for row in stages.itertuples():
            if int(cast("Any", row.lost_here)):
                name = str(row.stage)
                deals_button(
                    view,
                    Selection(f"lost_at:{row.stage_key}", period, filters),
                    label=_("{stage}: {n} lost", stage=name, n=format_number(cast("Any", row.lost_here))),
                    title=_("Lost at {stage}", stage=name),
                    key=f"funnel-lost-{row.stage_key}",
                )


def _compare(view: View, period: Period, filters: Filters, by: str) -> None:
    groups = view.ask(questions.funnel_compare, period=period, by=cast("Dimension", by), filters=filters)
    if groups.empty:
        st.info(_("There is nothing to compare in this period."), icon=":material/inbox:")
        return
    groups = groups.assign(group=groups["group"].where(groups["group"] != "", _("None")))
    bars = groups.assign(value=groups["rate_from_start"].fillna(1.0))
    title = _("Share of the cohort that reached each stage, by {dimension}", dimension=_(BY_NAMES[by]).lower())
    names = dict(zip(groups["group_key"], groups["group"], strict=True))
    stages = dict(zip(groups["stage_key"], groups["stage"], strict=True))

    def choose(data: Sequence[Any]) -> tuple[Selection, str] | None:
        if len(data) < 2 or str(data[0]) not in stages or str(data[1]) not in names:
            return None
        selection = Selection(f"reached:{data[0]}", period, filters, cast("Dimension", by), str(data[1]))
        return selection, f"{names[str(data[1])]}: " + _("Reached {stage}", stage=stages[str(data[0])])

    figure = grouped_bars(bars, unit="rate", title=title, dark=view.dark, large=view.large)
    chart(view, figure, key=f"funnel-by-{by}", alt=title, choose=choose)
    team_note(by)
    if len(names) >= _GROUPS_SHOWN:
        st.caption(_("The {n} largest groups are shown.", n=_GROUPS_SHOWN))
    numbers(view, groups, [Column("group", _(BY_NAMES[by])), *_stage_columns(view)], name=f"funnel-by-{by}")


def _stays(view: View, period: Period, filters: Filters) -> None:
    stays = view.ask(questions.time_in_stage, period=period, filters=filters)
    figure = time_in_stage(stays, dark=view.dark, large=view.large)
    chart(
        view, figure, key="funnel-stays", alt=_("Days in each stage"),
        choose=_opener(period, filters, stays, "reached", N_("Reached {stage}")),
    )  # fmt: skip
    columns = [
        Column("stage", _("Stage")),
        Column("completed", _("Stays that ended"), "count"),
        Column("median_days", _("Median"), "days"),
        Column("p90_days", _("90th percentile"), "days"),
        Column("expected_days", _("Expected"), "days"),
        Column("still_inside", _("Still inside"), "count"),
        Column("still_inside_median_days", _("Their median so far"), "days"),
    ]
    numbers(view, stays, columns, name="funnel-stays")


def _losses(view: View, period: Period, filters: Filters) -> None:
    losses = view.ask(questions.losses_by_stage, period=period, filters=filters)
    names = {
        (str(row.stage_key), str(row.reason)): (str(row.reason_key), str(row.stage)) for row in losses.itertuples()
    }

    def choose(data: Sequence[Any]) -> tuple[Selection, str] | None:
        found = names.get((str(data[0]), str(data[1]))) if len(data) > 1 else None
        if found is None:
            return None
        title = _("Lost at {stage}: {reason}", stage=found[1], reason=data[1])
        return Selection(f"lost_at:{data[0]}:{found[0]}", period, filters), title

    figure = lost_by_stage(losses, dark=view.dark, large=view.large)
    chart(view, figure, key="funnel-losses", alt=_("Where deals were lost, and why"), choose=choose)
    columns = [
        Column("stage", _("Stage")),
        Column("reason", _("Lost reason")),
        Column("count", _("Deals"), "count"),
        Column("value", _("Value"), "money", currency=view.currency),
    ]
    numbers(view, losses, columns, name="funnel-losses")


def _opener(
    period: Period, filters: Filters, stages: pd.DataFrame, measure: str, title: str
) -> Callable[[Sequence[Any]], tuple[Selection, str] | None]:
    names = dict(zip(stages["stage_key"], stages["stage"], strict=True))

    def choose(data: Sequence[Any]) -> tuple[Selection, str] | None:
        key = str(data[0]) if data else ""
        if key not in names:
            return None
        return Selection(f"{measure}:{key}", period, filters), _(title, stage=names[key])

    return choose


def _stage_columns(view: View) -> list[Column]:
    return [
        Column("stage", _("Stage")),
        Column("reached", _("Reached"), "count"),
        Column("value", _("Value"), "money", currency=view.currency),
        Column("rate_from_previous", _("From the stage before"), "rate"),
        Column("rate_from_start", _("From the start"), "rate"),
        Column("still_open", _("Still open here"), "count"),
        Column("lost_here", _("Lost here"), "count"),
    ]


def _previous_columns() -> list[Column]:
    return [
        Column("reached_before", _("Reached, period before"), "count"),
        Column("rate_before", _("From the stage before, period before"), "rate"),
    ]
