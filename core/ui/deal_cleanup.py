"""Going through the deals that are long past their expected close: a new day for some, lost for the rest."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.analytics.attention import LONG_DEAD_DAYS
from core.domain.stages import StageKind
from core.errors import SalesError
from core.i18n import MISSING, N_, _, _n, format_money, format_number
from core.queries.deal_needs import deal_versions
from core.queries.deals import DealFilter, deals_page
from core.queries.reference import form_choices
from core.reports.tables import Column, shown
from core.services.deal_bulk import DealAt, Outcome, expect_deals, lose_deals, undo_last_moves
from core.ui.forms import Form, names_of
from core.ui.page import plain
from core.ui.routes import go, page

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from core.ui.page import View

_SHOWN = 200
_ROW, _ROWS = 35, 14  # pixels; rows on screen before the table scrolls
_AHEAD = timedelta(days=30)
_ASKED = "cleanup.asked"
_SURE = "cleanup.sure"
_OUTCOME = "cleanup.outcome"
_ROUND = "cleanup.round"
WAYS = {"expect": N_("New expected close"), "lose": N_("Mark as lost")}


def draw(view: View) -> None:
    """Draw the page: what just became of deals, the deals that are left, and the two ways to deal with them."""
    form = Form(
        view,
        "old_deals",
        {"way": "expect", "expected_close_on": view.today + _AHEAD, "lost_reason_id": None,
         "effective_on": view.today, "note": ""},
        drafted=False,
    )  # fmt: skip
    _carry_out(view, form)
    _say_outcome()
    wanted = DealFilter(states=(StageKind.OPEN,), need="dead")
    found = view.ask(deals_page, wanted=wanted, sort="expected", descending=True, size=_SHOWN)
    if not found.total:
        st.info(
            _("No open deal is more than {n} days past its expected close.", n=LONG_DEAD_DAYS),
            icon=":material/task_alt:",
        )
        if st.button(_("To Today"), icon=":material/today:"):
            go("today")
        return
    value = format_money(found.value, view.currency, compact=True)
    many = _n("{n} deal, {amount}", "{n} deals, {amount}", found.total, n=format_number(found.total), amount=value)
    told = _("More than {n} days past their expected close, and still open. Choose deals and say what becomes of them.",
             n=LONG_DEAD_DAYS)  # fmt: skip
    st.caption(plain(f"{many} · {told}"))
    if found.total > len(found.rows):
        st.caption(_("The latest {n} are shown; the next follow once these are done.", n=len(found.rows)))
    chosen = _table(view, found.rows)
    _ways(view, form, chosen)


def _table(view: View, rows: pd.DataFrame) -> pd.DataFrame:
    columns = [
        Column("name", _("Deal")),
        Column("customer", _("Customer")),
        Column("stage", _("Stage")),
        Column("base_amount", _("Amount"), "money", currency=view.currency),
        Column("expected_close_on", _("Expected close"), "date"),
        *([Column("owner", _("Owner"))] if len(set(rows["owner"])) > 1 else []),
    ]
    turn = st.session_state.get(_ROUND, 0)
    everyone = st.checkbox(_("Choose all {n}", n=format_number(len(rows))), key=f"old-deals-all-{turn}")
    body = rows[[column.key for column in columns]]
    event = st.dataframe(
        body.style.format(cast("Any", {column.key: shown(column, view.zone) for column in columns})),
        hide_index=True,
        column_config={column.key: st.column_config.Column(column.label, width=column.width) for column in columns},
        key=f"old-deals-{turn}",
        placeholder=MISSING,
        on_select="rerun",
        selection_mode="multi-row",
        height=_ROW * (min(len(rows), _ROWS) + 1) + 3,
    )
    if everyone:
        return rows
    picked = [number for number in cast("Any", event).selection.rows if number < len(rows)]
    return rows.iloc[picked]


def _ways(view: View, form: Form, chosen: pd.DataFrame) -> None:
    """Draw the two ways, for the chosen deals as they stand now."""
    numbers = tuple(int(number) for number in chosen["id"])
    versions = view.ask(deal_versions, deal_ids=numbers) if numbers else {}
    deals = tuple(DealAt(number, versions[number]) for number in numbers if number in versions)
    value = format_money(chosen["base_amount"].sum(), view.currency, compact=True) if numbers else ""
    count = format_number(len(deals))
    with st.container(border=True, key="old-deals-ways"):
        st.segmented_control(
            _("What becomes of them?"), list(WAYS), required=True, format_func=lambda way: _(WAYS[way]),
            **form.widget("way"),
        )  # fmt: skip
        sure = st.session_state.get(_SURE)
        if form["way"] == "expect":
            with st.container(width=220, gap="xxsmall"):
                form.day("expected_close_on", _("New expected close"), min_value=view.today)
            form.show_refusal()
            label = _n("Set the day for {n} deal", "Set the day for {n} deals", len(deals), n=count)
            ready = deals and form["expected_close_on"] is not None
            _press(label if deals else _("Choose deals above first"), "event_available", bool(ready), "expect", deals)
            return
        with st.container(horizontal=True, vertical_alignment="top"):
            with st.container(width=260, gap="xxsmall"):
                reasons = names_of(view.ask(form_choices).lost_reasons)
                form.choose("lost_reason_id", _("Why were they lost?"), reasons, optional=True)
            with st.container(width=180, gap="xxsmall"):
                form.day("effective_on", _("Happened on"), max_value=view.today)
        form.text("note", _("Note"), max_chars=1000)
        form.show_refusal()
        if sure is not None and sure == deals and form["lost_reason_id"] is not None:
            _confirm(deals, value, reasons[form["lost_reason_id"]])
            return
        ready = bool(deals) and form["lost_reason_id"] is not None
        label = _n("Mark {n} deal as lost …", "Mark {n} deals as lost …", len(deals), n=count)
        st.button(
            label if deals else _("Choose deals above first"), icon=":material/cancel:", disabled=not ready,
            on_click=_make_sure, args=(deals,), key="old-deals-lose",
        )  # fmt: skip


def _press(label: str, icon: str, ready: bool, way: str, deals: tuple[DealAt, ...]) -> None:
    st.button(
        label, icon=f":material/{icon}:", type="primary", disabled=not ready, on_click=_ask, args=(way, deals),
        key=f"old-deals-{way}-now",
    )  # fmt: skip


def _confirm(deals: tuple[DealAt, ...], value: str, reason: str) -> None:
    count = len(deals)
    st.warning(
        plain(
            _n(
                "{n} deal worth {amount} leaves the pipeline as lost: {reason}.",
                "{n} deals worth {amount} leave the pipeline as lost: {reason}.",
                count, n=format_number(count), amount=value, reason=reason,
            )
        ),
        icon=":material/warning:",
    )  # fmt: skip
    with st.container(horizontal=True):
        _press(_("Yes, they are lost"), "cancel", True, "lose", deals)
        st.button(_("Cancel"), on_click=_make_sure, args=(None,), key="old-deals-not-sure")


def _make_sure(deals: tuple[DealAt, ...] | None) -> None:
    st.session_state[_SURE] = deals


def _ask(way: str, deals: tuple[DealAt, ...]) -> None:
    """Keep what was asked for, of the deals as they stood on the screen, for this run to carry out."""
    st.session_state[_ASKED] = (way, deals)


def _carry_out(view: View, form: Form) -> None:
    asked = st.session_state.pop(_ASKED, None)
    if asked is None:
        return
    way, deals = asked
    st.session_state[_SURE] = None
    try:
        outcome = _changed(view, form, way, deals)
    except SalesError as error:
        form.refuse(error)
        return
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
    st.session_state[_OUTCOME] = (way, outcome)
    if way == "lose":
        form["note"] = ""
    form.problems.clear()
    st.session_state.pop("old_deals.refusal", None)


def _changed(view: View, form: Form, way: str, deals: tuple[DealAt, ...]) -> Outcome:
    if way == "expect":
        on = cast("date | None", form["expected_close_on"])
        return view.do(expect_deals, deals=tuple(DealAt(one.deal_id, one.version, on) for one in deals))
    if way == "lose":
        return view.do(
            lose_deals,
            deals=deals,
            lost_reason_id=form["lost_reason_id"],
            note=form["note"] or "",
            effective_on=form["effective_on"],
        )
    return view.do(undo_last_moves if way == "undo-lose" else expect_deals, deals=deals)


def _say_outcome() -> None:
    """Say what became of the deals, what was left and why, and offer the way back."""
    said = st.session_state.get(_OUTCOME)
    if said is None:
        return
    way, outcome = said
    sentences: dict[str, Callable[[int], str]] = {
        "expect": lambda n: _n("{n} deal has a new expected close.", "{n} deals have a new expected close.", n),
        "lose": lambda n: _n("{n} deal is marked as lost.", "{n} deals are marked as lost.", n),
        "undo-lose": lambda n: _n("{n} deal is back in its stage.", "{n} deals are back in their stages.", n),
        "undo-expect": lambda n: _n("{n} deal has its old day again.", "{n} deals have their old days again.", n),
    }
    with st.container(horizontal=True, vertical_alignment="center", key="old-deals-outcome"):
        if outcome.done:
            st.markdown(f":green[:material/check_circle: {plain(sentences[way](len(outcome.done)))}]")
        if outcome.done and not way.startswith("undo"):
            st.button(
                _("Undo"), icon=":material/undo:", type="tertiary", on_click=_ask,
                args=(f"undo-{way}", outcome.done), key="old-deals-undo",
            )  # fmt: skip
    if outcome.left:
        count = len(outcome.left)
        why = " ".join(dict.fromkeys(sentence for _number, sentence in outcome.left))
        left = _n("{n} deal was left as it is: {why}", "{n} deals were left as they are: {why}", count, why=why)
        st.warning(plain(left), icon=":material/info:")
        for number, _sentence in outcome.left[:5]:
            st.page_link(page("deal").file, label=plain(_("Deal {n}", n=number)), query_params={"id": str(number)})
