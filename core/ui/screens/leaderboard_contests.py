"""Contests with their standings, and the honours that people keep."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import pandas as pd
import streamlit as st

from core.access.actions import Action
from core.access.actors import Reach
from core.analytics.credited import CREDITED
from core.analytics.selection import Selection
from core.domain.honours import ContestBy, ContestMeasure
from core.domain.periods import Period, add_months
from core.errors import SalesError
from core.i18n import N_, _, _n, format_date, format_month, format_number
from core.queries import contests as questions
from core.queries.leaderboard_fair import fair_leaderboard
from core.queries.leaderboard_teams import team_leaderboard
from core.reports.tables import Column, is_missing, records
from core.services.contests import call_off_contest, give_awards, hold_contest
from core.ui import session
from core.ui.administration import Fields, show_what_was_told, tell
from core.ui.cards import said
from core.ui.drill import cells, deals_button
from core.ui.page import plain
from core.ui.phone import PhoneRow, draw_rows, wide
from core.ui.routes import page_address
from core.ui.screens.leaderboard import BY_NAMES, COUNTED_BY, MEASURES
from core.ui.screens.leaderboard_fair import none_shown, with_names, with_team_names
from core.ui.tables import height_of, table

if TYPE_CHECKING:
    from core.analytics.dimensions import Dimension
    from core.queries.leaderboard_board import Adjustment
    from core.ui.page import View

AWARDS = {
    "best_seller": (N_("Best seller"), "trophy"), "best_team": (N_("Best team"), "groups"),
    "most_improved": (N_("Most improved"), "rocket_launch"), "first_deal": (N_("First deal won"), "egg"),
    "contest": (N_("Contest won"), "emoji_events"),
}  # fmt: skip
STATES = {"running": N_("Running"), "coming": N_("To come"), "over": N_("Over")}
_COLOURS = {"running": "green", "coming": "blue", "over": "gray"}
SPREAD: tuple[Adjustment, ...] = ("splits",)
"""What is adjusted where people compete: money alone, by credit splits."""
_SHOWN = 5


def draw(view: View) -> None:
    """Draw the page."""
    show_what_was_told()
    listed = view.ask(questions.contests)
    with st.container(horizontal=True):
        if view.may(Action.CONTEST_EDIT):
            if st.button(_("Hold a contest"), icon=":material/add:", type="primary", key="contest-new"):
                _new(view)
            if st.button(_("Give last month's awards"), icon=":material/emoji_events:", key="awards-give"):
                _give(view)
        st.link_button(_("Sales floor screen"), page_address("board"), icon=":material/tv:")
    st.subheader(_("Contests"), anchor=False)
    st.caption(_("Money of a deal that several people share counts for each by their share, as on Leaderboard."))
    if listed.empty:
        none = (
            _("No contest has been announced yet.")
            if view.may(Action.CONTEST_EDIT)
            else _("No contest has been announced yet. Sales operations announce them; the standings appear here.")
        )
        st.info(none, icon=":material/flag:")
    for contest in listed.to_dict("records"):
        _contest(view, cast("dict[str, Any]", contest))
    st.subheader(_("Awards"), anchor=False)
    honours(view, view.ask(questions.awards))


def standings(view: View, contest: dict[str, Any]) -> pd.DataFrame:
    """Return a contest's ranked rows: rank, key, name, team, and the measure as `value`."""
    board = _board(view, contest)
    ranked = board[board["rank"].notna()]
    return ranked.assign(value=ranked[contest["measure"]])


def counts(measure: str) -> str | None:
    """Return the measure of the deals that a contest's figure counts; None where it counts none."""
    counted = COUNTED_BY.get(measure)
    return next((part for part, whole in CREDITED.items() if whole == counted), counted)


def _board(view: View, contest: dict[str, Any]) -> pd.DataFrame:
    period = Period(contest["start"], contest["end"])
    measure = contest["measure"]
    if contest["competing"] == "rep":
        return with_names(view.ask(fair_leaderboard, period=period, measure=measure, adjust=SPREAD))
    return with_team_names(view.ask(team_leaderboard, period=period, measure=measure, splits=True, whole=True))


def _contest(view: View, contest: dict[str, Any]) -> None:
    name = MEASURES[contest["measure"]][0]
    with st.container(border=True, key=f"contest-{contest['id']}"):
        state = f":{_COLOURS[contest['state']]}-badge[{plain(_(STATES[contest['state']]))}]"
        st.markdown(f"#### {plain(contest['name'])} {state}")
        last = contest["end"] - timedelta(days=1)
        parts = [_(BY_NAMES[contest["competing"]]), _(name), f"{format_date(contest['start'])} – {format_date(last)}"]
        if contest["prize"]:
            parts.append(_("Prize: {prize}", prize=contest["prize"]))
        st.caption(plain(" · ".join(parts)))
        if contest["state"] != "coming":
            ranked = standings(view, contest)
            if ranked.empty:
                none = none_shown(view, _board(view, contest), contest["competing"])
                st.text(none or _("Nobody has a result in this period yet."))
            with st.container(gap="xxsmall", width=520):
                for row in ranked.head(_SHOWN).to_dict("records"):
                    _standing(view, contest, cast("dict[str, Any]", row))
        if view.may(Action.CONTEST_EDIT) and st.button(
            _("Call off"), icon=":material/delete:", type="tertiary", key=f"contest-off-{contest['id']}"
        ):
            _call_off(view, contest)


def _standing(view: View, contest: dict[str, Any], row: dict[str, Any]) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.text(format_number(row["rank"]), width=32)
        st.text(row["name"], width="stretch")
        figure, counted = said(row["value"], MEASURES[contest["measure"]][1], view.currency), counts(contest["measure"])
        if counted is None or not row["inside"] or not view.may(Action.DEAL_VIEW):
            st.text(figure, width="content")
            return
        behind = Selection(
            counted, Period(contest["start"], contest["end"]), by=contest["competing"], key=str(row["key"])
        )
        deals_button(view, behind, label=figure, key=f"contest-{contest['id']}-{row['key']}")


def _new(view: View) -> None:
    key = st.session_state.setdefault("contest-key", uuid4().hex)

    @session.dialog(_("Hold a contest"))
    def opened() -> None:
        fields = Fields(view, f"contest-{key}")
        name = fields.text("name", _("Name"), max_chars=80)
        english = fields.text("name_en", _("Name in English (optional)"), max_chars=80)
        competing = fields.choose("competing", _("Who competes"), {by: _(BY_NAMES[by.value]) for by in ContestBy})
        measure = fields.choose("measure", _("Decided by"), {m: _(MEASURES[m.value][0]) for m in ContestMeasure})
        first = fields.day("start", _("First day"), view.today.replace(day=1))
        last = fields.day("end", _("Last day"), add_months(view.today.replace(day=1), 1) - timedelta(days=1))
        prize = fields.text("prize", _("Prize (optional)"), max_chars=200)
        if fields.sent(_("Announce"), icon=":material/campaign:"):
            if first is None or last is None or last < first:
                st.error(_("The last day comes before the first."), icon=":material/block:")
                return
            done = fields.do(
                hold_contest, key=key, name=name, name_en=english, prize=prize, competing=competing, measure=measure,
                period=Period(first, last + timedelta(days=1)),
            )  # fmt: skip
            if done is not None:
                st.session_state.pop("contest-key")
                tell(_("The contest is announced."))
                st.rerun()

    opened()


def _give(view: View) -> None:
    month = add_months(view.today.replace(day=1), -1)
    try:
        count = view.do(give_awards, month=month)
    except SalesError as error:
        st.error(plain(error.message()), icon=":material/block:")
        return
    tell(_n("{n} award is new.", "{n} awards are new.", count) if count else _("No award is new."))
    st.rerun()


def _call_off(view: View, contest: dict[str, Any]) -> None:
    try:
        view.do(call_off_contest, contest_id=contest["id"], version=contest["version"])
    except SalesError as error:
        st.error(plain(error.message()), icon=":material/block:")
        return
    tell(_("The contest is called off."))
    st.rerun()


def honours(view: View, found: pd.DataFrame, *, name: str = "awards") -> None:
    """Draw awards, newest first."""
    if found.empty:
        st.caption(
            _("No awards yet. They are given by themselves once a month is over in which deals were won.")
            if view.actor.scope.reach is Reach.ALL
            else _(
                "No awards here yet. Those that are yours to see appear once the month is over in which they were won."
            )
        )
        return
    shown = found.assign(
        what=[_(AWARDS[kind][0]) for kind in found["kind"]],
        when=[_when(row["start"], row["end"]) for row in found.to_dict("records")],
        figure=[award_figure(view, cast("dict[str, Any]", row)) for row in found.to_dict("records")],
    )
    columns = [
        Column("when", _("When")), Column("what", _("Award")), Column("name", _("For whom")), Column("team", _("Team")),
        Column("contest", _("Contest")), Column("figure", _("With"), "written"),
    ]  # fmt: skip
    height = height_of(len(shown), most=12)
    with wide(name):
        table(view, shown, columns, name=name, height=height, on_cell=cells(view, shown, won_by))
    rows = [
        PhoneRow(
            0 if is_missing(row["rep_id"]) else int(row["rep_id"]),
            row["name"],
            row["figure"],
            " · ".join(filter(None, (row["what"], row["contest"], row["when"]))),
        )
        for row in shown.to_dict("records")
    ]
    behind = [won_by(row, "figure") for row in records(shown)]

    def below(place: int) -> None:
        selection = behind[place]
        if selection is not None:
            deals_button(view, selection, label=_("Show deals"), key=f"{name}-{place}")

    draw_rows(rows, name=name, opens="rep", below=below)
    st.caption(_("An award keeps the figure that it was given with, whatever changes later."))


def won_by(row: dict[Any, Any], column: str) -> Selection | None:
    """Return the deals that an award's figure counts: a first deal's is that one alone, a gain is of no deals."""
    counted = counts(row["measure"])
    if column != "figure" or counted is None or row["kind"] in {"first_deal", "most_improved"}:
        return None
    by: Dimension = "team" if row["kind"] == "best_team" or is_missing(row["rep_id"]) else "rep"
    return Selection(counted, Period(row["start"], row["end"]), by=by, key=str(int(row[f"{by}_id"])))


def award_figure(view: View, row: dict[str, Any]) -> str:
    """Return the figure that an award was won by, in the reader's format; that of the most improved is a gain."""
    figure = said(row["value"], MEASURES[row["measure"]][1], view.currency)
    return f"+{figure}" if row["kind"] == "most_improved" else figure


def _when(start: Any, end: Any) -> str:
    if end == add_months(start, 1) and start.day == 1:
        return format_month(start)
    return f"{format_date(start)} – {format_date(end - timedelta(days=1))}"
