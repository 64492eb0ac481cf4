"""All series: every team, territory, product and channel forecast together, so that the parts add up."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, cast

import pandas as pd
import streamlit as st

from core.access.actors import Reach
from core.analytics.dimensions import NONE
from core.analytics.team_parts import DIRECTLY_IN, OWN
from core.forecasting.many import SeriesForecast, SeriesName
from core.forecasting.steps import step_start
from core.i18n import N_, _, _n, format_estimate, format_instant, format_quarter, format_rate
from core.queries.all_series import COMPANY, SERIES_OF, all_series, forecast_run, series_quotas
from core.queries.choices import filter_choices
from core.reports.tables import Column
from core.ui import routes
from core.ui.cards import said
from core.ui.empty import nothing_yet
from core.ui.filters import address, write_address
from core.ui.page import plain
from core.ui.screens.all_series_run import run_part
from core.ui.screens.forecast_controls import FREQUENCY_NAMES, MEASURE_NAMES
from core.ui.screens.forecast_state import MEASURES
from core.ui.tables import height_of, table
from core.ui.way_back import follow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.domain.periods import Period
    from core.forecasting.many import Together
    from core.model import ForecastRun
    from core.queries.all_series import SeriesTree
    from core.queries.series import Measure
    from core.ui.page import View

GROUPS: Final[dict[str, str]] = {
    "team": N_("Teams"),
    "territory": N_("Territories"),
    "product": N_("Products"),
    "channel": N_("Channels"),
}
STEPS: Final[tuple[Together, ...]] = ("month", "week")
COURSE: Final[dict[Together, int]] = {"month": 6, "week": 13}
"""Steps of forecast drawn after the history."""
MOST_ROWS = 25
ALIKE: Final = 0.005
"""Share of the whole under which two forecasts of it are told alike."""
INDENT: Final = "\N{IDEOGRAPHIC SPACE}"


def draw(view: View) -> None:
    """Draw the page."""
    st.caption(_("Each team, territory, product and channel forecast together, so that the parts add up to the whole."))
    measure, frequency = _chosen(view)
    tree = view.ask(all_series, measure=measure, frequency=frequency)
    kept = view.ask(forecast_run, measure=measure, frequency=frequency)
    if measure != "booked":
        view = view.counting()
    if not len(tree.rows[tree.rows["on"] < step_start(view.today, frequency)]):
        nothing_yet(
            view,
            _("There is nothing to forecast from yet: no deal was won in a complete month or week. Log deals as they "
              "are won, or import your company's past deals, and the forecasts appear here."),
        )  # fmt: skip
        return
    run_part(view, tree, kept)
    if kept is None or not kept.series:
        return
    made = {each.name: each for each in map(SeriesForecast.from_dict, kept.series)}
    _failures(view, made)
    _totals(view, made)
    _groups(view, tree, kept, made)


def _chosen(view: View) -> tuple[Measure, Together]:
    """Offer the measure and the step; return them, as the address says at first."""
    told = address(view)
    measure = cast("Measure", _named(told, "what", MEASURES))
    frequency = cast("Together", _named(told, "by", STEPS))
    measures = {code: _(name) for code, name in MEASURE_NAMES.items()}
    steps = {code: _(FREQUENCY_NAMES[code]) for code in STEPS}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="all-series-bar"):
        measure = st.selectbox(
            _("Measure"), MEASURES, index=MEASURES.index(measure), format_func=measures.__getitem__,
            width=180, key=follow("all-series-what", measure),
            help=_("Booked value, the number of won deals, or the pieces in them. A deal counts for its main product."),
        )  # fmt: skip
        frequency = st.segmented_control(
            _("Time step"), STEPS, default=frequency, format_func=steps.__getitem__, required=True,
            key=follow("all-series-by", frequency),
            help=_("By day each series is on the Forecast page: 90 days ahead do not reach the end of the next "
                   "quarter."),
        ) or "month"  # fmt: skip
    write_address(what=[] if measure == "booked" else [measure], by=[] if frequency == "month" else [frequency])
    return measure, frequency


def _named(told: Mapping[str, list[str]], name: str, offered: Sequence[str]) -> str:
    found = (told.get(name) or [""])[0]
    return found if found in offered else offered[0]


def series_label(view: View, name: SeriesName) -> str:
    """Return what a series is called, in the reader's words."""
    if name.dimension == COMPANY:
        return _("Whole company") if view.actor.scope.reach is Reach.ALL else _("All that is yours")
    names = view.ask(filter_choices)[name.dimension]
    if name.key.endswith(OWN):
        team = name.key.removesuffix(OWN)
        return _(DIRECTLY_IN, team=names.get(team, team))
    return _("None") if name.key == NONE else names.get(name.key, name.key)


def next_quarter(view: View, first: SeriesForecast) -> Period:
    """Return the quarter after the one in which the forecast begins."""
    now = view.calendar.quarter(*view.calendar.quarter_of(first.first))
    return view.calendar.quarter(*view.calendar.quarter_of(now.end))


def frame_of(
    view: View, tree: SeriesTree, made: dict[SeriesName, SeriesForecast], names: list[SeriesName]
) -> pd.DataFrame:
    """Return a row a series: its next quarter, against last year and quota, its error and its course."""
    whole = made[SeriesName(COMPANY, "")]
    quotas = view.ask(series_quotas, period=next_quarter(view, whole)) if tree.measure == "booked" else {}
    rows = []
    for name in names:
        each, quota = made[name], quotas.get(name)
        rows.append(
            {
                "dimension": name.dimension,
                "key": name.key,
                "name": series_label(view, name),
                "quarter": float(round(each.quarter)),
                "low": float(round(each.quarter_low)),
                "high": float(round(each.quarter_high)),
                "year_before": each.year_before,
                "change": each.quarter / each.year_before - 1 if each.year_before else None,
                "share": each.quarter / whole.quarter if whole.quarter else None,
                "quota": quota,
                "against": None if quota is None else float(round(each.quarter - quota)),
                "off": each.off,
                "alone": float(round(each.quarter_alone)),
                "course": [round(value) for value in (*each.history, *each.made[: COURSE[tree.frequency]])],
                "reason": str(each.reason),
            }
        )
    return pd.DataFrame(rows)


def columns_of(view: View, frame: pd.DataFrame) -> list[Column]:
    """Return the columns of the table, without those that nobody has anything in."""
    money = partial(Column, kind="money", currency=view.currency)
    found = [
        Column("name", _("Series")),
        money("quarter", _("Next quarter")),
        money("low", _("80%, low")),
        money("high", _("80%, high")),
        Column("share", _("Of the whole"), "rate"),
        Column("change", _("On last year"), "rate", help=_("Against the same quarter a year before.")),
        money("quota", _("Quota")),
        money("against", _("Against quota")),
        Column(
            "off", _("Error"), "rate",
            help=_("How far past forecasts of three-month totals were off. Missing where the history is too short."),
        ),
        money(
            "alone", _("Alone"),
            help=_("The forecast of this series by itself, before the parts were made to add up."),
        ),
    ]  # fmt: skip
    return [column for column in found if frame[column.key].notna().any()]


def _totals(view: View, made: dict[SeriesName, SeriesForecast]) -> None:
    """Say the whole in one sentence."""
    whole = made[SeriesName(COMPANY, "")]
    period = next_quarter(view, whole)
    st.header(
        plain(
            _(
                "{quarter}: {total} (between {low} and {high}, 80%)",
                quarter=format_quarter(*view.calendar.quarter_of(period.start)),
                total=said(whole.quarter, "money", view.currency),
                low=said(whole.quarter_low, "money", view.currency),
                high=said(whole.quarter_high, "money", view.currency),
            )
        ),
        anchor=False,
    )
    told = []
    if whole.year_before:
        change = whole.quarter / whole.year_before - 1
        told.append(_("{change} on last year", change=("+" if change >= 0 else "") + format_rate(change)))
    if whole.off is not None:
        told.append(_("past forecasts of three-month totals were off by {off}", off=format_rate(whole.off)))
    if told:
        st.markdown(plain("  ·  ".join(told)))
    if abs(whole.quarter_alone - whole.quarter) > ALIKE * abs(whole.quarter):
        alone = said(whole.quarter_alone, "money", view.currency)
        st.caption(
            plain(_("The Forecast page says {alone} for the same quarter, before levers and open deals: there the "
                    "whole is forecast by itself, here it moves so that its parts add up to it.", alone=alone))
        )  # fmt: skip


def _groups(view: View, tree: SeriesTree, kept: ForecastRun, made: dict[SeriesName, SeriesForecast]) -> None:
    """Draw one kind of parts at a time; all of them go into the export."""
    whole = SeriesName(COMPANY, "")
    children = {top: [part for part in parts if part in made] for top, parts in tree.sums if top != whole}
    below = [part for top, parts in tree.sums if top == whole for part in parts if part in made]
    tops = {str(by): [part for part in below if part.dimension == by] for by in SERIES_OF}
    offered = [by for by, parts in tops.items() if parts]
    chosen = (address(view).get("of") or [offered[0]])[0]
    chosen = chosen if chosen in offered else offered[0]
    if st.session_state.get("all-series-of") not in offered:
        st.session_state["all-series-of"] = chosen
    picked = st.segmented_control(
        _("Parts by"), offered, format_func=lambda by: _(GROUPS[by]), required=True,
        key=follow("all-series-of", chosen),
    ) or offered[0]  # fmt: skip
    write_address(of=[] if picked == offered[0] else [str(picked)])
    ordered: list[tuple[SeriesName, int]] = [(whole, 0)]

    def add(parts: list[SeriesName], depth: int) -> None:
        for part in sorted((each for each in parts if each in made), key=lambda each: -made[each].quarter):
            ordered.append((part, depth))
            add(children.get(part, []), depth + 1)

    add(tops[str(picked)], 1)
    frame = frame_of(view, tree, made, [name for name, _depth in ordered])
    frame["name"] = [INDENT * depth + name for name, (_name, depth) in zip(frame["name"], ordered, strict=True)]
    _table(view, tree, frame, str(picked))
    first = tops[str(picked)]
    told = {"n": len(first), "total": format_estimate(sum(made[part].quarter for part in first), view.currency)}
    line = _n("{n} part adds up to {total}, to the month.", "{n} parts add up to {total}, to the month.", len(first),
              **told)  # fmt: skip
    if tree.frequency == "week":
        line = _n("{n} part adds up to {total}, to the week.", "{n} parts add up to {total}, to the week.", len(first),
                  **told)  # fmt: skip
    st.caption(plain(line))
    _explained(view, kept)


def _table(view: View, tree: SeriesTree, frame: pd.DataFrame, group: str) -> None:
    """Draw the table with a course a row; a click on a row's mark opens the series in Forecast."""
    columns = columns_of(view, frame)
    drawn = _("24 months of history and six of forecast.")
    if tree.frequency == "week":
        drawn = _("52 weeks of history and 13 of forecast.")
    course = st.column_config.LineChartColumn(_("Course"), help=drawn, width=150)
    picked = table(
        view,
        frame,
        columns,
        name=f"all-series-{group}",
        drawn={"course": course},
        picks=True,
        height=height_of(len(frame), most=MOST_ROWS),
    )
    if picked is None:
        return
    row = frame.iloc[picked]
    name = SeriesName(str(row["dimension"]), str(row["key"]))
    what = {} if tree.measure == "booked" else {"what": tree.measure}
    by = {} if tree.frequency == "month" else {"by": tree.frequency}
    if name.dimension == COMPANY:
        routes.go("forecast", **what, **by)
    elif name.key in view.ask(filter_choices)[name.dimension]:
        routes.go("forecast", of=name.dimension, key=name.key, **what, **by)
    else:
        st.info(_("This part has no page of its own: it is what is left of the others."), icon=":material/info:")


def _failures(view: View, made: dict[SeriesName, SeriesForecast]) -> None:
    failed = [each for each in made.values() if each.failed]
    if not failed:
        return
    said_so = _n(
        "{n} series could not be fitted as meant; a simpler method answers for it.",
        "{n} series could not be fitted as meant; a simpler method answers for them.", len(failed), n=len(failed),
    )  # fmt: skip
    st.warning(said_so, icon=":material/warning:")
    with st.expander(_("Which, and why")):
        for each in failed:
            st.text(f"{series_label(view, each.name)}: {each.reason}")


def _explained(view: View, kept: ForecastRun) -> None:
    with st.expander(_("How this was computed"), icon=":material/info:"):
        st.text(
            _("Each series is forecast alone, by the method of the Forecast page. These forecasts do not add up, so "
              "each moves a little, least where past forecasts were best: “Alone” is the number before that.")
        )  # fmt: skip
        st.text(
            _("Nothing was won for six months in a series: its forecast is zero. A won deal counts for its main "
              "product, and for the team of the rep who is credited.")
        )  # fmt: skip
        if kept.depth == "first":
            st.text(_("One fit a series, without past forecasts: the nightly run looks back too."))
        st.text(_("Made {when}.", when=format_instant(kept.made_at, view.zone)))
