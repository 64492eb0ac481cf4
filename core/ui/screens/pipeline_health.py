"""How sound the pipeline is: its speed, its age, how much hangs on a few, and whether probabilities come true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from core.analytics.as_of import AsOf
from core.analytics.pipeline_health import velocity
from core.analytics.selection import Selection
from core.charts.bars import ranked_bars
from core.charts.progress import calibration
from core.domain.periods import Period, add_months
from core.i18n import N_, _, format_date, format_money, format_number, format_rate
from core.queries.overview import overview_kpis
from core.queries.pipeline_health import pipeline_ages, pipeline_concentration, stage_calibration
from core.reports.tables import Column, records
from core.ui.cards import Card, draw_cards
from core.ui.drill import COUNTED, chart, columns_open, numbers, opening
from core.ui.drill_words import age_name
from core.ui.screens.pipeline_probabilities import offer_observed

if TYPE_CHECKING:
    from core.analytics.filters import Filters
    from core.ui.page import View

_MONTHS = 12
TOP_NAMES: dict[str, str] = {"deals": N_("Top 10 deals"), "customers": N_("Top 10 customers")}
VERDICTS: dict[str, str] = {
    "too_few": N_("Too few to say"),
    "fits": N_("Comes true"),
    "high": N_("Too high"),
    "low": N_("Too low"),
}


def begin_health(view: View, filters: Filters, end: AsOf) -> None:
    """Have what the section asks answered while what stands above it is drawn."""
    period = _decided_in(end)
    view.ahead(pipeline_ages, as_of=end, filters=filters)
    view.ahead(stage_calibration, period=period, as_of=end, filters=filters)
    view.ahead(overview_kpis, period=period, filters=filters, as_of=_past(view, end))
    view.ahead(pipeline_concentration, as_of=end, filters=filters)


def _past(view: View, end: AsOf) -> AsOf | None:
    """Return the past day that is looked from, None for today: figures of now are read off the deals as they are."""
    return None if end == AsOf(view.today) else end


def _decided_in(end: AsOf) -> Period:
    return Period(add_months(end.on, -_MONTHS), end.on)


def draw_health(view: View, filters: Filters, end: AsOf) -> None:
    """Draw the section, as of a day; what was decided is of the twelve months up to it."""
    st.subheader(_("How sound it is"), anchor=False)
    period = _decided_in(end)
    st.caption(
        _("Win rates and cycles are of the twelve months from {start} to {end}.",
          start=format_date(period.start), end=format_date(period.last_day))
    )  # fmt: skip
    _cards(view, filters, end, period)
    left, right = st.columns(2)
    with left:
        _ages(view, filters, end)
    with right:
        _calibration(view, filters, end, period)


def _cards(view: View, filters: Filters, end: AsOf, period: Period) -> None:
    now = records(view.ask(overview_kpis, period=period, filters=filters, as_of=_past(view, end)))[0]
    tops = view.ask(pipeline_concentration, as_of=end, filters=filters)
    speed = velocity(
        open_count=int(now["open_count"]), win_rate=now["win_rate"], average_deal=now["average_deal"],
        cycle_days=now["cycle_days"],
    )  # fmt: skip
    needed = 1 / now["win_rate_by_value"] if now["win_rate_by_value"] else None
    decided = Selection("decided", period, filters, as_of=end)
    cards = [
        Card("velocity", _("Velocity a day"), "money", speed, selection=Selection("open", None, filters, as_of=end),
             label=_("Show deals"),
             note=_("{n} open × {rate} × {average} ÷ {days} days", n=format_number(now["open_count"]),
                    rate=format_rate(now["win_rate"]), days=format_number(now["cycle_days"]),
                    average=format_money(now["average_deal"], view.currency, compact=True)),
             help=_("Expected booking a day: open deals × win rate × average deal ÷ sales cycle.")),
        Card("needed", _("Coverage needed"), "times", needed, selection=decided, label=_("Show deals"),
             note=_("At a win rate of {rate} by value", rate=format_rate(now["win_rate_by_value"])),
             help=_("1 ÷ win rate by value: how much must be open for each unit still missing.")),
    ]  # fmt: skip
    cards += [
        Card(str(row["which"]), _(TOP_NAMES[row["which"]]), "rate", row["share"],
             selection=Selection(f"top:{row['which']}", None, filters, as_of=end), label=_("Show deals"),
             note=format_money(row["value"], view.currency, compact=True),
             help=_("Their share of the open value. The higher it is, the more hangs on a few."))
        for row in cast("list[dict[str, Any]]", tops.to_dict("records"))
    ]  # fmt: skip
    draw_cards(view, cards, key="health")


def _ages(view: View, filters: Filters, end: AsOf) -> None:
    ages = view.ask(pipeline_ages, as_of=end, filters=filters)
    named = ages.assign(name=[age_name(int(age)) for age in ages["age"]])

    def deals(key: str) -> Selection:
        return Selection(f"aged:{key}", None, filters, as_of=end)

    bars = pd.DataFrame({"key": named["age"].astype(str), "name": named["name"], "value": named["value"]})
    title = _("Open value by age")
    figure = ranked_bars(
        bars, unit="money", title=title, dark=view.dark, large=view.large, currency=view.currency,
        subtitle=_("Days since the deal was opened"), value_name=_("Open value"),
    )  # fmt: skip
    chart(view, figure, key="pipeline-ages", alt=title, choose=opening(set(bars["key"]), deals))
    columns = [
        Column("name", _("Age")),
        Column("count", _("Deals"), "count"),
        Column("value", _("Value"), "money", currency=view.currency),
    ]
    behind = columns_open(COUNTED, lambda _measure, row: deals(str(row["age"])))
    numbers(view, named, columns, name="pipeline-ages", behind=behind)


def _calibration(view: View, filters: Filters, end: AsOf, period: Period) -> None:
    found = view.ask(stage_calibration, period=period, as_of=end, filters=filters)
    named = found.assign(said=[_(VERDICTS[code]) for code in found["verdict"]])

    def deals(key: str) -> Selection:
        return Selection(f"stood:{key}", period, filters, as_of=end)

    score = found["brier"].dropna()
    said = (
        _("Brier score {score}: 0 is perfect, 0.25 a coin", score=format_number(score.iloc[0], 3))
        if len(score)
        else None
    )
    figure = calibration(found, dark=view.dark, large=view.large, subtitle=said)
    choose = opening(set(found["stage_key"]), deals)
    chart(view, figure, key="pipeline-calibration", alt=_("Do the probabilities come true?"), choose=choose)
    columns = [
        Column("stage", _("Stage")),
        Column("probability", _("Probability"), "rate"),
        Column("observed", _("Won of those decided"), "rate"),
        Column("low", _("Interval from"), "rate"),
        Column("high", _("Interval to"), "rate"),
        Column("decided", _("Decided deals"), "count"),
        Column("said", _("Verdict")),
    ]
    measures = dict.fromkeys(("observed", "low", "high", "decided"), "")
    behind = columns_open(measures, lambda _measure, row: deals(str(row["stage_key"])))
    numbers(view, named, columns, name="pipeline-calibration", behind=behind)
    offer_observed(view, found, filters, now=end == AsOf(view.today))
