"""The deals page's filters, kept in its address as codes, and its sorting."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, cast

import streamlit as st

from core.analytics.attention import LONG_DEAD_DAYS, NEEDS, Need
from core.analytics.filters import Filters
from core.domain.periods import Period, Preset
from core.domain.stages import StageKind
from core.i18n import N_, _
from core.queries.choices import filter_choices
from core.queries.deals import SORT_KEYS, DealFilter
from core.queries.reference import form_choices
from core.ui.filters import FILTER_NAMES, PRESET_NAMES, address, open_filters, say_left_out, write_address
from core.ui.selling import STATE_NAMES
from core.ui.way_back import follow

if TYPE_CHECKING:
    from core.ui.filters import Params
    from core.ui.page import View

ALL = "all"
SORT_NAMES = {
    "expected": N_("Expected close"),
    "amount": N_("Amount"),
    "name": N_("Deal"),
    "customer": N_("Customer"),
    "owner": N_("Owner"),
    "stage": N_("Stage"),
    "entered": N_("In this stage since"),
    "opened": N_("Opened"),
    "closed": N_("Closed"),
}
NEED_NAMES: dict[Need, str] = {
    "attention": N_("Need attention"),
    "overdue": N_("Past the expected close"),
    "idle": N_("No activity lately"),
    "slow": N_("Longer in the stage than expected"),
    "dead": N_("Past the expected close for over {n} days"),
}
_PERIODS = {"expected": N_("Expected close"), "closed": N_("Closed"), "opened": N_("Opened")}
_NEED = "need"
_NARROWING = (_NEED, "stage", *FILTER_NAMES, *_PERIODS)


def need_name(need: Need) -> str:
    """Return why deals need somebody, in the reader's words."""
    return _(NEED_NAMES[need]).format(n=LONG_DEAD_DAYS)


def deal_filter(view: View) -> tuple[DealFilter, str, bool]:
    """Draw the filters and return what they say, the sort key and whether it goes downwards."""
    params = address(view)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="deal-filters"):
        search = st.text_input(
            _("Search"),
            value=_first(params, "q"),
            type="search",
            live="300ms",
            icon=":material/search:",
            key=follow("deals-search", _first(params, "q")),
            placeholder=_("Deal or customer"),
            width=240,
        )
        states = [*STATE_NAMES, ALL]
        known = _first(params, "state") or (StageKind.OPEN if not set(params) - {"as"} else ALL)
        known = known if known in states else ALL
        state = st.segmented_control(
            _("State"),
            states,
            default=known,
            required=True,
            format_func=lambda state: _("All") if state == ALL else _(STATE_NAMES[StageKind(state)]),
            key=follow("deals-state", known),
        )
        found = _popover(view, params)
        sort, descending = _sorting(params)
    say_left_out()
    said = {"q": (search or "").strip(), "state": str(state), **found}
    write_address(**said, sort="" if sort == "expected" else sort, down="1" if descending else "")
    return _wanted(view, said, None if state == ALL else StageKind(state)), sort, descending


def _popover(view: View, params: Params) -> dict[str, str | list[str]]:
    stages = view.ask(form_choices).stages
    choices = view.ask(filter_choices) | {"stage": {str(stage.id): stage.name for stage in stages}}
    params = open_filters(view, params, choices)
    active = sum(1 for name in _NARROWING if params.get(name))
    label = _("Filters ({n})", n=active) if active else _("Filters")
    found: dict[str, str | list[str]] = {name: [] for name in ("stage", *FILTER_NAMES)}
    with st.popover(label, icon=":material/tune:", key="deals-more"):
        needs: list[str] = ["", *NEEDS]
        asked = _first(params, _NEED) if _first(params, _NEED) in needs else ""
        found[_NEED] = st.selectbox(
            _("What they need"),
            needs,
            index=needs.index(asked),
            format_func=lambda need: need_name(cast("Need", need)) if need else _("All"),
            key=follow(f"deals-{_NEED}", asked),
        )
        offered = {
            name: choices[name] for name in ("stage", *FILTER_NAMES) if len(choices[name]) > 1 or params.get(name)
        }
        for name, options in offered.items():
            found[name] = st.multiselect(
                _("Stage") if name == "stage" else _(FILTER_NAMES[name]),
                list(options),
                default=params.get(name, []),
                format_func=options.__getitem__,
                key=follow(f"deals-{name}", params.get(name, [])),
                placeholder=_("All"),
                select_all=False,
            )
        for name, text in _PERIODS.items():
            codes = ["", *(str(preset) for preset in PRESET_NAMES)]
            known = _first(params, name)
            if known not in codes:
                codes.append(known)
            found[name] = st.selectbox(
                _(text),
                codes,
                index=codes.index(known),
                key=follow(f"deals-{name}", known),
                format_func=lambda code: _(PRESET_NAMES[Preset(code)]) if code in set(Preset) else code or _("Any day"),
            )
        if active:
            st.button(_("Clear filters"), icon=":material/filter_alt_off:", type="tertiary", on_click=_clear)
    return found


def _sorting(params: Params) -> tuple[str, bool]:
    known = _first(params, "sort") if _first(params, "sort") in SORT_KEYS else "expected"
    down = _first(params, "down") == "1"
    with st.popover(_("Sort"), icon=":material/sort:", key="deals-sorting"):
        sort = st.selectbox(
            _("Sort by"),
            list(SORT_KEYS),
            index=SORT_KEYS.index(known),
            format_func=lambda key: _(SORT_NAMES[key]),
            key=follow("deals-sort", known),
        )
        descending = st.toggle(_("Largest or latest first"), value=down, key=follow("deals-down", down))
    return str(sort), descending


def _wanted(view: View, said: dict[str, str | list[str]], state: StageKind | None) -> DealFilter:
    periods = {name: _period(view, str(said[name])) for name in _PERIODS}
    return DealFilter(
        search=str(said["q"]),
        states=(state,) if state else (),
        stage_ids=tuple(int(value) for value in said.get("stage", ())),
        expected=periods["expected"],
        closed=periods["closed"],
        opened=periods["opened"],
        need=cast("Need", said[_NEED]) if said[_NEED] in NEEDS else None,
        filters=Filters.from_params({name: said[name] for name in FILTER_NAMES if name in said}),
    )


def _period(view: View, code: str) -> Period | None:
    """Return the period that a code names: a preset, or `2026-01-01..2026-04-01`, half-open."""
    if code in set(Preset):
        return view.calendar.preset(Preset(code), today=view.today, since=date(2000, 1, 1))
    start, _dots, end = code.partition("..")
    try:
        return Period(date.fromisoformat(start), date.fromisoformat(end))
    except ValueError:
        return None


def _clear() -> None:
    for name in _NARROWING:
        st.query_params.pop(name, None)
        st.session_state.pop(f"deals-{name}", None)


def _first(params: Params, name: str) -> str:
    return (params.get(name) or [""])[0]
