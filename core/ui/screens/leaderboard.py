"""Leaderboard: who booked what, against what was owed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from core.analytics.leaderboard import OF_COSTS
from core.charts.bars import ranked_bars
from core.charts.leaderboard import quota_bars
from core.i18n import N_, _, format_number, format_rate
from core.queries import leaderboard as questions
from core.queries.choices import newest_deal_on
from core.queries.leaderboard_fair import ADJUSTMENTS, Adjustment, fair_leaderboard, ranked_column
from core.queries.leaderboard_teams import team_leaderboard
from core.reports.tables import Column, records
from core.ui.as_of import dated_filters
from core.ui.cards import said
from core.ui.drill import chart, numbers, team_note
from core.ui.empty import nothing_yet
from core.ui.filters import address, write_address
from core.ui.page import plain
from core.ui.phone import PhoneRow, draw_rows, rows_drawn, wide
from core.ui.routes import go
from core.ui.screens import leaderboard_fair as fair
from core.ui.screens.funnel_state import Asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.analytics.selection import Selection
    from core.ui.cards import Unit
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
_COUNTED = {
    "booked": "booked", "attainment": "booked", "won_count": "won", "win_rate": "decided", "average_deal": "won",
    "cycle_days": "won", "margin": "margin", "margin_rate": "margin",
}  # fmt: skip
"""The deals behind each measure that counts deals."""
_SPLITS: Adjustment = "splits"
_IN_PARTS = {"booked": "credited", "margin": "credited_margin"}
"""What counts in place of them where the money of split deals is credited in parts."""
BY_NAMES = {"rep": N_("Reps"), "team": N_("Teams")}
_MEDALS = (":orange[:material/trophy:]", ":gray[:material/workspace_premium:]", ":red[:material/military_tech:]")
_ROCKET = ":green[:material/rocket_launch:]"
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
        told = fair.none_shown(board, by) or _(
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
    _podium(view, ranked, measure, column)
    counted = _COUNTED.get(measure)
    if "splits" in adjust:
        counted = _IN_PARTS.get(counted or "", counted)
    _bars(view, ranked, (by, measure, column), Asked(period, filters, as_of), counted)
    _table(view, board, (by, measure, column))
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
            _("Rank"), list(BY_NAMES), default=by, format_func=lambda code: _(BY_NAMES[code]), key="board-by",
            required=True,
        ) or by  # fmt: skip
        measure = st.selectbox(
            _("By"), measures, index=measures.index(measure),
            format_func=lambda code: _(MEASURES[code][0]), key="board-measure", width=200,
        )  # fmt: skip
        adjust = fair.switches(view, ADJUSTMENTS if by == "rep" else (_SPLITS,))
    write_address(by=None if by == "rep" else by, measure=None if measure == "booked" else measure)
    return by, measure, adjust


def _podium(view: View, ranked: pd.DataFrame, measure: str, column: str) -> None:
    name, unit = ADJUSTED.get(column, MEASURES[measure][0]), MEASURES[measure][1]
    top = ranked.head(len(_MEDALS))
    improved = ranked[ranked["most_improved"] & ranked["previous_value"].notna()]
    if len(ranked) < len(_MEDALS) + 1:
        return
    with st.grid(len(top) + min(len(improved), 1), min_column_width=220, gap="small", key="podium"):
        for medal, row in zip(_MEDALS, records(top), strict=False):
            _winner(view, medal, row, said(row[column], unit, view.currency), _(name))
        for row in records(improved.head(1)):
            gain = _("from {before} to {after}", before=said(row["previous_value"], unit, view.currency),
                     after=said(row[column], unit, view.currency))  # fmt: skip
            _winner(view, _ROCKET, row, _("Most improved"), gain)


def _winner(view: View, mark: str, row: dict[Any, Any], value: str, note: str) -> None:
    with st.container(border=True, gap="xxsmall", height="stretch"):
        st.markdown(f"{'##' if view.large else '####'} {mark} {plain(str(row['name']))}")
        st.text(value)
        st.caption(plain(f"{note} · {row['team']}" if row.get("team") else note))


def _bars(view: View, ranked: pd.DataFrame, of: tuple[str, str, str], asked: Asked, counted: str | None) -> None:
    by, measure, column = of
    name, unit = ADJUSTED.get(column, MEASURES[measure][0]), MEASURES[measure][1]
    open_to_reader = ranked[ranked["inside"]]
    names = dict(zip(open_to_reader["key"], open_to_reader["name"], strict=True))

    def choose(data: Sequence[Any]) -> tuple[Selection, str] | None:
        key = str(data[0]) if data else ""
        if key not in names:
            return None
        if counted is None:
            if by == "rep":
                dated = asked.as_of.to_params() if asked.as_of else {}
                go("rep", id=key, **{name: said[0] for name, said in dated.items()})
            return None
        return asked.selection(counted, asked.period, cast("Any", by), key), f"{names[key]} · {_(name)}"

    own = ranked["key"] == str(view.actor.rep_id)
    ranked = pd.concat([ranked.head(_BARS_SHOWN), ranked[_BARS_SHOWN:][own[_BARS_SHOWN:]]])
    if measure in {"booked", "attainment"} and not fair.some_masked(ranked):
        if column == "fair_attainment":
            ranked = ranked.assign(quota=ranked["fair_quota"], attainment=ranked["fair_attainment"])
        figure = quota_bars(ranked, dark=view.dark, large=view.large, currency=view.currency)
    else:
        rows = ranked.assign(value=ranked[column])
        figure = ranked_bars(
            rows[["key", "name", "value"]], unit=cast("Any", unit), title=_(name), dark=view.dark, large=view.large,
            currency=view.currency,
        )  # fmt: skip
    chart(view, figure, key=f"board-{by}-{measure}", alt=_(name), choose=choose)
    team_note(by)


def _table(view: View, board: pd.DataFrame, of: tuple[str, str, str]) -> None:
    by, measure, column = of
    shown = board.assign(
        change=[_moved(row) for row in board["rank_change"]],
    )
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
        table(view, shown, columns, name="board", opens=opens, id_column="key", height=height, most=_MOST_ROWS)
    unit = MEASURES[measure][1]
    first = shown.head(rows_drawn("board", len(shown)))
    rows = [_phone_row(view, row, column, unit, opens=bool(opens)) for row in records(first)]
    draw_rows(rows, name="board", opens=opens, of=len(shown))


def _phone_row(view: View, row: dict[Any, Any], column: str, unit: Unit, *, opens: bool) -> PhoneRow:
    """Return a place on the board as a phone shows it: rank, name and figure, then what else there is to know."""
    ranked = row["rank"] == row["rank"]  # NaN without a result
    place = f"{format_number(row['rank'])} · " if ranked else ""
    rates = {"attainment": _("Attainment"), "win_rate": _("Win rate")}
    told = [
        str(row.get("team") or ""),
        *(f"{label} {format_rate(row[name])}" for name, label in rates.items()
          if name != column and row[name] == row[name]),
        f"{_('Won deals')} {format_number(row['won_count'])}" if column != "won_count" else "",
        row["change"].replace(" ", "\N{NO-BREAK SPACE}") if ranked else "",
    ]  # fmt: skip
    figure, more = said(row[column], unit, view.currency), " · ".join(word for word in told if word)
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
