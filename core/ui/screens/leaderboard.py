"""Leaderboard: who booked what, against what was owed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from core.analytics.leaderboard import OF_COSTS
from core.charts.bars import ranked_bars
from core.charts.leaderboard import quota_bars
from core.i18n import N_, _, format_number, format_rate
from core.queries import leaderboard as questions
from core.queries.choices import newest_deal_on
from core.queries.leaderboard_board import Adjustment
from core.queries.leaderboard_fair import ADJUSTMENTS, fair_leaderboard, ranked_column
from core.queries.leaderboard_teams import team_leaderboard
from core.reports.tables import Column, is_missing, records
from core.ui.as_of import dated_filters
from core.ui.cards import said
from core.ui.drill import cells, chart, numbers, team_note
from core.ui.empty import nothing_yet
from core.ui.filters import address, write_address
from core.ui.phone import PhoneRow, draw_rows, rows_drawn, wide
from core.ui.routes import go
from core.ui.screens import leaderboard_fair as fair
from core.ui.screens.funnel_state import Asked
from core.ui.screens.leaderboard_podium import draw_podium
from core.ui.way_back import follow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.analytics.selection import Selection
    from core.ui.cards import Unit
    from core.ui.drill import Behind
    from core.ui.page import View

MEASURES: dict[str, tuple[str, Unit]] = {
    "booked": (N_("Booked"), "money"),
    "attainment": (N_("Attainment"), "rate"),
    "won_count": (N_("Won deals"), "count"),
    "win_rate": (N_("Win rate"), "rate"),
    "average_deal": (N_("Average deal"), "money"),
    "cycle_days": (N_("Sales cycle"), "days"),
    "activities": (N_("Activities"), "count"),
    "margin": (N_("Margin"), "money"),
    "margin_rate": (N_("Margin rate"), "rate"),
}
ADJUSTED = {"fair_attainment": N_("Fair attainment"), "shrunk_rate": N_("Drawn-in win rate")}
"""What an adjusted column is called."""
_PLAIN = {"fair_attainment": "attainment", "shrunk_rate": "win_rate"}
"""The figures whose deals an adjusted one counts."""
COUNTED_BY = {
    "booked": "booked", "attainment": "booked", "won_count": "won", "win_rate": "decided", "average_deal": "won",
    "cycle_days": "won", "margin": "margin", "margin_rate": "margin",
}  # fmt: skip
"""The deals behind each measure that counts deals."""
_SPLITS: Adjustment = "splits"
_IN_PARTS = {"booked": "credited", "margin": "credited_margin"}
"""What counts in place of them where the money of split deals is credited in parts."""
BY_NAMES = {"rep": N_("Reps"), "team": N_("Teams")}
_BARS_SHOWN = 20
_ROWS_SHOWN, _MOST_ROWS = 10, 200


def draw(view: View) -> None:
    """Draw the page."""
    as_of, period, filters = dated_filters(view)
    by, measure, adjust = _chosen(view)
    column = measure
    if by == "rep":
        board = view.ask(fair_leaderboard, period=period, measure=measure, filters=filters, adjust=adjust, as_of=as_of)
        column = ranked_column(measure, adjust)
        fair.own_place(view, board)
        board = fair.with_names(board)
    else:
        board = view.ask(
            team_leaderboard, period=period, measure=measure, filters=filters, as_of=as_of, splits="splits" in adjust
        )
        board = fair.with_team_names(board)
    ranked = board[board["rank"].notna()]
    if ranked.empty:
        told = fair.none_shown(view, board, by) or _(
            "Nobody has a result in this period yet: the first won deal opens the ranking."
        )
        if not view.large and view.ask(newest_deal_on) is None:
            nothing_yet(view, told)
        else:
            st.info(told, icon=":material/inbox:")
        if board.empty:
            return
    if measure in OF_COSTS:
        st.caption(known_share(board))
    asked, behind = Asked(period, filters, as_of), partial(_behind, Asked(period, filters, as_of), by, adjust)
    name, unit = ADJUSTED.get(column, MEASURES[measure][0]), MEASURES[measure][1]
    draw_podium(view, ranked, column, (_(name), unit), lambda row: behind(row, measure))
    if not ranked.empty:
        _bars(view, ranked, (by, measure, column), asked, behind)
    _table(view, board, (by, measure, column), asked, behind)
    if by == "rep":
        fair.arithmetic_button(view, board, measure, adjust)


def known_share(board: pd.DataFrame) -> str:
    """Return the sentence that says of how much of the booked value the costs are known."""
    booked, known = float(board["booked"].sum()), float(board["margin_of"].sum())
    if not known:
        return _("No costs are known of what was won in this period. Sales operations enter them with the products.")
    share = format_rate(known / booked)
    return _("Costs are known of {share} of the booked value; the other deals are left out here.", share=share)


def _chosen(view: View) -> tuple[Any, Any, tuple[Adjustment, ...]]:
    params = address(view)
    by = (params.get("by") or ["rep"])[0]
    measure = (params.get("measure") or ["booked"])[0]
    by = by if by in BY_NAMES else "rep"
    costs = view.query is None and view.ask(questions.margins_seen)
    measures = [one for one in MEASURES if costs or one not in OF_COSTS]
    measure = measure if measure in measures else "booked"
    if view.query is not None:
        return by, measure, fair.switches(view)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        by = st.segmented_control(
            _("Rank"), list(BY_NAMES), default=by, format_func=lambda code: _(BY_NAMES[code]),
            key=follow("board-by", by), required=True,
        ) or by  # fmt: skip
        measure = st.selectbox(
            _("By"), measures, index=measures.index(measure),
            format_func=lambda code: _(MEASURES[code][0]), key=follow("board-measure", measure), width=200,
        )  # fmt: skip
        adjust = fair.switches(view, ADJUSTMENTS if by == "rep" else (_SPLITS,))
    write_address(by=None if by == "rep" else by, measure=None if measure == "booked" else measure)
    return by, measure, adjust


def _behind(asked: Asked, by: str, adjust: Sequence[Adjustment], row: dict[Any, Any], column: str) -> Selection | None:
    """Return the deals that a figure of somebody's row counts; None for one that counts none, or not the reader's."""
    counted = COUNTED_BY.get(_PLAIN.get(column, column))
    if counted is None or not row["inside"]:
        return None
    if "splits" in adjust:
        counted = _IN_PARTS.get(counted, counted)
    return asked.selection(counted, asked.period, cast("Any", by), str(row["key"]))


def _bars(view: View, ranked: pd.DataFrame, of: tuple[str, str, str], asked: Asked, behind: Behind) -> None:
    by, measure, column = of
    name, unit = ADJUSTED.get(column, MEASURES[measure][0]), MEASURES[measure][1]
    own = ranked["key"] == str(view.actor.rep_id)
    ranked = pd.concat([ranked.head(_BARS_SHOWN), ranked[_BARS_SHOWN:][own[_BARS_SHOWN:]]])
    rows = {str(row["key"]): row for row in records(ranked[ranked["inside"]])}

    def choose(data: Sequence[Any]) -> Selection | None:
        row = rows.get(str(data[0])) if data else None
        if row is None:
            return None
        found = behind(row, measure)
        if found is None and by == "rep":
            go("rep", id=row["key"], **_dated(asked))
        return found

    if measure in {"booked", "attainment"} and not fair.some_masked(ranked):
        if column == "fair_attainment":
            ranked = ranked.assign(quota=ranked["fair_quota"], attainment=ranked["fair_attainment"])
        figure = quota_bars(ranked, dark=view.dark, large=view.large, currency=view.currency)
    else:
        bars = ranked.assign(value=ranked[column])[["key", "name", "value"]]
        figure = ranked_bars(
            bars, unit=cast("Any", unit), title=_(name), dark=view.dark, large=view.large, currency=view.currency
        )
    chart(view, figure, key=f"board-{by}-{measure}", alt=_(name), choose=choose)
    team_note(by)


def _dated(asked: Asked) -> dict[str, str]:
    """Return the day that is looked from, as an address says it."""
    return {name: said[0] for name, said in asked.as_of.to_params().items()} if asked.as_of else {}


def _table(view: View, board: pd.DataFrame, of: tuple[str, str, str], asked: Asked, behind: Behind) -> None:
    by, measure, column = of
    shown = board.assign(change=[_moved(places) for places in board["rank_change"].tolist()])
    places = [
        Column("rank", _("Rank"), "count"),
        *([Column("range", _("Range of ranks"), help=_(fair.NAMES["range"][1]))] if _ranged(board) else []),
        Column("change", _("Change"), help=_("Places gained or lost against the period before.")),
    ]
    margins = _margin_columns(view, board)
    columns = [
        *(places if fair.compared(board) else []),
        Column("name", _(BY_NAMES[by])),
        *([Column("team", _("Team"))] if by == "rep" else []),
        *(margins if column in OF_COSTS else []),
        Column("booked", _("Booked"), "money", currency=view.currency),
        Column("quota", _("Quota"), "money", currency=view.currency),
        Column("attainment", _("Attainment"), "rate"),
        *_fair_columns(view, column),
        Column(
            "win_rate", _("Win rate"), "rate", help=_("Shown once enough deals are won or lost; Settings say how many.")
        ),
        Column("won_count", _("Won deals"), "count"),
        Column("average_deal", _("Average deal"), "money", currency=view.currency),
        Column("cycle_days", _("Sales cycle"), "days"),
        Column("activities", _("Activities"), "count"),
        *([] if column in OF_COSTS else margins),
    ]
    if view.large:
        numbers(view, shown, columns, name="board")
        return
    from core.ui.tables import table

    opens = "rep" if by == "rep" and bool(board["inside"].all()) else None
    height = 420 if len(shown) > _ROWS_SHOWN else None
    with wide("board"):
        on_cell = cells(view, shown, behind)
        table(
            view, shown, columns, name="board", opens=opens, id_column="key", height=height, most=_MOST_ROWS,
            params=_dated(asked), on_cell=on_cell,
        )  # fmt: skip
        if on_cell is not None and bool(board["inside"].any()):
            st.caption(
                _("Click a number to see the deals that it counts, mark a row to open the person's page.")
                if opens
                else _("Click a number to see the deals that it counts.")
            )
    unit = MEASURES[measure][1]
    first = shown.head(rows_drawn("board", len(shown)))
    rows = [_phone_row(view, row, column, unit, opens=bool(opens)) for row in records(first)]
    draw_rows(rows, name="board", opens=opens, of=len(shown), params=_dated(asked))


def _phone_row(view: View, row: dict[Any, Any], column: str, unit: Unit, *, opens: bool) -> PhoneRow:
    """Return a place on the board as a phone shows it: rank, name and figure, then what else there is to know."""
    ranked = not is_missing(row["rank"])
    place = f"{format_number(row['rank'])} · " if ranked else ""
    rates = {"attainment": _("Attainment"), "win_rate": _("Win rate")}
    told = [
        str(row.get("team") or ""),
        *(f"{label} {format_rate(row[name])}" for name, label in rates.items()
          if name != column and row[name] == row[name]),
        f"{_('Won deals')} {format_number(row['won_count'])}" if column != "won_count" else "",
        row["change"] if ranked else "",
    ]  # fmt: skip
    more = " · ".join(word.replace(" ", "\N{NO-BREAK SPACE}") for word in told if word)
    figure = said(row[column], unit, view.currency)
    return PhoneRow(int(row["key"]) if opens else 0, f"{place}{row['name']}", figure, more)


def _ranged(board: pd.DataFrame) -> bool:
    return "rank_low" in board and bool(board["rank_low"].notna().any())


def _fair_columns(view: View, column: str) -> list[Column]:
    """Return the adjusted figure that decides the ranks, to stand beside the plain one."""
    if column == "fair_attainment":
        return [
            Column("fair_quota", _("Fair quota"), "money", currency=view.currency),
            Column("fair_attainment", _(ADJUSTED[column]), "rate"),
        ]
    if column == "shrunk_rate":
        return [Column("shrunk_rate", _(ADJUSTED[column]), "rate", help=_(fair.NAMES["shrinkage"][1]))]
    return []


def _margin_columns(view: View, board: pd.DataFrame) -> list[Column]:
    """Return the columns of costs where any is known; who may not see them gets none."""
    if not board["margin"].notna().any():
        return []
    about = _("What is left of the won deals whose costs are known.")
    return [
        Column("margin", _("Margin"), "money", currency=view.currency, help=about),
        Column("margin_rate", _("Margin rate"), "rate"),
    ]


def _moved(change: Any) -> str:
    if pd.isna(change):
        return ""
    return "–" if change == 0 else f"{'▲' if change > 0 else '▼'} {format_number(abs(int(change)))}"
