"""The filters above an analytic page: kept in its address, so that a copied link opens the same view."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.analytics.filters import Filters
from core.domain.periods import FiscalCalendar, Period, Preset
from core.i18n import N_, _, format_date, format_month, format_quarter
from core.queries.choices import filter_choices, first_deal_on, newest_deal_on
from core.ui.page import plain
from core.ui.way_back import follow, is_way_back, keep_address, said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.queries.choices import Choices
    from core.ui.page import View

Params = dict[str, list[str]]

PRESET_NAMES: dict[Preset, str] = {
    Preset.THIS_MONTH: N_("This month"),
    Preset.LAST_MONTH: N_("Last month"),
    Preset.THIS_QUARTER: N_("This quarter"),
    Preset.LAST_QUARTER: N_("Last quarter"),
    Preset.THIS_YEAR: N_("This year"),
    Preset.LAST_YEAR: N_("Last year"),
    Preset.LAST_12_MONTHS: N_("Last 12 months"),
    Preset.ALL: N_("All time"),
}
FILTER_NAMES: dict[str, str] = {
    "team": N_("Team"),
    "rep": N_("Rep"),
    "territory": N_("Territory"),
    "product": N_("Product"),
    "channel": N_("Channel"),
    "segment": N_("Segment"),
}
CUSTOM = "custom"
_QUARTERS_BACK = 8
_YEARS = range(1970, 2101)
_REMEMBERED = "luopan_filters"
_LEFT_OUT = "luopan_filters_left_out"
_OWN = ("period", "from", "to", "pipeline", *FILTER_NAMES)


def address(view: View) -> Params:
    """Return the page's parameters: the link's own for a share link, else the address's."""
    if view.query is not None:
        return {name: _texts(value) for name, value in view.query.items()}
    return {name: st.query_params.get_all(name) for name in st.query_params}


def write_address(**values: Sequence[str] | str | None) -> None:
    """Put values into the page's address; None and empty ones are taken out. On a way back it stays as it is."""
    if is_way_back():
        return
    for name, value in values.items():
        if not value:
            st.query_params.pop(name, None)
        elif st.query_params.get_all(name) != _texts(value):
            st.query_params[name] = value if isinstance(value, str) else list(value)
    keep_address()


def read_period(
    params: Mapping[str, Sequence[str]], *, calendar: FiscalCalendar, today: date, since: date | None, default: Preset
) -> Period:
    """Return the period that an address names; `default` where it names none that can be read."""
    chosen = _first(params, "period")
    if chosen in set(Preset):
        return calendar.preset(Preset(chosen), today=today, since=since)
    if quarter := _quarter(chosen):
        return calendar.quarter(*quarter)
    try:
        named = Period(date.fromisoformat(_first(params, "from")), date.fromisoformat(_first(params, "to")))
    except ValueError:
        return calendar.preset(default, today=today, since=since)
    if named.start.year in _YEARS and named.end.year in _YEARS:
        return named
    return calendar.preset(default, today=today, since=since)


def _quarter(code: str) -> tuple[int, int] | None:
    """Return the fiscal year and quarter of a code like `2026Q3`, None for what is none."""
    year, _mark, number = code.partition("Q")
    known = year.isdecimal() and number in {"1", "2", "3", "4"} and int(year) in _YEARS
    return (int(year), int(number)) if known else None


def analysis_filters(
    view: View,
    *,
    default: Preset = Preset.THIS_QUARTER,
    without: Sequence[str] = (),
    beside: Callable[[View], None] | None = None,
    on: date | None = None,
) -> tuple[Period, Filters]:
    """Draw the filter bar and return what it says; a share link's filters are shown, not offered.

    `beside` draws something at the end of the bar. `on` is the day that "this quarter" and the like are said of,
    where that is not today.
    """
    params = address(view)
    since = view.ask(first_deal_on)
    if view.query is None:
        choices = view.ask(filter_choices)
        params = open_filters(view, _with_remembered(params), choices)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="filter-bar"):
            params |= _period_control(view, params, default, since)
            params |= _narrowing(choices, params, without)
            if beside is not None:
                beside(view)
        say_left_out()
        st.session_state[_REMEMBERED] = {name: value for name, value in params.items() if name in _OWN}
        write_address(**{name: params.get(name, []) for name in _OWN})
    period = read_period(params, calendar=view.calendar, today=on or view.today, since=since, default=default)
    read = [name for name in (*FILTER_NAMES, "pipeline") if name not in without]
    filters = Filters.from_params({name: params.get(name, []) for name in read})
    st.caption(plain(_said(view, period, filters)))
    if view.query is None:
        _lead_to_newest(view, period)
    return period, filters


def open_filters(view: View, params: Params, choices: Choices) -> Params:
    """Return the address's filters without what is not there or not open to the reader: what is said is what counts.

    `say_left_out` says so, for as long as the filters stay as they are.
    """
    kept = {name: [value for value in params.get(name, []) if value in known] for name, known in choices.items()}
    shown = (view.name, kept)
    if any(len(kept[name]) < len(params.get(name, [])) for name in kept):
        st.session_state[_LEFT_OUT] = shown
    elif st.session_state.get(_LEFT_OUT) != shown:
        st.session_state.pop(_LEFT_OUT, None)
    return params | kept


def say_left_out() -> None:
    """Say that the address names a filter that is not applied."""
    if _LEFT_OUT in st.session_state:
        st.info(
            _("A filter in this address is not there any more or not open to you; the page is not narrowed by it."),
            icon=":material/filter_alt_off:",
        )


def _lead_to_newest(view: View, period: Period) -> None:
    """Where every deal is older than the period, as after an import of old data, offer the newest year."""
    newest = view.ask(newest_deal_on)
    if newest is None or newest >= period.start:
        return
    year = view.calendar.year(view.calendar.year_of(newest))
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="filter-newest"):
        st.text(_("The newest deals are of {month}.", month=format_month(newest)))
        days = _("Show {start} to {end}", start=format_date(year.start), end=format_date(year.last_day))
        st.button(days, key="filter-show-newest", icon=":material/history:", on_click=_show, args=(year,))


def _show(period: Period) -> None:
    """Have the page show a period. Set, not taken out: beside a look a browser may ask for it twice."""
    st.session_state.pop(_REMEMBERED, None)
    st.session_state["filter-period"], st.session_state["filter-days"] = CUSTOM, (period.start, period.last_day)
    write_address(period=None, **{"from": period.start.isoformat(), "to": period.end.isoformat()})


def _with_remembered(params: Params) -> Params:
    if any(name in params for name in _OWN):
        return params
    remembered: Params = st.session_state.get(_REMEMBERED, {})
    return params | remembered


def _period_control(view: View, params: Params, default: Preset, since: date | None) -> Params:
    quarters = _recent_quarters(view)
    options: list[str] = [*(str(preset) for preset in PRESET_NAMES), *quarters, CUSTOM]
    chosen = _first(params, "period") or (CUSTOM if _first(params, "from") else str(default))
    names = {str(preset): _(text) for preset, text in PRESET_NAMES.items()} | quarters | {CUSTOM: _("Own dates …")}
    if chosen not in options and (quarter := _quarter(chosen)):
        options.insert(-1, chosen)
        names[chosen] = format_quarter(*quarter)
    elif chosen not in options:
        chosen = str(default)
    picked = st.selectbox(
        _("Period"), options, index=options.index(chosen), format_func=lambda code: names.get(code, code),
        key=follow("filter-period", chosen), width=190,
    )  # fmt: skip
    if picked != CUSTOM:
        return {"period": [str(picked)], "from": [], "to": []}
    known = read_period(params, calendar=view.calendar, today=view.today, since=since, default=default)
    shown = (known.start, max(known.start, known.last_day))
    days = st.date_input(
        _("From and to"), value=shown, key=follow("filter-days", shown), format="YYYY-MM-DD", width=240,
    )  # fmt: skip
    if len(days) == 2:
        end = days[1] + timedelta(days=1)
        return {"period": [], "from": [days[0].isoformat()], "to": [end.isoformat()]}
    return {"period": [], "from": [known.start.isoformat()], "to": [known.end.isoformat()]}


def _recent_quarters(view: View) -> dict[str, str]:
    found: dict[str, str] = {}
    day = view.today
    for _step in range(_QUARTERS_BACK):
        year, number = view.calendar.quarter_of(day)
        found[f"{year}Q{number}"] = format_quarter(year, number)
        day = view.calendar.quarter(year, number).start - timedelta(days=1)
    return found


def _narrowing(choices: Choices, params: Params, without: Sequence[str]) -> Params:
    here = [name for name in FILTER_NAMES if name not in without]
    offered = {name: choices[name] for name in here if len(choices[name]) > 1 or params.get(name)}
    active = sum(1 for name in offered if said(f"filter-{name}", params.get(name)))
    label = _("Filters ({n})", n=active) if active else _("Filters")
    found: Params = {}
    if not offered and (len(choices["pipeline"]) < 2 or "pipeline" in without):
        return found
    with st.popover(label, icon=":material/tune:"):
        for name, options in offered.items():
            found[name] = st.multiselect(
                _(FILTER_NAMES[name]), list(options), default=params.get(name, []),
                format_func=options.__getitem__, key=follow(f"filter-{name}", list(params.get(name, []))),
                placeholder=_("All"), select_all=False,
            )  # fmt: skip
        pipelines = choices["pipeline"]
        if len(pipelines) > 1 and "pipeline" not in without:
            codes = ["", *pipelines]
            chosen = _first(params, "pipeline")
            chosen = chosen if chosen in codes else ""
            picked = st.selectbox(
                _("Sales process"), codes, index=codes.index(chosen),
                format_func=lambda code: pipelines.get(code, _("All")), key=follow("filter-pipeline", chosen),
            )  # fmt: skip
            found["pipeline"] = [picked] if picked else []
    if active:
        st.button(
            _("Clear filters"), icon=":material/filter_alt_off:", type="tertiary", on_click=_clear, key="filter-clear"
        )
    return found


def _clear() -> None:
    """Clear all filters. Set, not taken out: beside a look a browser may ask for it twice."""
    st.session_state.pop(_REMEMBERED, None)
    nothing: dict[str, Any] = {**{name: [] for name in FILTER_NAMES}, "pipeline": ""}
    for name, value in nothing.items():
        if f"filter-{name}" in st.session_state:
            st.session_state[f"filter-{name}"] = value
    write_address(**dict.fromkeys(nothing))


def _said(view: View, period: Period, filters: Filters) -> str:
    days = _("{start} to {end}", start=format_date(period.start), end=format_date(period.last_day))
    if period.start >= period.last_day:
        days = format_date(period.start)
    return "  ·  ".join([days, *narrowed_by(view, filters)])


def narrowed_by(view: View, filters: Filters) -> list[str]:
    """Return each filter that is set with what it is set to, in words."""
    named = view.ask(filter_choices)
    return [
        f"{_(FILTER_NAMES[name])}: " + ", ".join(named[name].get(value, value) for value in values)
        for name, values in filters.to_params().items()
        if name in FILTER_NAMES
    ]


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(item) for item in value]


def _first(params: Mapping[str, Sequence[str]], name: str) -> str:
    values = params.get(name) or [""]
    return str(values[0])
