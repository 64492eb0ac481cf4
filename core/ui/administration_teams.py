"""Reps and the tree of teams, on the administrator's page about people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.domain.names import named
from core.i18n import _, _n, format_date
from core.queries.administration import open_deal_counts, rep_records, team_tree, territory_choices
from core.reports.tables import Column
from core.services.teams import add_rep, add_team, edit_rep, edit_team
from core.ui import session
from core.ui.administration import Fields, tell
from core.ui.page import plain
from core.ui.tables import table

if TYPE_CHECKING:
    from core.model import Rep, Team
    from core.queries.administration import TeamLine
    from core.ui.page import View

_INDENT = "\u3000"


def rep_names(view: View) -> dict[int, str]:
    """Return the reps' names by number."""
    return {rep.id: named(rep) for rep in view.ask(rep_records)}


def team_names(view: View) -> dict[int, str]:
    """Return the names of the teams in use by number, those below a team after it."""
    return {line.team.id: _INDENT * line.depth + named(line.team) for line in view.ask(team_tree) if line.team.active}


def draw_reps(view: View) -> None:
    """Draw the reps: who sells, in which team, since when."""
    st.caption(_("Who sells, with or without an account. Whoever leaves keeps their deals and numbers in history."))
    reps, counts, teams = view.ask(rep_records), view.ask(open_deal_counts), team_names(view)
    _warn_of_orphans(view, reps, counts)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            _("Edit a rep"),
            reps,
            index=None,
            placeholder=_("Choose"),
            key="rep-chosen",
            format_func=named,
            width=320,
        )
        if st.button(_("Edit"), icon=":material/edit:", disabled=chosen is None, key="rep-edit") and chosen:
            _rep_form(view, chosen, counts.get(chosen.id, 0))
        if st.button(_("New rep"), icon=":material/person_add:", type="primary", key="rep-new"):
            _rep_form(view, None, 0)
    frame = pd.DataFrame(
        [
            {
                "name": named(rep),
                "team": teams.get(rep.team_id or 0, "").strip(_INDENT),
                "joined": rep.joined_on,
                "left": rep.left_on,
                "open": counts.get(rep.id, 0),
                "email": rep.email,
            }
            for rep in reps
        ]
    )
    columns = [
        Column("name", _("Name")),
        Column("team", _("Team")),
        Column("joined", _("Joined on"), "date"),
        Column("left", _("Left on"), "date"),
        Column("open", _("Open deals"), "count"),
        Column("email", _("E-mail")),
    ]
    table(
        view,
        frame,
        columns,
        name="reps",
        empty=_("There are no reps yet. The first one is made here, or by an import."),
    )


def _warn_of_orphans(view: View, reps: list[Rep], counts: dict[int, int]) -> None:
    gone = [rep for rep in reps if rep.left_on is not None and rep.left_on <= view.today and counts.get(rep.id)]
    if gone:
        st.warning(
            _(
                "Deals still open with people who left: {names}. "
                "Sales operations or their team's manager can hand them over on the deal's page.",
                names=", ".join(f"{named(rep)} ({counts[rep.id]})" for rep in gone),
            ),
            icon=":material/assignment_late:",
        )


def _rep_form(view: View, rep: Rep | None, open_deals: int) -> None:
    @session.dialog(plain(named(rep)) if rep else _("New rep"))
    def form() -> None:
        fields = Fields(view, f"rep-{rep.id}-{rep.version}" if rep else "rep-new-form")
        name = fields.text("name", _("Name"), rep.name if rep else "", max_chars=80)
        name_en = fields.text("name_en", _("English name (optional)"), rep.name_en if rep else "", max_chars=80)
        email = fields.text("email", _("E-mail"), rep.email if rep else "", max_chars=200)
        team_id = fields.choose("team_id", _("Team"), team_names(view), rep.team_id if rep else None, optional=True)
        joined_on = fields.day("joined_on", _("Joined on"), rep.joined_on if rep else view.today)
        left_on = fields.day("left_on", _("Left on"), rep.left_on) if rep else None
        if rep and team_id != rep.team_id:
            st.info(
                _("Another team means another manager: numbers of the past move with the rep's own deals."),
                icon=":material/info:",
            )
        if left_on is not None and open_deals:
            st.warning(
                _n(
                    "{n} deal is still open with this person. "
                    "It stays there until sales operations or the team's manager hands it over.",
                    "{n} deals are still open with this person. "
                    "They stay there until sales operations or the team's manager hands them over.",
                    open_deals,
                ),
                icon=":material/assignment_late:",
            )
        if not fields.sent(_("Save")):
            return
        common = {
            "name": name,
            "name_en": name_en,
            "email": email,
            "team_id": team_id,
            "joined_on": joined_on,
        }
        done = (
            fields.do(edit_rep, rep_id=rep.id, version=rep.version, left_on=left_on, **common)
            if rep
            else fields.do(add_rep, **common)
        )
        if done:
            tell(_("Saved."))
            st.rerun()

    form()


def draw_teams(view: View) -> None:
    """Draw the tree of teams."""
    st.caption(_("Teams stand in a tree. A manager sees the team of their account and everything below it."))
    lines = view.ask(team_tree)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            _("Edit a team"),
            lines,
            index=None,
            placeholder=_("Choose"),
            key="team-chosen",
            format_func=lambda line: _INDENT * line.depth + named(line.team),
            width=320,
        )
        if st.button(_("Edit"), icon=":material/edit:", disabled=chosen is None, key="team-edit") and chosen:
            _team_form(view, chosen.team)
        if st.button(_("New team"), icon=":material/group_add:", type="primary", key="team-new"):
            _team_form(view, None)
    places = {place.id: named(place) for place in view.ask(territory_choices)}
    table(
        view,
        pd.DataFrame([_team_row(line, places) for line in lines]),
        [
            Column("name", _("Team")),
            Column("reps", _("Reps"), "count"),
            Column("place", _("Territory")),
            Column("state", _("State")),
        ],
        name="teams",
        empty=_("There are no teams yet."),
    )


def _team_row(line: TeamLine, places: dict[int, str]) -> dict[str, object]:
    mark = f"{_INDENT * line.depth}└ " if line.depth else ""
    return {
        "name": mark + named(line.team),
        "reps": line.reps,
        "place": places.get(line.team.territory_id or 0, ""),
        "state": _("Active")
        if line.team.active
        else _("Retired since {day}", day=format_date(line.team.updated_at.date())),
    }


def _team_form(view: View, team: Team | None) -> None:
    @session.dialog(plain(named(team)) if team else _("New team"))
    def form() -> None:
        fields = Fields(view, f"team-{team.id}-{team.version}" if team else "team-new-form")
        name = fields.text("name", _("Name"), team.name if team else "", max_chars=80)
        name_en = fields.text("name_en", _("English name (optional)"), team.name_en if team else "", max_chars=80)
        above = {number: name for number, name in team_names(view).items() if not team or number != team.id}
        parent_id = fields.choose(
            "parent_id", _("Stands below"), above, team.parent_id if team else None, optional=True
        )
        places = {place.id: named(place) for place in view.ask(territory_choices)}
        territory_id = fields.choose(
            "territory_id", _("Territory"), places, team.territory_id if team else None, optional=True
        )
        active = fields.tick("active", _("In use"), team.active) if team else True
        if team and parent_id != team.parent_id:
            st.info(
                _(
                    "Moving a team changes who sees it: managers above its new place will, "
                    "those above the old one no longer."
                ),
                icon=":material/visibility:",
            )
        if not fields.sent(_("Save")):
            return
        common = {"name": name, "name_en": name_en, "parent_id": parent_id, "territory_id": territory_id}
        done = (
            fields.do(edit_team, team_id=team.id, version=team.version, active=active, **common)
            if team
            else fields.do(add_team, **common)
        )
        if done:
            tell(_("Saved."))
            st.rerun()

    form()
