"""Adopting the scenario of the Forecast page as the sales plan."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pandas as pd
import streamlit as st

from core.access.actions import Action
from core.access.actors import Reach
from core.analytics.filters import number
from core.domain.money import CENT
from core.domain.periods import add_months
from core.domain.plans import PlanSpread
from core.errors import InvalidFields, SalesError
from core.forecasting.scenario_totals import compare
from core.forecasting.steps import ends
from core.i18n import N_, _, format_money, format_month
from core.reports.tables import Column
from core.services.plans import adopt_plan
from core.ui.page import plain
from core.ui.routes import go
from core.ui.screens.forecast_controls import series_name
from core.ui.screens.forecast_fit import forecast_of, series_of
from core.ui.screens.forecast_levers import lever_words
from core.ui.session import dialog
from core.ui.tables import table

if TYPE_CHECKING:
    from datetime import date

    from core.ui.page import View
    from core.ui.screens.forecast_state import Shown

SPREADS: Final[dict[str, str]] = {
    "share": N_("By what each booked in the last 12 months"),
    "capacity": N_("By who is there, new people ramping up"),
}
_KEY = "luopan_plan_key"
NOBODYS: Final = 0
"""Stands for no team and not the company."""


def offer_plan(view: View, shown: Shown) -> None:
    """Offer to make the scenario the plan of the company, or of a team, to those who may; of booked value alone."""
    team = planned_for(view, shown)
    if shown.measure != "booked" or team == NOBODYS:
        return
    label = _("Adopt as the sales plan") if team is None else _("Adopt as the team's plan")
    told = _("The months of this scenario become the plan, spread over teams and reps.")
    if team is not None:
        told += " " + _("It counts for the team and those below it; the company's plan stays as it is.")
    if st.button(label, icon=":material/assignment_turned_in:", key="plan-adopt", width="stretch", help=told):
        st.session_state[_KEY] = uuid4().hex
        _adopt_dialog(view, shown, team)


def planned_for(view: View, shown: Shown) -> int | None:
    """Return the team whose plan the shown series can become, None for the company's, NOBODYS where it is nobody's."""
    everything = view.actor.scope.reach is Reach.ALL
    if shown.dimension == "company" and everything:
        return None if view.may(Action.PLAN_EDIT) else NOBODYS
    team = view.actor.team_id if shown.dimension == "company" else number(shown.key)
    mine = everything or team in view.actor.scope.team_ids
    if shown.dimension not in ("company", "team") or team is None or not mine or not view.may(Action.TEAM_PLAN_EDIT):
        return NOBODYS
    return team


def months_of(view: View, shown: Shown) -> dict[date, Decimal]:
    """Return the scenario's total of each whole month ahead, the running one with what is booked in it, to the cent."""
    forecast = forecast_of(view, shown, series_of(view, shown))
    fit = forecast.fit
    frame = compare(fit, {"plan": shown.levers}, by="month", flow=forecast.flow, booked=forecast.booked)
    frame = frame[frame["scenario"] == "plan"]
    until = ends(fit.future[-1:], fit.frequency)[0].date()
    found = {}
    for starts_on, total in zip(frame["starts_on"], frame["total"], strict=True):
        month = starts_on.date()
        if add_months(month, 1) <= until and month >= view.today.replace(day=1):
            found[month] = max(Decimal(str(total)), Decimal(0)).quantize(CENT)
    return found


def _adopt_dialog(view: View, shown: Shown, team: int | None) -> None:
    @dialog(_("Adopt as the sales plan") if team is None else _("Adopt as the team's plan"), width="medium")
    def opened() -> None:
        months = months_of(view, shown)
        if not months:
            st.info(_("No whole month lies ahead in this forecast."), icon=":material/inbox:")
            return
        name_of = series_name(view, shown)
        st.caption(plain("  ·  ".join([name_of, lever_words(view, shown) or _("all levers neutral")])))
        if team is not None:
            st.caption(_("It counts for the team and those below it; the company's plan stays as it is."))
        first = st.selectbox(_("First month"), list(months), format_func=format_month, key="plan-from")
        months = {month: amount for month, amount in months.items() if month >= first}
        usual = _("Plan from {month}", month=format_month(first))
        if team is not None and shown.dimension == "team":
            usual = _("{team}: plan from {month}", team=name_of, month=format_month(first))
        name = st.text_input(_("Name"), max_chars=80, key="plan-name", value=usual[:80])
        note = st.text_area(_("Note"), max_chars=1000, key="plan-note", height=68)
        by = st.radio(
            _("Spread over the reps"), list(SPREADS), format_func=lambda code: _(SPREADS[code]), key="plan-by"
        )
        frame = pd.DataFrame({"month": list(months), "amount": [float(amount) for amount in months.values()]})
        columns = [Column("month", _("Month"), "month"), Column("amount", _("Plan"), "money", currency=view.currency)]
        table(view, frame, columns, name="plan-months", export=False)
        total = format_money(float(sum(months.values())), view.currency)
        st.text(
            _("Together {total}. The plan before it stays, and counts again if this one is withdrawn.", total=total)
        )
        if not st.button(_("Adopt"), type="primary", icon=":material/assignment_turned_in:", key="plan-send"):
            return
        try:
            view.do(
                adopt_plan, key=st.session_state[_KEY], name=name, note=note, months=months,
                spread_by=PlanSpread(str(by)), levers=shown.levers.to_dict(), ramp_months=shown.levers.ramp_months,
                team_id=team,
            )  # fmt: skip
        except InvalidFields as error:
            st.error(" ".join(error.problems.values()))
        except SalesError as error:
            st.error(error.message())
        else:
            go("plan")

    opened()
