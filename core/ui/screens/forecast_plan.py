"""Adopting the scenario of the Forecast page as the sales plan."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

import pandas as pd
import streamlit as st

from core.access.actions import Action
from core.access.actors import Reach
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
from core.ui.screens.forecast_fit import forecast_of, series_of
from core.ui.screens.forecast_flow import flow_of
from core.ui.screens.forecast_levers import lever_words
from core.ui.session import dialog
from core.ui.tables import table

if TYPE_CHECKING:
    from datetime import date
    from typing import Final

    from core.ui.page import View
    from core.ui.screens.forecast_state import Shown

SPREADS: Final[dict[str, str]] = {
    "share": N_("By what each booked in the last 12 months"),
    "capacity": N_("By who is there, new people ramping up"),
}
_KEY = "luopan_plan_key"


def offer_plan(view: View, shown: Shown) -> None:
    """Offer to make the scenario the plan, to those who may, on the whole company's booked value."""
    whole = shown.dimension == "company" and shown.measure == "booked"
    if not view.may(Action.PLAN_EDIT) or view.actor.scope.reach is not Reach.ALL or not whole:
        return
    if st.button(
        _("Adopt as the sales plan"), icon=":material/assignment_turned_in:", key="plan-adopt", width="stretch",
        help=_("The months of this scenario become the plan, spread over teams and reps."),
    ):  # fmt: skip
        st.session_state[_KEY] = uuid4().hex
        _adopt_dialog(view, shown)


def months_of(view: View, shown: Shown) -> dict[date, Decimal]:
    """Return the scenario's total of each whole month ahead, the running one with what is booked in it, to the cent."""
    forecast = forecast_of(view, shown, series_of(view, shown))
    fit = forecast.fit
    frame = compare(fit, {"plan": shown.levers}, by="month", flow=flow_of(view, shown))
    frame = frame[frame["scenario"] == "plan"]
    until = ends(fit.future[-1:], fit.frequency)[0].date()
    found = {}
    for starts_on, total in zip(frame["starts_on"], frame["total"], strict=True):
        month = starts_on.date()
        if add_months(month, 1) <= until and month >= view.today.replace(day=1):
            found[month] = max(Decimal(str(total)), Decimal(0)).quantize(CENT)
    return found


def _adopt_dialog(view: View, shown: Shown) -> None:
    @dialog(_("Adopt as the sales plan"), width="medium")
    def opened() -> None:
        months = months_of(view, shown)
        if not months:
            st.info(_("No whole month lies ahead in this forecast."), icon=":material/inbox:")
            return
        st.caption(plain(lever_words(view, shown) or _("all levers neutral")))
        first = st.selectbox(_("First month"), list(months), format_func=format_month, key="plan-from")
        months = {month: amount for month, amount in months.items() if month >= first}
        name = st.text_input(_("Name"), max_chars=80, key="plan-name",
                             value=_("Plan from {month}", month=format_month(first)))  # fmt: skip
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
            )  # fmt: skip
        except InvalidFields as error:
            st.error(" ".join(error.problems.values()))
        except SalesError as error:
            st.error(error.message())
        else:
            go("plan")

    opened()
