"""One rep: the months, the numbers of the period, and the deals."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.analytics.filters import Filters
from core.charts.leaderboard import rep_trend
from core.i18n import _, format_date
from core.queries import leaderboard as questions
from core.queries.contests import awards
from core.queries.overview import overview_kpis
from core.reports.tables import Column, is_missing
from core.ui import lost
from core.ui.administration import show_what_was_told
from core.ui.as_of import as_of_control, chosen_as_of, said_as_of
from core.ui.cards import draw_cards
from core.ui.drill import chart, numbers
from core.ui.filters import analysis_filters, write_address
from core.ui.screens import rep_leaves, rep_team
from core.ui.screens.funnel_state import Asked
from core.ui.screens.leaderboard_contests import honours
from core.ui.screens.overview import booked_in, cards, comparable, month_cells, needed_coverage

if TYPE_CHECKING:
    from core.ui.page import View


def draw(view: View) -> None:
    """Draw the page of the rep whose number stands in the address, or of the reader."""
    show_what_was_told()
    asked = st.query_params.get("id", "")
    number = int(asked) if asked.isascii() and asked.isdigit() else view.actor.rep_id
    if number is None:
        lost.draw_lost()
        return
    card = view.ask(questions.rep_card, rep_id=number).iloc[0]
    joined = card["joined_on"]
    since = _("with us since {day}", day=format_date(joined)) if not is_missing(joined) else ""
    view.heading(str(card["name"]), "  ·  ".join(part for part in (str(card["team"]), since) if part))
    as_of = chosen_as_of(view)
    period, _narrowed = analysis_filters(
        view, without=("team", "rep", "territory", "product", "channel", "segment", "pipeline"), beside=as_of_control,
        on=as_of.on if as_of else None,
    )  # fmt: skip
    said_as_of(view)
    write_address(id=str(number))
    filters = Filters(rep_ids=(number,))
    is_running = (as_of.on if as_of else view.today) in period
    rows = view.ask(overview_kpis, period=period, filters=filters, to_date=is_running, as_of=as_of)
    found: dict[str, dict[str, Any]] = {str(row["row"]): dict(row) for _i, row in rows.iterrows()}
    beside = comparable(view, period)
    needed = needed_coverage(view, filters, as_of)
    draw_cards(view, cards(period, filters, found, view.currency, beside, as_of=as_of, needed=needed), key="rep")
    if is_running and any(beside):
        st.caption(_("Earlier periods are counted up to the same day, so that the comparison is fair."))
    _trend(view, number, Asked(period, filters, as_of))
    rep_team.draw(view, number, Asked(period, filters, as_of))
    kept = view.ask(awards, rep_id=number)
    if not kept.empty:
        st.subheader(_("Awards"), anchor=False)
        honours(view, kept, name="rep-awards")
    rep_leaves.draw(view, number)


def _trend(view: View, number: int, asked: Asked) -> None:
    months = view.ask(questions.rep_trend, rep_id=number, months=12, as_of=asked.as_of)

    figure = rep_trend(months, dark=view.dark, large=view.large, currency=view.currency)
    choose = partial(booked_in, filters=asked.filters, as_of=asked.as_of)
    chart(view, figure, key="rep-trend", alt=_("Booked by month"), choose=choose)
    columns = [
        Column("month", _("Month"), "month"),
        Column("booked", _("Booked"), "money", currency=view.currency),
        Column("quota", _("Quota"), "money", currency=view.currency),
        Column("won", _("Won deals"), "count"),
        Column("lost", _("Lost deals"), "count"),
        Column("win_rate", _("Win rate"), "rate"),
        Column("activities", _("Activities"), "count"),
    ]
    numbers(view, months, columns, name="rep-months", behind=month_cells(asked.filters, asked.as_of))
