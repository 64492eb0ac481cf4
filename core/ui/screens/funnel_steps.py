"""Funnel, the bottleneck: each step now against before, or a group against the rest, tested; and month by month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.analytics.selection import Selection
from core.charts.funnel_steps import step_differences, step_trend
from core.domain.periods import Period
from core.i18n import _, format_date, format_number, format_points, format_rate
from core.queries import funnel_steps as questions
from core.queries.funnel import funnel_compare
from core.reports.tables import Column
from core.ui.drill import chart, deals_button, numbers
from core.ui.page import plain
from core.ui.screens.funnel_cohort import month_of
from core.ui.screens.funnel_state import BY_NAMES, USUAL_DAYS, choice, chosen, days_chosen, days_said
from core.ui.screens.funnel_words import finding, joined, p_figure, p_said, step_name
from core.ui.screens.overview import months_shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from core.analytics.dimensions import Dimension
    from core.ui.page import View
    from core.ui.screens.funnel_state import Asked

_COMPARABLE = tuple(name for name in BY_NAMES if name not in ("", "lost_reason"))
_CELLS = {
    **dict.fromkeys(("entered", "rate", "low", "high", "value_rate", "points", "interval"), "entered"),
    "went_on": "went_on",
}
"""The deals behind the columns of the tables of steps."""


def draw(view: View, asked: Asked) -> None:
    """Draw the part."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        days = days_chosen(view, "within", default=USUAL_DAYS, label=_("Follow each arrival for"))
        against = choice(
            view, "against", ["", *_COMPARABLE], label=_("Compare"),
            said=lambda code: _("With the period before") if not code else
            _("One against the rest: {dimension}", dimension=_(BY_NAMES[code]).lower()),
        )  # fmt: skip
        key, group = _group(view, asked, against) if against else ("", "")
    if against and not key:
        st.info(_("There is nothing to compare in this period."), icon=":material/inbox:")
        return
    if against:
        changes = view.ask(
            questions.step_changes, period=asked.period, filters=asked.filters, days=days, as_of=asked.as_of,
            by=cast("Dimension", against), key=key,
        )  # fmt: skip
        found = finding(changes, days=days, currency=view.currency, group=group)
        st.markdown(f"**{plain(found.sentence)}**")
        if found.below:
            st.caption(plain(found.below))
    else:
        changes = view.ask(
            questions.step_changes, period=asked.period, filters=asked.filters, days=days, as_of=asked.as_of
        )
    if changes.empty:
        st.info(_("There is nothing to compare in this period."), icon=":material/inbox:")
        return
    _mode(changes, days)
    sides = (group, _("The rest")) if against else (_("This period"), _("Period before"))
    _differences(view, asked, changes, days, sides=sides, by=against, key=key)
    _trend(view, asked, days)


def now_of(step: dict[str, Any]) -> Period:
    """Return the days of the later side of a step."""
    return Period(step["start"], step["end"])


def _before_of(step: dict[str, Any]) -> Period:
    return Period(step["start_before"], step["end_before"])


def _group(view: View, asked: Asked, by: str) -> tuple[str, str]:
    """Offer the groups of a dimension and return key and name of the one chosen."""
    groups = view.ask(funnel_compare, period=asked.period, by=cast("Dimension", by), filters=asked.filters)
    names = {
        str(key): str(name) or _("None") for key, name in zip(groups["group_key"], groups["group"], strict=True)
    }  # fmt: skip
    if not names:
        return "", ""
    if chosen(view, "one", list(names)) == "":
        first = next(iter(names))
        key = choice(view, "one", list(names), label=_(BY_NAMES[by]), said=names.__getitem__, default=first)
    else:
        key = choice(view, "one", list(names), label=_(BY_NAMES[by]), said=names.__getitem__)
    return key or next(iter(names)), names[key or next(iter(names))]


def _mode(changes: pd.DataFrame, days: int) -> None:
    row = cast("dict[str, Any]", changes.iloc[0].to_dict())
    now, before = now_of(row), _before_of(row)
    if not now.days:
        return
    told = _(
        "Arrivals: the deals that reached a stage for the first time from {start} to {end}, each followed for {days}.",
        start=format_date(now.start), end=format_date(now.last_day), days=days_said(days),
    )  # fmt: skip
    if before != now:
        told = joined(told, _(
            "Compared with {start} to {end}.", start=format_date(before.start), end=format_date(before.last_day),
        ))  # fmt: skip
    st.caption(plain(told))


def _differences(
    view: View, asked: Asked, changes: pd.DataFrame, days: int, *, sides: tuple[str, str], by: str, key: str
) -> None:  # fmt: skip
    rows = {str(row["stage_key"]): row for row in cast("list[dict[str, Any]]", changes.to_dict("records"))}
    dimension = cast("Dimension", by) if by else None

    def selected(measure: str, step: dict[str, Any], *, before: bool) -> Selection:
        period = _before_of(step) if before else now_of(step)
        name = f"{measure}:{step['stage_key']}:{days}"
        return asked.selection(name, period, dimension, key if by else None, others=bool(by) and before)

    def choose(data: Sequence[Any]) -> Selection | None:
        step = rows.get(str(data[0])) if data else None
        return None if step is None else selected("stuck", step, before=False)

    figure = step_differences(
        changes, dark=view.dark, large=view.large, now=sides[0], before=sides[1], beside=bool(by)
    )  # fmt: skip
    alt = _("Difference of conversion by step") if by else _("Change of conversion, step by step")
    chart(view, figure, key="funnel-steps", alt=alt, choose=choose)
    _open_sides(view, rows, selected, sides)
    told = changes.assign(
        step=[step_name(row) for row in rows.values()],
        verdict=[_verdict(row, beside=bool(by)) for row in rows.values()],
        points=[format_points(row["difference"]) for row in rows.values()],
        interval=[
            "–" if row["low"] != row["low"]
            else _("{low} to {high}", low=format_points(row["low"]), high=format_points(row["high"]))
            for row in rows.values()
        ],
        **{name: [p_figure(row[name]) for row in rows.values()] for name in ("p_value", "p_adjusted")},
        found_from=[format_rate(row["detectable"]) for row in rows.values()],
    )  # fmt: skip
    columns = [
        Column("step", _("Step")),
        Column("verdict", _("Verdict")),
        Column("rate_before", sides[1], "rate"),
        Column("rate", sides[0], "rate"),
        Column("points", _("Difference"), "written"),
        Column("interval", _("95% interval"), "written"),
        Column("p_value", _("p-value"), "written"),
        Column("p_adjusted", _("p, corrected"), "written", help=_("Holm's correction for the number of steps")),
        Column("entered_before", _("Arrived: {side}", side=sides[1]), "count"),
        Column("entered", _("Arrived: {side}", side=sides[0]), "count"),
        Column("went_on_before", _("Went on: {side}", side=sides[1]), "count"),
        Column("went_on", _("Went on: {side}", side=sides[0]), "count"),
        Column("value_rate_before", _("By value: {side}", side=sides[1]), "rate"),
        Column("value_rate", _("By value: {side}", side=sides[0]), "rate"),
        Column("deals_a_quarter", _("Deals a quarter"), "number"),
        Column("value_a_quarter", _("Worth a quarter"), "money", currency=view.currency),
        Column(
            "found_from",
            _("Difference that would be found") if by else _("Fall that would be found"),
            "written",
            help=_("The smallest difference that is found four times in five")
            if by
            else _("The smallest fall that is found four times in five"),
        ),
    ]

    def behind(row: dict[Any, Any], column: str) -> Selection | None:
        measure = _CELLS.get(column.removesuffix("_before"))
        return selected(measure, row, before=column.endswith("_before")) if measure else None

    numbers(view, told, columns, name="funnel-steps", behind=behind)


def _verdict(row: dict[str, Any], *, beside: bool) -> str:
    if row["p_value"] != row["p_value"]:
        return _("Too few")
    if not row["is_change"]:
        return _("Not enough evidence")
    lower, higher = (_("Lower"), _("Higher")) if beside else (_("Fell"), _("Rose"))
    word = lower if row["difference"] < 0 else higher
    return _("{verdict} ({p})", verdict=word, p=p_said(row["p_adjusted"]))


def _open_sides(view: View, rows: dict[str, dict[str, Any]], selected: Any, sides: tuple[str, str]) -> None:
    """Offer, for one step, the deals of each count: who arrived and who went on, on either side."""
    if view.large or view.query is not None:
        return
    names = {key: step_name(row) for key, row in rows.items()}
    with st.popover(_("Deals of a step"), icon=":material/list:"):
        key = choice(view, "step", list(names), label=_("Step"), said=names.__getitem__, default=next(iter(names)))
        step = rows[key]
        for before, side in ((False, sides[0]), (True, sides[1])):
            suffix = "_before" if before else ""
            entered, went = int(step[f"entered{suffix}"]), int(step[f"went_on{suffix}"])
            for measure, label in (
                ("entered", _("{side}: {n} arrived", side=side, n=format_number(entered))),
                ("went_on", _("{side}: {n} went on", side=side, n=format_number(went))),
                ("stuck", _("{side}: {n} did not go on", side=side, n=format_number(entered - went))),
            ):
                deals_button(
                    view, selected(measure, step, before=before), label=plain(label), key=f"funnel-{measure}{suffix}"
                )


def _trend(view: View, asked: Asked, days: int) -> None:
    period = asked.period
    shown = months_shown(period)
    months = view.ask(questions.step_trend, period=shown, filters=asked.filters, days=days, as_of=asked.as_of)
    keys = {str(row.stage_key) for row in months.itertuples()}

    def choose(data: Sequence[Any]) -> Selection | None:
        if len(data) < 2 or str(data[0]) not in keys:
            return None
        return asked.selection(f"entered:{data[0]}:{days}", month_of(shown, str(data[1])))

    figure = step_trend(months, dark=view.dark, large=view.large)
    chart(view, figure, key="funnel-trend", alt=_("Conversion by month of arrival"), choose=choose)
    told = months.assign(step=months["stage"] + " → " + months["next_stage"])
    columns = [
        Column("month", _("Month"), "month"),
        Column("step", _("Step")),
        Column("entered", _("Arrived"), "count"),
        Column("went_on", _("Went on"), "count"),
        Column("rate", _("Conversion"), "rate"),
        Column("low", _("At least (95%)"), "rate"),
        Column("high", _("At most (95%)"), "rate"),
    ]

    def behind(row: dict[Any, Any], column: str) -> Selection | None:
        month = month_of(shown, str(row["month"]))
        return asked.selection(f"{_CELLS[column]}:{row['stage_key']}:{days}", month) if column in _CELLS else None

    numbers(view, told, columns, name="funnel-trend", behind=behind)
