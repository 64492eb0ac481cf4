"""The widgets of the Forecast page: which series, how far, and the events of the scenario."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import streamlit as st

from core.access.actors import Reach
from core.analytics.filters import number
from core.forecasting.calendar import Event
from core.i18n import N_, _, format_date, format_rate
from core.queries.choices import filter_choices
from core.ui.filters import write_address
from core.ui.page import plain
from core.ui.screens.forecast_state import (
    DIMENSIONS,
    FREQUENCIES,
    LONGEST,
    LONGEST_NAME,
    MEASURES,
    MOST_EVENTS,
    SHORTEST,
    Shown,
    event_code,
    read_event,
)
from core.ui.way_back import follow

if TYPE_CHECKING:
    from core.forecasting.steps import Frequency
    from core.queries.choices import Choices
    from core.queries.series import Measure
    from core.ui.page import View

DIMENSION_NAMES: Final[dict[str, str]] = {
    "company": N_("Company"),
    "team": N_("Team"),
    "territory": N_("Territory"),
    "product": N_("Product"),
    "channel": N_("Channel"),
}
MEASURE_NAMES: Final[dict[str, str]] = {
    "booked": N_("Booked value"),
    "won": N_("Won deals"),
    "units": N_("Units sold"),
}
FREQUENCY_NAMES: Final[dict[str, str]] = {"month": N_("By month"), "week": N_("By week"), "day": N_("By day")}
AHEAD_NAMES: Final[dict[str, str]] = {
    "month": N_("Months ahead"),
    "week": N_("Weeks ahead"),
    "day": N_("Days ahead"),
}
PREFIX: Final = "forecast-"
_EVENTS: Final = f"{PREFIX}events"


def series_name(view: View, shown: Shown) -> str:
    """Return what the series is, in the reader's words."""
    if shown.dimension == "company":
        return _("Whole company") if view.actor.scope.reach is Reach.ALL else _("All that is yours")
    name = view.ask(filter_choices)[shown.dimension].get(shown.key) or _("None")
    scope = view.actor.scope
    whole = scope.reach is Reach.ALL or (shown.dimension == "team" and number(shown.key) in scope.team_ids)
    return name if whole else _("{name}, what is yours of it", name=name)


def choose_series(view: View, shown: Shown) -> Shown:
    """Draw the choice of series, step and horizon; return what is chosen."""
    choices = view.ask(filter_choices)
    whole = series_name(view, Shown())
    offered = [name for name in DIMENSIONS if name == "company" or choices[name]]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="forecast-bar"):
        dimension = st.segmented_control(
            _("Forecast of"), offered, required=True, wrap=True,
            format_func=lambda code: whole if code == "company" else _(DIMENSION_NAMES[code]),
            key=seeded("of", shown.dimension, offered),
        ) or "company"  # fmt: skip
        key = _choose_key(choices, str(dimension), shown)
        measure: Measure = st.selectbox(
            _("Measure"), MEASURES, format_func=lambda code: _(MEASURE_NAMES[code]), width=150,
            key=seeded("what", shown.measure, list(MEASURES)),
            help=_("Booked value, the number of won deals, or the pieces in them. A deal counts for its main product."),
        )  # fmt: skip
        frequency = cast("Frequency", st.segmented_control(
            _("Time step"), list(FREQUENCIES), format_func=lambda code: _(FREQUENCY_NAMES[code]), required=True,
            key=seeded("by", shown.frequency, list(FREQUENCIES)),
        ) or "month")  # fmt: skip
        usual = shown.horizon if frequency == shown.frequency else Shown.from_params({"by": [frequency]}).horizon
        horizon = st.slider(
            _(AHEAD_NAMES[frequency]), SHORTEST[frequency], LONGEST[frequency], width=260,
            key=seeded(f"ahead-{frequency}", usual),
        )  # fmt: skip
    chosen = replace(
        shown, dimension=str(dimension), key=key, frequency=frequency, horizon=int(horizon), measure=measure
    )
    if chosen.series != shown.series:
        return replace(chosen, masked=(), asked=replace(chosen.asked, reach=None, totals=""))
    if chosen.horizon != shown.horizon and not shown.asked.within:
        return replace(chosen, asked=replace(chosen.asked, reach=None))
    return chosen


def series_title(view: View, shown: Shown) -> str:
    """Return what is forecast, of what."""
    return _("{measure}: {name}", measure=_(MEASURE_NAMES[shown.measure]), name=series_name(view, shown))


def _choose_key(choices: Choices, dimension: str, shown: Shown) -> str:
    if dimension == "company":
        return ""
    names = choices[dimension]
    picked = st.selectbox(
        _(DIMENSION_NAMES[dimension]), list(names), format_func=names.__getitem__, width=220,
        key=seeded(f"key-{dimension}", shown.key if dimension == shown.dimension else "", list(names)),
    )  # fmt: skip
    return str(picked)


def choose_events(shown: Shown) -> Shown:
    """Draw the events with the form for another; return the page with those listed."""
    codes: list[str] = st.session_state.setdefault(_EVENTS, [event_code(event) for event in shown.all_events])
    events = [event for event in map(read_event, codes) if event is not None]
    label = _("Events ({n})", n=len(events)) if events else _("Events")
    with st.popover(label, icon=":material/event:", width="stretch"):
        st.caption(_("Promotions, fairs, launches. With an uplift they change the scenario only; without one the "
                     "effect is learned from the same event in the past."))  # fmt: skip
        for place, event in enumerate(events):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(plain(event_words(event)), width="stretch")
                st.button(
                    "", icon=":material/delete:", key=f"forecast-drop-{place}", type="tertiary",
                    help=_("Remove {name}", name=plain(event.name)), on_click=_drop, args=(place, event),
                )  # fmt: skip
        with st.form("forecast-event", clear_on_submit=True, border=False):
            name = st.text_input(_("Name"), max_chars=LONGEST_NAME, key="forecast-event-name")
            days = st.date_input(
                _("First and last day"), value=cast("Any", ()), format="YYYY-MM-DD", key="forecast-event-days"
            )
            uplift = st.number_input(
                _("Expected uplift, %"), -100, 1000, value=None, step=5, key="forecast-event-uplift",
                help=_("20 means 20% more on each of these days. Leave it empty to learn it from the past."),
            )  # fmt: skip
            if st.form_submit_button(_("Add event"), icon=":material/add:", key="forecast-add"):
                problem = _added(name, days, uplift, codes)
                if problem:
                    st.error(problem)
                else:
                    st.rerun()
    return shown.with_events(events)


def _added(name: str, days: Any, uplift: float | None, codes: list[str]) -> str:
    """Add an event to `codes`; return what is wrong with it, else nothing."""
    name = " ".join(name.split())
    if not name:
        return _("Give the event a name.")
    if not isinstance(days, tuple) or not days:
        return _("Choose its first and last day.")
    if len(codes) >= MOST_EVENTS:
        return _("At most {n} events.", n=MOST_EVENTS)
    share = None if uplift is None else uplift / 100
    codes.append(event_code(Event(name, days[0], days[-1] + timedelta(days=1), share)))
    return ""


def event_words(event: Event) -> str:
    """Return an event as a line for people."""
    last = event.ends_on - timedelta(days=1)
    days = format_date(event.starts_on)
    if last > event.starts_on:
        days = _("{start} to {end}", start=days, end=format_date(last))
    effect = _("learned from the past")
    if event.uplift is not None:
        effect = ("+" if event.uplift >= 0 else "") + format_rate(event.uplift, 0)
    return f"{event.name} · {days} · {effect}"


def show(shown: Shown) -> None:
    """Have the next run draw the page as `shown` says: a callback's work."""
    forget_widgets()
    write_address(**shown.to_params())


def forget_widgets() -> None:
    """Have the page's widgets stand where the address says."""
    for name in [key for key in st.session_state if str(key).startswith(PREFIX)]:
        del st.session_state[name]


def _drop(place: int, event: Event) -> None:
    """Take an event out; asked twice, as a browser may, only that one."""
    codes = [code for code in st.session_state[_EVENTS] if read_event(code) is not None]
    if place < len(codes) and read_event(codes[place]) == event:
        st.session_state[_EVENTS] = codes[:place] + codes[place + 1 :]


def seeded(name: str, value: Any, options: list[str] | None = None) -> str:
    """Return the key of a widget that first stands where the address says."""
    key = PREFIX + name
    first = value if options is None or value in options else options[0]
    if key not in st.session_state or (options and st.session_state[key] not in options):
        st.session_state[key] = first
    return follow(key, first)
