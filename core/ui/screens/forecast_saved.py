"""Scenarios kept by name: saved, and compared side by side."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pandas as pd
import streamlit as st

from core.access.actions import Action
from core.charts.forecast import scenario_totals
from core.errors import InvalidFields, SalesError
from core.forecasting.levers import Levers
from core.forecasting.scenarios import apply
from core.i18n import _
from core.queries.scenarios import my_scenarios, shared_scenarios
from core.services.scenarios import ScenarioNameTaken, save_scenario
from core.ui.drill import chart
from core.ui.page import plain
from core.ui.screens.forecast_controls import PREFIX, series_name
from core.ui.screens.forecast_fit import forecast_of
from core.ui.screens.forecast_fit import series_of as prepared_series
from core.ui.screens.forecast_kept import ASKED, list_dialog
from core.ui.screens.forecast_levers import lever_words
from core.ui.screens.forecast_plan import offer_plan
from core.ui.screens.forecast_state import MOST_COMPARED, REDRAWN, read_scenario, scenario_code, series_of
from core.ui.session import dialog
from core.ui.way_back import follow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.forecasting.flow import Flow
    from core.ui.page import View
    from core.ui.screens.forecast_fit import Forecast
    from core.ui.screens.forecast_state import Shown

_FORM_KEY = "luopan_scenario_key"
_TAKEN = "luopan_scenario_taken"
_COMPARED = f"{PREFIX}compared"
_OPEN = "luopan_scenario_dialog"


def choose_compared(view: View, shown: Shown) -> Shown:
    """Offer to save the levers, and to lay kept scenarios on the same series, up to four."""
    if not view.may(Action.SCENARIO_SAVE):
        return shown
    st.divider()
    kept = view.ask(my_scenarios)
    names = {scenario_code(name, levers): name for name, levers in shown.compared}
    for row in kept.to_dict("records"):
        names[scenario_code(row["name"], Levers.from_dict(row["levers"]))] = row["name"]
    theirs = view.ask(shared_scenarios)
    for row in theirs.to_dict("records"):
        called = _("{name} ({owner})", name=row["name"], owner=row["owner"])
        names.setdefault(scenario_code(row["name"], Levers.from_dict(row["levers"])), called)
    first = [scenario_code(name, levers) for name, levers in shown.compared]
    st.session_state[_COMPARED] = [code for code in st.session_state.get(_COMPARED, first) if code in names]
    if names:
        picked = st.multiselect(
            _("Compare with"), list(names), format_func=names.__getitem__,
            key=follow(_COMPARED, st.session_state[_COMPARED]),
            max_selections=MOST_COMPARED, placeholder=_("Saved scenarios"), select_all=False,
            help=_("Up to four. Their levers are laid on the series shown here."),
        )  # fmt: skip
        found = [read_scenario(code) for code in picked]
        shown = replace(shown, compared=tuple(scenario for scenario in found if scenario is not None))
    else:
        shown = replace(shown, compared=())
    opens = bool(st.session_state.pop(REDRAWN, False))  # the page ran by itself: what was open stays open
    offer_plan(view, shown)
    with st.container(horizontal=True):
        if st.button(
            _("Save"), icon=":material/bookmark_add:", key="scenario-save", help=_("Keep these levers by a name")
        ):
            st.session_state[_FORM_KEY] = uuid4().hex
            st.session_state.pop(_TAKEN, None)
            st.session_state[_OPEN], opens = "save", True
        if (len(kept) or len(theirs)) and st.button(
            _("Scenarios"), icon=":material/bookmarks:", key="scenario-list", help=_("Your own, and those of the team")
        ):
            st.session_state.pop(ASKED, None)
            st.session_state[_OPEN], opens = "list", True
    open_now = st.session_state.get(_OPEN) if opens else None
    if open_now == "save":
        _save_dialog(view, shown)
    elif open_now == "list":
        list_dialog(view, on_dismiss=_shut)
    return shown


def _shut() -> None:
    """Forget which dialog is open."""
    st.session_state.pop(_OPEN, None)


def _save_dialog(view: View, shown: Shown) -> None:
    @dialog(_("Save this scenario"), on_dismiss=_shut)
    def opened() -> None:
        st.caption(plain(f"{series_name(view, shown)}  ·  {lever_words(view, shown) or _('all levers neutral')}"))
        name = st.text_input(_("Name"), max_chars=80, key="scenario-name")
        beside = st.empty()
        note = st.text_area(_("Note"), max_chars=1000, key="scenario-note")
        taken = st.session_state.get(_TAKEN)
        replacing = bool(taken) and taken == " ".join(name.split())
        label = _("Replace it") if replacing else _("Save")
        if not st.button(label, type="primary", key="scenario-send"):
            if replacing:
                beside.warning(plain(ScenarioNameTaken(name=taken).message()))
            return
        try:
            view.do(
                save_scenario, key=st.session_state[_FORM_KEY], name=name, note=note, series=series_of(shown),
                levers=shown.levers.to_dict(), replace=replacing, outlook=_outlook(view, shown),
            )  # fmt: skip
        except InvalidFields as error:
            beside.error(" ".join(error.problems.values()))
        except ScenarioNameTaken as error:
            st.session_state[_TAKEN] = " ".join(name.split())
            beside.warning(plain(error.message()))
            st.rerun(scope="fragment")
        except SalesError as error:
            st.error(error.message())
        else:
            _shut()
            st.toast(_("The scenario is saved."), icon=":material/check_circle:")
            st.rerun()

    opened()


def _outlook(view: View, shown: Shown) -> dict[str, Any]:
    """Return what is forecast now, to be held against what comes."""
    forecast = forecast_of(view, shown, prepared_series(view, shown))
    frame = apply(forecast.fit, shown.levers, forecast.flow).frame
    return {
        "ds": [stamp.date().isoformat() for stamp in frame["ds"]],
        "base": apply(forecast.fit).frame["yhat"].tolist(),
        "scenario": frame["yhat"].tolist(), "lo": frame["lo"].tolist(), "hi": frame["hi"].tolist(),
        "on": view.today.isoformat(),
    }  # fmt: skip


def compared_totals(view: View, forecast: Forecast, scenarios: Mapping[str, Levers], flow: Flow) -> None:
    """Draw the totals of the base and the scenarios side by side."""
    base = apply(forecast.fit).total
    rows = [("base", _("Base"), base)]
    rows += [(name, name, apply(forecast.fit, levers, flow).total) for name, levers in scenarios.items()]
    quota = float(forecast.quota.sum())
    figure = scenario_totals(
        pd.DataFrame(rows, columns=["key", "name", "value"]), quota=None if math.isnan(quota) else quota,
        dark=view.dark, large=view.large, currency=view.currency,
    )  # fmt: skip
    chart(view, figure, key="forecast-side-by-side", alt=_("Scenarios compared"))
