"""The board for a television on the sales floor: large type, one panel after another, by itself.

Read from five metres a letter must be some 25 mm high; on a television 1.2 m wide that is type of 2.9 % of the
width, the least that stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.domain.periods import Period, add_months
from core.i18n import _, format_month
from core.queries import contests as questions
from core.queries.leaderboard_fair import fair_leaderboard
from core.queries.leaderboard_teams import team_leaderboard
from core.queries.today_numbers import events_since
from core.ui import session
from core.ui.administration import fresh
from core.ui.cards import said
from core.ui.routes import page
from core.ui.screens.leaderboard import MEASURES
from core.ui.screens.leaderboard_contests import AWARDS, SPREAD, award_figure, standings
from core.ui.screens.leaderboard_fair import with_names, with_team_names

if TYPE_CHECKING:
    import pandas as pd

    from core.ui.page import View

EVERY = 12.0
"""Seconds that a panel stands."""
_ROWS = 8


@dataclass(frozen=True)
class Panel:
    """One picture: a title, and rows of place, who, and figure."""

    title: str
    rows: tuple[tuple[str, str, str], ...]


def draw(view: View) -> None:
    """Draw the board."""
    _set_large()

    @session.fragment(run_every=EVERY)
    def turn() -> None:
        now = fresh(view)
        shown = panels(now)
        at = int(now.now.timestamp() // EVERY) % len(shown)
        _panel(shown[at])

    turn()
    st.page_link(page("leaderboard").file, label=_("Leave the screen"), icon=":material/close:")


def _set_large() -> None:
    """Leave the page to the board, in type that grows with the screen."""
    st.html(
        "<style>"
        '[data-testid="stSidebar"],[data-testid="stHeader"],[data-testid="stExpandSidebarButton"]{display:none}'
        '[data-testid="stMainBlockContainer"]{max-width:none;padding:max(2.5vw,1.5rem) 4vw 1vw}'
        ".st-key-tv{gap:max(.5vw,6px)}"
        ".st-key-tv h1{font-size:clamp(28px,4.4vw,110px);padding:0 0 max(.8vw,12px);line-height:1.15}"
        '.st-key-tv [data-testid="stText"],.st-key-tv [data-testid="stText"] *{font-size:clamp(20px,3.1vw,84px);'
        "font-family:inherit;line-height:1.45;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}"
        '[class*="st-key-tv-row"]{border-bottom:1px solid color-mix(in srgb,currentColor 18%,transparent);'
        "flex-wrap:nowrap}"
        '[class*="st-key-tv-row"]>*{min-width:0;flex:0 0 auto}'
        '[class*="st-key-tv-row"]>:nth-child(2){flex:1 1 0}'
        '[class*="st-key-tv-row"]>:nth-child(2) [data-testid="stText"]{width:100%}'
        '[class*="st-key-tv-row"] [data-testid="stElementContainer"]:last-child [data-testid="stText"]{font-weight:700}'
        "</style>"
    )


def panels(view: View) -> list[Panel]:
    """Return what there is to show now; at least one panel."""
    calendar = view.calendar
    first = view.today.replace(day=1)
    month = Period(first, add_months(first, 1))
    quarter = calendar.quarter(*calendar.quarter_of(view.today))
    found = [
        _ranking(view, _("Booked this month"), month, "booked"),
        _ranking(view, _("Attainment this quarter"), quarter, "attainment"),
        _teams(view, _("Teams this quarter"), quarter),
        _wins(view),
    ]
    running = [row for row in view.ask(questions.contests).to_dict("records") if row["state"] == "running"]
    found += [_contest(view, cast("dict[str, Any]", row)) for row in running]
    found.append(_awards(view))
    filled = [panel for panel in found if panel.rows]
    return filled or [Panel(_("Nobody has a result in this period yet: the first won deal opens the ranking."), ())]


def _ranking(view: View, title: str, period: Period, measure: Any) -> Panel:
    board = with_names(view.ask(fair_leaderboard, period=period, measure=measure, adjust=SPREAD))
    return Panel(title, _lines(view, board[board["rank"].notna()], measure))


def _teams(view: View, title: str, period: Period) -> Panel:
    board = with_team_names(view.ask(team_leaderboard, period=period, measure="booked", splits=True))
    return Panel(title, _lines(view, board[board["rank"].notna()], "booked"))


def _contest(view: View, contest: dict[str, Any]) -> Panel:
    return Panel(contest["name"], _lines(view, standings(view, contest), contest["measure"]))


def _lines(view: View, ranked: pd.DataFrame, measure: str) -> tuple[tuple[str, str, str], ...]:
    unit = MEASURES[measure][1]
    return tuple(
        (str(int(row["rank"])), str(row["name"]), said(row[measure], unit, view.currency))
        for row in ranked.head(_ROWS).to_dict("records")
    )


def _wins(view: View) -> Panel:
    won = view.ask(events_since, since=view.today.replace(day=1), kind="won", limit=_ROWS)
    rows = tuple(
        ("★", f"{row['owner']} · {row['customer']}", said(row["amount"], "money", view.currency))
        for row in won.to_dict("records")
    )
    return Panel(_("Latest wins"), rows)


def _awards(view: View) -> Panel:
    last = add_months(view.today.replace(day=1), -1)
    found = view.ask(questions.awards, since=last)
    rows = tuple(
        ("🏆", f"{_(AWARDS[row['kind']][0])} · {row['name']}", award_figure(view, cast("dict[str, Any]", row)))
        for row in found.head(_ROWS).to_dict("records")
    )
    return Panel(_("Awards of {month}", month=format_month(last)), rows)


def _panel(panel: Panel) -> None:
    from core.ui.page import plain

    with st.container(key="tv"):
        st.title(plain(panel.title), anchor=False)
        for at, (place, who, figure) in enumerate(panel.rows):
            with st.container(horizontal=True, vertical_alignment="center", gap="medium", key=f"tv-row-{at}"):
                st.text(place, width="content")
                st.text(who, width="stretch")
                st.text(figure, width="content")
