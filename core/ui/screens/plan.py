"""The sales plan: what was adopted, month by month, beside what was booked; by team and rep, changed here."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.access.actions import Action
from core.access.actors import Reach
from core.analytics.filters import NO_FILTERS
from core.charts.trend import booked_by_month
from core.domain.periods import Period, add_months
from core.errors import SalesError
from core.i18n import _, format_instant, format_month, format_rate
from core.queries.plans import plan_grid, sales_plans
from core.reports.tables import Column
from core.services.plans import restore_plan, withdraw_plan
from core.ui.administration import do, show_what_was_told, tell
from core.ui.cards import said
from core.ui.drill import chart, numbers
from core.ui.empty import begun_elsewhere
from core.ui.filters import address, write_address
from core.ui.page import plain
from core.ui.phone import PhoneRow, draw_rows, wide
from core.ui.screens.overview import booked_in
from core.ui.screens.plan_edit import edit_plan
from core.ui.screens.plan_undo import offer_undo
from core.ui.tables import table
from core.ui.way_back import follow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from core.queries.plans import PlanGrid
    from core.ui.page import View

Totals = dict[Any, dict["date", Decimal]]


def draw(view: View) -> None:
    """Draw the page."""
    show_what_was_told()
    plans = view.ask(sales_plans)
    if plans.empty:
        told = _("There is no sales plan yet. It begins as a scenario: on the Forecast page, leadership or sales "
                 "operations adopts one for the company, and who leads a team one for the team. Then this page sets "
                 "it beside what is booked, month by month, for teams and reps.")  # fmt: skip
        begun_elsewhere(view, told, icon="assignment", where="forecast")
        return
    row = _chosen(view, plans)
    grid = view.ask(plan_grid, plan_id=int(row["id"]))
    mine = _may_change(view, grid)
    _heading(view, row, mine=mine)
    if mine:
        offer_undo(view, grid)
    _against(view, grid)
    _beside(view, grid)
    _parts(view, grid)
    if mine:
        edit_plan(view, grid)


def _may_change(view: View, grid: PlanGrid) -> bool:
    if grid.team_id is None:
        return view.may(Action.PLAN_EDIT)
    reaches = view.actor.scope.reach is Reach.ALL or grid.team_id in view.actor.scope.team_ids
    return reaches and view.may(Action.TEAM_PLAN_EDIT)


def _chosen(view: View, plans: pd.DataFrame) -> dict[Any, Any]:
    rows = {int(row["id"]): row for row in plans.to_dict("records")}
    counting = [number for number, row in rows.items() if row["in_force"]]
    own = view.actor.team_id if view.actor.scope.reach is not Reach.ALL else None
    counting.sort(key=lambda number: rows[number]["team_id"] != own)
    named = (address(view).get("plan") or [""])[0]
    first = int(named) if named.isdigit() and int(named) in rows else (counting or list(rows))[0]
    if len(rows) == 1:
        return rows[first]
    picked = st.selectbox(
        _("Plan"), list(rows), index=list(rows).index(first), key=follow("plan-chosen", first), width=640,
        format_func=lambda number: " · ".join(
            [rows[number]["name"], _whose(rows[number]), _span(rows[number]), _state(rows[number])]
        ),
    )  # fmt: skip
    write_address(plan=str(picked))
    return rows[int(picked)]


def _whose(row: Mapping[Any, Any]) -> str:
    return str(row["team"]) or _("Whole company")


def _span(row: Mapping[Any, Any]) -> str:
    return _("{start} to {end}", start=format_month(row["first_month"]),
             end=format_month(add_months(row["until_month"], -1)))  # fmt: skip


def _state(row: Mapping[Any, Any]) -> str:
    if row["withdrawn_at"] is not None and not pd.isna(row["withdrawn_at"]):
        return _("withdrawn")
    return _("in force") if row["in_force"] else _("replaced")


def _heading(view: View, row: Mapping[Any, Any], *, mine: bool) -> None:
    told = [_whose(row), _span(row), _state(row)]
    if row["adopted_by"]:
        told.append(_("adopted by {name}", name=row["adopted_by"]))
    told.append(format_instant(row["adopted_at"], view.zone))
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(gap="xxsmall"):
            st.markdown(f"**{plain(row['name'])}**")
            st.caption(plain("  ·  ".join(told)))
            if row["note"]:
                st.text(row["note"])
        if not mine:
            return
        withdrawn = row["withdrawn_at"] is not None and not pd.isna(row["withdrawn_at"])
        label = _("Put into force again") if withdrawn else _("Withdraw")
        icon = ":material/undo:" if withdrawn else ":material/block:"
        if st.button(label, icon=icon, key="plan-withdraw", help=_("Can be undone at any time.")):
            try:
                if withdrawn:
                    do(view, restore_plan, plan_id=int(row["id"]))
                    tell(_("The plan is in force again."))
                else:
                    do(view, withdraw_plan, plan_id=int(row["id"]), version=int(row["version"]))
                    tell(_("The plan is withdrawn; the one before it counts."))
            except SalesError as error:
                st.error(plain(error.message()))
            else:
                st.rerun()


def _against(view: View, grid: PlanGrid) -> None:
    planned = {month: float(sum(grid.cells.get((rep.id, month), (Decimal(0), 0))[0] for rep in grid.reps))
               for month in grid.months}  # fmt: skip
    booked = {month: sum(grid.booked.get((rep.id, month), 0.0) for rep in grid.reps) for month in grid.months}
    due = sum(amount * _month(month).elapsed_rate(view.today) for month, amount in planned.items())
    total, so_far = sum(planned.values()), sum(booked.values())
    share = _("{rate} of what is due", rate=format_rate(so_far / due, 0)) if due else ""
    with st.grid(4, min_column_width=170, gap="small", key="cards-plan"):
        for key, title, value, note in (
            ("plan", _("Plan"), total, _span_words(grid)),
            ("due", _("Due by today"), due, _("Months that are over, and of the running one its days so far.")),
            ("booked", _("Booked"), so_far, share),
            ("missing", _("Against the plan"), so_far - due, _("Booked minus what is due by today.")),
        ):
            with st.container(border=True, gap="xxsmall", height="stretch", key=f"card-plan-{key}"):
                st.metric(title, said(value, "money", view.currency))
                if note:
                    st.caption(plain(note))
    frame = pd.DataFrame(
        {
            "month": list(grid.months),
            "booked": [booked[m] if m <= view.today else float("nan") for m in grid.months],
            "plan": [planned[m] for m in grid.months],
        }
    )

    title = _("Plan against actual, by month")
    figure = booked_by_month(frame, dark=view.dark, large=view.large, currency=view.currency, title=title)
    chart(view, figure, key="plan-months", alt=title, choose=partial(booked_in, filters=NO_FILTERS, as_of=None))
    columns = [
        Column("month", _("Month"), "month"),
        Column("plan", _("Plan"), "money", currency=view.currency),
        Column("booked", _("Booked"), "money", currency=view.currency),
        Column("gap", _("Against the plan"), "money", currency=view.currency),
    ]
    numbers(view, frame.assign(gap=frame["booked"] - frame["plan"]), columns, name="plan-by-month")


def _beside(view: View, grid: PlanGrid) -> None:
    """Say how the plan stands to those above and below it: side by side, never added up."""
    if grid.team_id is not None:
        company = grid.beside.get(None, {})
        months = [month for month in grid.months if month in company]
        if not months:
            st.caption(_("The company has no plan for these months; this one counts for the team."))
            return
        own = sum((grid.cells.get((rep.id, month), (Decimal(0), 0))[0] for rep in grid.reps for month in months),
                  Decimal(0))  # fmt: skip
        share = sum((company[month] for month in months), Decimal(0))
        told = _("The company's plan gives the same people {share} in the same months; the team's own is {own} "
                 "({gap}). For the team its own counts, for the company the company's.",
                 share=said(float(share), "money", view.currency), own=said(float(own), "money", view.currency),
                 gap=("+" if own >= share else "") + said(float(own - share), "money", view.currency))  # fmt: skip
        st.caption(plain(told))
    elif grid.beside:
        names = _(", ").join(sorted(grid.teams[team] for team in grid.beside if team is not None))
        told = _("Teams with a plan of their own: {teams}. It counts for the team and changes nothing in the "
                 "company's.", teams=names)  # fmt: skip
        st.caption(plain(told))


def _month(month: date) -> Period:
    return Period(month, add_months(month, 1))


def _span_words(grid: PlanGrid) -> str:
    return _("{start} to {end}", start=format_month(grid.months[0]), end=format_month(grid.months[-1]))


def _parts(view: View, grid: PlanGrid) -> None:
    """Draw the plan by team, each with those below it, and by rep; the parts add up to the whole."""
    st.subheader(_("By team and rep"), anchor=False)
    by_rep: Totals = defaultdict(lambda: defaultdict(Decimal))
    by_team: Totals = defaultdict(lambda: defaultdict(Decimal))
    booked: dict[Any, float] = defaultdict(float)
    for rep in grid.reps:
        lines = grid.line_of(rep.team_id)
        for month in grid.months:
            amount = grid.cells.get((rep.id, month), (Decimal(0), 0))[0]
            by_rep[rep.id][month] += amount
            for team in lines:
                by_team[team][month] += amount
            so_far = grid.booked.get((rep.id, month), 0.0)
            booked["rep", rep.id] += so_far
            for team in lines:
                booked["team", team] += so_far
    rows = [
        _row(grid.teams[team], _("Team"), by_team[team], booked["team", team])
        for team in _teams_in_order(by_team, grid)
    ]
    own = {team: float(sum(months.values())) for team, months in grid.beside.items() if team is not None}
    for row, team in zip(rows, _teams_in_order(by_team, grid), strict=True):
        row["own"] = own.get(team)
    rows += [_row(rep.name, rep.team, by_rep[rep.id], booked["rep", rep.id]) for rep in grid.reps]
    columns = [
        Column("name", _("Name")),
        Column("team", _("Team")),
        Column("plan", _("Plan"), "money", currency=view.currency),
        *([Column("own", _("The team's own plan"), "money", currency=view.currency)] if own else []),
        Column("booked", _("Booked"), "money", currency=view.currency),
        Column("rate", _("Plan done"), "rate"),
        *(Column(month.isoformat(), format_month(month), "money", currency=view.currency) for month in grid.months),
    ]
    with wide("plan"):
        table(view, pd.DataFrame(rows), columns, name="plan", height=520 if len(rows) > 14 else None)
    draw_rows([_phone_row(view, row) for row in rows], name="plan", opens=None)
    st.caption(_("A team counts with all teams below it. Exported as shown, all rows."))


def _phone_row(view: View, row: Mapping[str, Any]) -> PhoneRow:
    booked = _("Booked {amount}", amount=said(row["booked"], "money", view.currency))
    done = f"{_('Plan done')} {format_rate(row['rate'])}" if row["rate"] == row["rate"] else ""
    more = " · ".join(word.replace(" ", "\N{NO-BREAK SPACE}") for word in (row["team"], booked, done) if word)
    return PhoneRow(0, row["name"], said(row["plan"], "money", view.currency), more)


def _teams_in_order(teams: Iterable[int], grid: PlanGrid) -> list[int]:
    """The teams with those above first; of a team's plan, only from that team down."""
    inside = [team for team in teams if grid.team_id is None or grid.team_id in grid.line_of(team)]
    return sorted(inside, key=lambda team: (len(grid.line_of(team)), grid.teams[team]))


def _row(name: str, team: str, months: Mapping[date, Decimal], booked: float) -> dict[str, Any]:
    plan = float(sum(months.values()))
    return {
        "name": name, "team": team, "plan": plan, "booked": booked, "rate": booked / plan if plan else float("nan"),
        **{month.isoformat(): float(amount) for month, amount in months.items()},
    }  # fmt: skip
