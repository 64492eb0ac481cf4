"""Funnel: the step that changed first, then the cohort, the steps, the flow, the stages, the time and the losses."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import streamlit as st

from core.domain.periods import Preset
from core.i18n import _, format_number
from core.queries.choices import newest_deal_on
from core.queries.funnel import cohort_funnel, cohorts_by_month, process_shown
from core.queries.funnel_steps import step_changes
from core.ui.as_of import dated_filters
from core.ui.drill import deals_button
from core.ui.empty import nothing_yet
from core.ui.page import plain
from core.ui.screens import funnel_cohort, funnel_flow, funnel_losses, funnel_now, funnel_stays, funnel_steps
from core.ui.screens.funnel_state import BY_NAMES, PART_NAMES, Asked, chosen, days_asked, segments, step_days
from core.ui.screens.funnel_words import finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.ui.page import View

_PARTS: dict[str, Callable[[View, Asked], None]] = {
    "cohort": funnel_cohort.draw,
    "steps": funnel_steps.draw,
    "flow": funnel_flow.draw,
    "now": funnel_now.draw,
    "stays": funnel_stays.draw,
    "losses": funnel_losses.draw,
}


def draw(view: View) -> None:
    """Draw the page: only the part that is looked at asks for its numbers."""
    as_of, period, filters = dated_filters(view, default=Preset.THIS_YEAR)
    if view.ask(newest_deal_on) is None:
        told = _("There are no deals yet. Log the first one, or import your company's deals.")
        nothing_yet(view, told)
        return
    process = view.ask(process_shown, filters=filters)
    asked = Asked(period, dataclasses.replace(filters, pipeline_id=process or None), as_of)
    if chosen(view, "part", list(PART_NAMES), "cohort") == "cohort":
        _begin_cohort(view, asked)
    _answer(view, asked)
    part = segments(view, "part", PART_NAMES, label=_("Part of the page"), default="cohort")
    _PARTS[part](view, asked)


def _begin_cohort(view: View, asked: Asked) -> None:
    """Have what the page's first part asks answered while its head is drawn."""
    days = days_asked(view, "followed", default=0, to_now=True)
    whole = not chosen(view, "by", list(BY_NAMES))
    for period in (asked.period, *([view.calendar.before(asked.period)] if whole else [])):
        view.ahead(cohort_funnel, period=period, filters=asked.filters, days=days, as_of=asked.as_of)
    view.ahead(cohorts_by_month, period=asked.period, filters=asked.filters, as_of=asked.as_of)


def _answer(view: View, asked: Asked) -> None:
    days = step_days(view)
    changes = view.ask(step_changes, period=asked.period, filters=asked.filters, days=days, as_of=asked.as_of)
    found = finding(changes, days=days, currency=view.currency)
    st.subheader(plain(found.sentence), anchor=False)
    if found.below:
        st.caption(plain(found.below))
    step = found.step
    if step is not None:
        stuck = int(step["entered"]) - int(step["went_on"])
        deals_button(
            view,
            asked.selection(f"stuck:{step['stage_key']}:{days}", funnel_steps.now_of(step)),
            label=_("{n} that did not go on", n=format_number(stuck)),
            key="funnel-bottleneck",
        )
