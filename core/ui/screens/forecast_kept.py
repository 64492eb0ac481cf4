"""The list of kept scenarios: one's own and those that others share; opened, copied, shared, held against what came."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast
from uuid import uuid4

import pandas as pd
import streamlit as st

from core.charts.forecast_past import past_forecasts_chart
from core.errors import InvalidFields, SalesError
from core.forecasting.steps import ends
from core.i18n import _, format_date, format_instant, format_rate
from core.queries.scenarios import my_scenarios, scenario_audiences, shared_scenarios
from core.queries.series import booked_series
from core.reports.tables import Column
from core.services.scenarios import (
    delete_scenario,
    duplicate_scenario,
    rename_scenario,
    restore_scenario,
    share_scenario,
    stop_sharing_scenario,
)
from core.ui.cards import said
from core.ui.drill import chart
from core.ui.page import plain
from core.ui.screens.forecast_controls import series_name, show
from core.ui.screens.forecast_levers import lever_words, signed_rate
from core.ui.screens.forecast_state import from_saved
from core.ui.session import dialog
from core.ui.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.analytics.dimensions import Dimension
    from core.ui.page import View
    from core.ui.screens.forecast_state import Shown

ASKED = "luopan_scenario_delete"
_GONE = "luopan_scenario_gone"


def list_dialog(view: View, *, on_dismiss: Callable[[], None]) -> None:
    """Open the list."""

    @dialog(_("Scenarios"), width="large", on_dismiss=on_dismiss)
    def opened() -> None:
        kept, theirs = view.ask(my_scenarios), view.ask(shared_scenarios)
        _offer_undo(view)
        if kept.empty and theirs.empty:
            st.info(_("You keep no scenario yet."), icon=":material/inbox:")
        for row in kept.to_dict("records"):
            with st.container(border=True, key=f"scenario-{row['id']}"):
                _kept(view, row, on_dismiss)
        if len(theirs):
            st.markdown(f"**{plain(_('Shared with you'))}**")
        for row in theirs.to_dict("records"):
            with st.container(border=True, key=f"scenario-{row['id']}"):
                _shared(view, row, on_dismiss)

    opened()


def _told(view: View, row: Mapping[Any, Any], saved: Shown, *more: str) -> None:
    st.markdown(f"**{plain(row['name'])}**")
    told = [series_name(view, saved), lever_words(view, saved) or _("all levers neutral")]
    told.append(_("saved {when}, data version {n}", when=format_instant(row["updated_at"], view.zone),
                  n=int(row["data_version"])))  # fmt: skip
    st.caption(plain("  ·  ".join([*told, *more])))
    if row["note"]:
        st.text(row["note"])


def _kept(view: View, row: Mapping[Any, Any], shut: Callable[[], None]) -> None:
    number, saved = int(row["id"]), from_saved(row["series"], row["levers"])
    audiences = view.ask(scenario_audiences)
    known = {team: name or _("Whole company") for team, name in audiences.items()}
    team = None if row["team_id"] is None else int(row["team_id"])
    more = [_("shared with {team}", team=known.get(team, _("a team")))] if row["shared"] else []
    _told(view, row, saved, *more)
    if st.session_state.get(ASKED) == number:
        st.warning(_("Delete this scenario?"), icon=":material/delete:")
        with st.container(horizontal=True):
            if st.button(_("Delete"), type="primary", key=f"scenario-gone-{number}"):
                st.session_state.pop(ASKED, None)
                if _does(view, delete_scenario, scenario_id=number):
                    st.session_state[_GONE] = dict(row)
                    st.rerun(scope="fragment")
            if st.button(_("Keep it"), key=f"scenario-stays-{number}"):
                st.session_state.pop(ASKED)
                st.rerun(scope="fragment")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _open(number, saved, shut)
        _duplicate(view, number)
        with st.popover(_("Rename"), icon=":material/edit:"):
            name = st.text_input(_("Name"), value=row["name"], max_chars=80, key=f"scenario-name-{number}")
            if st.button(_("Rename"), type="primary", key=f"scenario-rename-{number}") and _does(
                view, rename_scenario, scenario_id=number, name=name, version=int(row["version"])
            ):
                st.rerun(scope="fragment")
        _share(view, row, known)
        if st.button(_("Delete"), icon=":material/delete:", key=f"scenario-delete-{number}"):
            st.session_state[ASKED] = number
            st.rerun(scope="fragment")
    _what_came(view, row, saved)


def _shared(view: View, row: Mapping[Any, Any], shut: Callable[[], None]) -> None:
    number, saved = int(row["id"]), from_saved(row["series"], row["levers"])
    _told(view, row, saved, _("by {owner}", owner=row["owner"]))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _open(number, saved, shut)
        _duplicate(view, number)
    _what_came(view, row, saved)


def _open(number: int, saved: Shown, shut: Callable[[], None]) -> None:
    if st.button(_("Open"), icon=":material/open_in_new:", key=f"scenario-open-{number}", on_click=show, args=(saved,)):
        shut()
        st.rerun()


def _duplicate(view: View, number: int) -> None:
    key = st.session_state.setdefault(f"scenario-copy-key-{number}", uuid4().hex)
    if st.button(
        _("Duplicate"), icon=":material/content_copy:", key=f"scenario-copy-{number}",
        help=_("A copy of your own, to change as you like"),
    ) and _does(view, duplicate_scenario, key=key, scenario_id=number):  # fmt: skip
        st.session_state[f"scenario-copy-key-{number}"] = uuid4().hex
        st.rerun(scope="fragment")


def _share(view: View, row: Mapping[Any, Any], known: Mapping[int | None, str]) -> None:
    number, version = int(row["id"]), int(row["version"])
    if row["shared"]:
        if st.button(_("Stop sharing"), icon=":material/group_off:", key=f"scenario-unshare-{number}") and _does(
            view, stop_sharing_scenario, scenario_id=number, version=version
        ):
            st.rerun(scope="fragment")
        return
    if not known:
        return
    with st.popover(_("Share"), icon=":material/group_add:"):
        st.caption(_("They see its name, note, series and levers, laid on what they may see themselves."))
        with_whom = list(known)
        team = st.selectbox(
            _("With whom"), with_whom, format_func=known.__getitem__, key=f"scenario-team-{number}",
            disabled=len(with_whom) == 1,
        )  # fmt: skip
        if st.button(_("Share"), type="primary", key=f"scenario-share-{number}") and _does(
            view, share_scenario, scenario_id=number, version=version, team_id=team
        ):
            st.rerun(scope="fragment")


def _offer_undo(view: View) -> None:
    """Offer to bring back the scenario that was deleted last."""
    gone = st.session_state.get(_GONE)
    if gone is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(_("{name} is deleted.", name=gone["name"]))
        if st.button(_("Undo"), icon=":material/undo:", type="tertiary", key="scenario-undo"):
            st.session_state.pop(_GONE)
            _does(view, restore_scenario, key=uuid4().hex, snapshot=gone)
            st.rerun(scope="fragment")


def _does(view: View, command: Any, **values: Any) -> bool:
    """Run a command; say what it refuses."""
    try:
        view.do(command, **values)
    except InvalidFields as error:
        st.error(" ".join(error.problems.values()))
    except SalesError as error:
        st.error(error.message())
    else:
        return True
    return False


def _what_came(view: View, row: Mapping[Any, Any], saved: Shown) -> None:
    """Hold a scenario against what was booked in the steps that are over since."""
    outlook = row.get("outlook")
    if not outlook:
        return
    if saved.measure != "booked":
        view = view.counting()
    frame = came(view, outlook, saved)
    over = frame.dropna(subset=["actual"])
    if over.empty:
        st.caption(_("What comes will stand beside it from the first whole period on."))
        return
    told = came_words(view, over)
    with st.expander(plain(told), icon=":material/history:", key=f"scenario-came-{row['id']}"):
        actuals = over[["ds", "actual"]].rename(columns={"actual": "y"})
        made_then = frame.rename(columns={"scenario": "forecast"})
        made_then["origin"] = frame["ds"].iloc[0] - pd.Timedelta(days=1)
        figure = past_forecasts_chart(
            actuals, made_then[["origin", "ds", "forecast"]], dark=view.dark, currency=view.currency,
            title=_("What was forecast and what came"),
            subtitle=_("As saved on {day}", day=format_date(date.fromisoformat(outlook["on"]))),
        )  # fmt: skip
        chart(view, figure, key=f"scenario-chart-{row['id']}", alt=_("What was forecast and what came"))
        columns = [
            Column("ds", _("Period"), "month" if saved.frequency == "month" else "date"),
            *(
                Column(name, label, "estimate", currency=view.currency)
                for name, label in (("base", _("Base")), ("scenario", _("Scenario")))
            ),
            Column("actual", _("Actual"), "money", currency=view.currency),
            Column("off", _("Off by"), "rate"),
        ]
        shown = over.assign(ds=over["ds"].dt.date, off=over["actual"] / over["scenario"] - 1)
        table(view, shown, columns, name=f"scenario-{row['id']}")
        inside = ((over["actual"] >= over["lo"]) & (over["actual"] <= over["hi"])).mean()
        st.caption(_("{rate} of the periods lay inside the 80% band.", rate=format_rate(float(inside), 0)))


def came_words(view: View, over: pd.DataFrame) -> str:
    """Say what came where the scenario said what, and what the base had said where the two differ."""
    sums = {name: float(over[name].sum()) for name in ("base", "scenario", "actual")}
    amounts = {name: said(amount, "money", view.currency) for name, amount in sums.items()}
    off = {name: signed_rate(sums["actual"] / sums[name] - 1) if sums[name] else "–" for name in ("base", "scenario")}
    told = _("Since then {actual} came where it said {made} ({off}).", actual=amounts["actual"],
             made=amounts["scenario"], off=off["scenario"])  # fmt: skip
    if amounts["base"] == amounts["scenario"]:
        return told
    return told + " " + _("The base had said {base} ({off}).", base=amounts["base"], off=off["base"])


def came(view: View, outlook: Mapping[str, Any], saved: Shown) -> pd.DataFrame:
    """Return what was forecast with what was booked in each step that is over, NaN in those that are not.

    Columns: ds datetime64; base, scenario, lo, hi, actual float.
    """
    frame = pd.DataFrame({name: outlook[name] for name in ("base", "scenario", "lo", "hi")})
    frame.insert(0, "ds", pd.to_datetime(outlook["ds"]))
    dimension = cast('Dimension | Literal["company"]', saved.dimension)
    rows = view.ask(booked_series, frequency=saved.frequency, dimension=dimension, key=saved.key, measure=saved.measure)
    booked = {pd.Timestamp(on): float(value) for on, value in zip(rows["on"], rows["value"], strict=True)}
    last = pd.Timestamp(view.today - timedelta(days=1))
    over = ends(pd.DatetimeIndex(frame["ds"]), saved.frequency) <= last + pd.Timedelta(days=1)
    frame["actual"] = [
        booked.get(ds, 0.0) if done else float("nan") for ds, done in zip(frame["ds"], over, strict=True)
    ]
    return frame
