"""The as-of control of the analytic pages: now, or the end of any past day, by today's knowledge or by that day's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import streamlit as st

from core.analytics.as_of import KNOWN, AsOf
from core.domain.periods import Preset
from core.i18n import N_, _, format_date
from core.queries.choices import first_deal_on
from core.ui.filters import address, analysis_filters, write_address
from core.ui.page import plain
from core.ui.sharing import share_button
from core.ui.way_back import follow, said

if TYPE_CHECKING:
    from datetime import date

    from core.analytics.as_of import Known
    from core.analytics.filters import Filters
    from core.domain.periods import Period
    from core.ui.page import View

KNOWN_NAMES: dict[str, str] = {"now": N_("As we know it now"), "then": N_("As it was known then")}
_DAY, _KNOWN = "as-of-day", "as-of-known"
_OF = "luopan_as_of_page"
"""In the session: the page on which the control was drawn last."""


def chosen_as_of(view: View) -> AsOf | None:
    """Return the past day that the page shows, None for now: what its address names, until a reader chooses another."""
    named = AsOf.from_params(address(view), today=view.today)
    named_on, named_by = _parts(named)
    if view.query is not None or st.session_state.get(_OF) != view.name:
        return named
    on, known = said(_DAY, named_on), said(_KNOWN, named_by)
    chosen = AsOf(on, known or "now") if on else None
    if chosen != named:
        write_address(**{"as-of": on and on.isoformat(), "known": known if chosen and known != "now" else None})
    return chosen


def _parts(as_of: AsOf | None) -> tuple[date | None, Known]:
    """Return what the control's day and reading say."""
    return (as_of.on, as_of.known) if as_of else (None, "now")


def dated_filters(view: View, *, default: Preset = Preset.THIS_QUARTER) -> tuple[AsOf | None, Period, Filters]:
    """Draw the filter bar with the as-of control and the share button, and return what it says; None for now."""

    def beside(of: View) -> None:
        as_of_control(of)
        share_button(of)

    as_of = chosen_as_of(view)
    period, filters = analysis_filters(view, default=default, beside=beside, on=as_of.on if as_of else None)
    said_as_of(view)
    return as_of, period, filters


def as_of_control(view: View) -> None:
    """Offer a past day and a reading; what is chosen goes into the address, for `chosen_as_of` to read."""
    if view.query is not None:
        return
    chosen = chosen_as_of(view)
    label = _("As of {day}", day=format_date(chosen.on)) if chosen else _("As of now")
    yesterday = view.today - timedelta(days=1)
    first, (on, known) = view.ask(first_deal_on), _parts(chosen)
    st.session_state[_OF] = view.name
    for key, value in ((_DAY, on), (_KNOWN, known)):
        if st.session_state.get(key) != value:
            st.session_state[key] = value
    with st.popover(label, icon=":material/history:"):
        st.date_input(
            _("As of the end of"), None, min_value=min(first or yesterday, on or yesterday),
            max_value=yesterday, key=follow(_DAY, on), format="YYYY-MM-DD",
            help=_("Left empty, the page shows how things are now."),
        )  # fmt: skip
        st.radio(
            _("By which knowledge"), list(KNOWN), key=follow(_KNOWN, known),
            format_func=lambda code: _(KNOWN_NAMES[code]), disabled=chosen is None,
            captions=[_("With everything that was written down later"), _("Without what was written down later")],
        )  # fmt: skip
        if chosen is not None:
            st.button(_("Back to now"), icon=":material/update:", key="as-of-now", on_click=_forget)


def said_as_of(view: View) -> None:
    """Say under the filters which day and whose knowledge the page shows, where that is not now."""
    chosen = chosen_as_of(view)
    if chosen is None:
        if _day_said(view):
            st.info(
                _("The day in this address is not over yet, or is no day: the page shows how things are now."),
                icon=":material/history_toggle_off:",
            )
        return
    told = (
        N_("How things stood at the end of {day}. As it was known then: what was written down later is left out.")
        if chosen.known == "then"
        else N_("How things stood at the end of {day}. As we know it now: what was written down later is included.")
    )
    st.info(plain(_(told, day=format_date(chosen.on))), icon=":material/history:")


def _day_said(view: View) -> str:
    return (address(view).get("as-of") or [""])[0]


def _forget() -> None:
    st.session_state[_DAY] = None
