"""A rep against the team's median, how the rep forecasts, and how the fair row is worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from core.i18n import N_, _, format_days, format_money, format_number, format_rate
from core.queries.leaderboard import leaderboard
from core.queries.leaderboard_fair import ADJUSTMENTS, fair_leaderboard
from core.queries.rep_page import FORECASTING, LEAST_PEOPLE, rep_against_team
from core.reports.tables import Column
from core.ui import session
from core.ui.drill import cells, deals_button
from core.ui.page import plain
from core.ui.phone import PhoneRow, draw_rows, wide
from core.ui.screens import leaderboard_fair as fair
from core.ui.screens.leaderboard import COUNTED_BY
from core.ui.tables import height_of, table

if TYPE_CHECKING:
    from core.analytics.selection import Selection
    from core.ui.page import View
    from core.ui.screens.funnel_state import Asked

NAMES: dict[str, str] = {
    "booked": N_("Booked"), "attainment": N_("Attainment"), "won_count": N_("Won deals"), "win_rate": N_("Win rate"),
    "average_deal": N_("Average deal"), "cycle_days": N_("Sales cycle"), "activities": N_("Activities"),
    "pushed_rate": N_("Deals whose expected close was pushed"), "pushes_a_deal": N_("Pushes a deal"),
    "late_days": N_("Days past the first expected close"), "off_rate": N_("First amount, off by"),
    "high_rate": N_("First amount, too high by"), "margin": N_("Margin"), "margin_rate": N_("Margin rate"),
}  # fmt: skip
_FORECAST_OF = {
    "pushed_rate": "pushed", "pushes_a_deal": "decided", "late_days": "decided", "off_rate": "won", "high_rate": "won",
}  # fmt: skip
"""The deals that each figure of how somebody forecasts is of."""


def draw(view: View, rep_id: int, asked: Asked) -> None:
    """Draw the section."""
    found = view.ask(rep_against_team, rep_id=rep_id, period=asked.period, as_of=asked.as_of)
    rows = {str(row["measure"]): row for row in cast("list[dict[str, Any]]", found.to_dict("records"))}
    st.subheader(_("Against the team"), anchor=False)
    few = max(int(row["people"]) for row in rows.values()) < LEAST_PEOPLE
    st.caption(
        _("Medians of a team are shown from {n} people on, so that nobody's figure can be read from them.",
          n=LEAST_PEOPLE)
        if few
        else _("The median of the people right in the same team, this one too; in the same period.")
    )  # fmt: skip
    shown = pd.DataFrame([
        {"measure": _(NAMES[name]), "own": _said(view, row["own"], row["unit"]),
         "median": _said(view, row["team_median"], row["unit"])}
        for name, row in rows.items()
    ])  # fmt: skip
    columns = [
        Column("measure", _("Figure")), Column("own", _("Own"), "written"),
        Column("median", _("Team's median"), "written"),
    ]  # fmt: skip
    behind = [_behind(asked, name) if row["own"] == row["own"] else None for name, row in rows.items()]
    named = shown.assign(at=range(len(shown)))
    on_cell = cells(view, named, lambda row, column: behind[row["at"]] if column == "own" else None)
    with wide("rep-team"):
        table(view, shown, columns, name="rep-team", height=height_of(len(shown), most=20), on_cell=on_cell)
        if on_cell is not None:
            st.caption(_("Click a number under “Own” to see the deals that it counts."))
    median = "" if few else _("Team's median")
    phone = [
        PhoneRow(0, row["measure"], row["own"], f"{median} {row['median']}" if median else "")
        for row in shown.to_dict("records")
    ]

    def below(place: int) -> None:
        selection = behind[place]
        if selection is not None:
            deals_button(view, selection, label=_("Show deals"), key=f"rep-team-{place}")

    draw_rows(phone, name="rep-team", opens=None, below=below)
    _credit(view, rep_id, asked)
    if "margin" in rows and rows["margin"]["own"] == rows["margin"]["own"]:
        deals_button(
            view, asked.selection("margin", asked.period), label=_("Show the margin of each deal"), key="rep-margin",
        )  # fmt: skip
    st.subheader(_("How this person forecasts"), anchor=False)
    st.text(_forecasting(rows))
    if rows["pushed_rate"]["own"] > 0:
        deals_button(
            view, asked.selection("pushed", asked.period), label=_("Show pushed deals"), key="rep-pushed",
        )  # fmt: skip
    _worked_out(view, rep_id, asked)


def _behind(asked: Asked, figure: str) -> Selection | None:
    """Return the deals that one of the person's own figures counts; None for activities, which are no deals."""
    measure = (COUNTED_BY | _FORECAST_OF).get(figure)
    return asked.selection(measure, asked.period) if measure else None


def _credit(view: View, rep_id: int, asked: Asked) -> None:
    """Say what credit splits make of the person's booked value, and offer the parts."""
    board = view.ask(leaderboard, period=asked.period, filters=asked.filters, splits=True, as_of=asked.as_of)
    for row in cast("list[dict[str, Any]]", board[board["key"] == str(rep_id)].to_dict("records")):
        said = fair.split_said(row, view.currency)
        if said:
            st.caption(plain(_("With credit splits, as Leaderboard has them: {said}", said=said)))
            deals_button(
                view, asked.selection("credited", asked.period), label=_("Show credited parts"), key="rep-credited",
            )  # fmt: skip


def _forecasting(rows: dict[str, dict[str, Any]]) -> str:
    own = {name: rows[name]["own"] for name in FORECASTING}
    if own["pushed_rate"] != own["pushed_rate"]:
        return _("No deal was decided in this period.")
    said = {
        "rate": format_rate(own["pushed_rate"]), "pushes": format_number(own["pushes_a_deal"], 1),
        "days": format_days(abs(own["late_days"])),
    }  # fmt: skip
    told = (
        _("Of the deals decided, {rate} had their expected close pushed, {pushes} times a deal on average; the median "
          "one closed {days} sooner than first expected.", **said)
        if own["late_days"] < 0
        else _("Of the deals decided, {rate} had their expected close pushed, {pushes} times a deal on average; the "
               "median one closed {days} later than first expected.", **said)
    )  # fmt: skip
    if own["off_rate"] != own["off_rate"]:
        return told
    return told + _(
        " Won deals: the first amount was off the last by {off} (median), too high by {high}.",
        off=format_rate(own["off_rate"]), high=format_rate(own["high_rate"]),
    )  # fmt: skip


def _said(view: View, value: float, unit: str) -> str:
    match unit:
        case "money":
            return format_money(value, view.currency, compact=True)
        case "rate":
            return format_rate(value)
        case "days":
            return format_days(value)
        case "number":
            return format_number(value, 1)
    return format_number(value)


def _worked_out(view: View, rep_id: int, asked: Asked) -> None:
    if view.large:
        return
    if st.button(_("How a row is worked out"), icon=":material/calculate:", key="rep-arithmetic"):
        board = view.ask(
            fair_leaderboard, period=asked.period, measure="attainment", adjust=ADJUSTMENTS, as_of=asked.as_of
        )
        mine = board[board["key"] == str(rep_id)]

        @session.dialog(_("How a row is worked out"), width="large")
        def opened() -> None:
            for row in cast("list[dict[str, Any]]", mine.to_dict("records")):
                fair.draw_steps(row, "attainment", ADJUSTMENTS, view.currency)

        opened()
