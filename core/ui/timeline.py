"""A deal's history, the latest first, told in sentences."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import streamlit as st

from core.domain.periods import day_of
from core.domain.stages import ActivityKind
from core.i18n import N_, _, format_date, format_instant, format_money
from core.ui.page import plain
from core.ui.selling import KIND_ICONS, KIND_NAMES

if TYPE_CHECKING:
    from core.queries.deals import TimelineEntry
    from core.ui.page import View

_SENTENCES = {
    "opened": N_("Opened in “{after}”"),
    "moved": N_("From “{before}” to “{after}”"),
    "back": N_("Back from “{before}” to “{after}”"),
    "won": N_("Won"),
    "lost": N_("Lost"),
    "reopened": N_("Reopened in “{after}”"),
    "amount": N_("Amount from {before} to {after}"),
    "owner": N_("Handed over from {before} to {after}"),
    "expected_close": N_("Expected close from {before} to {after}"),
    "credit": N_("Credit split: {after}"),
    "whole_credit": N_("Credit no longer split (before: {before})"),
}
_COLORS = {"won": "green", "lost": "red", "back": "orange", "reopened": "orange"}
_FIRST = 30


def draw_timeline(view: View, entries: tuple[TimelineEntry, ...], *, key: str) -> None:
    """Draw the entries; older ones than the first thirty open on a click."""
    for entry in entries[:_FIRST]:
        _draw(view, entry)
    if len(entries) > _FIRST:
        with st.expander(_("Earlier"), key=f"earlier-{key}"):
            for entry in entries[_FIRST:]:
                _draw(view, entry)


def _draw(view: View, entry: TimelineEntry) -> None:
    icon = f":material/{KIND_ICONS[entry.kind]}:"
    color = _COLORS.get(entry.kind)
    with st.container(gap="xxsmall"):
        st.markdown(f"{f':{color}[{icon}]' if color else icon} **{plain(sentence(entry))}**")
        if entry.note:
            st.text(entry.note)
        st.caption(plain(" · ".join(part for part in (_when(view, entry), entry.who) if part)))


def sentence(entry: TimelineEntry) -> str:
    """Return what happened, in the reader's language."""
    if entry.activity is not None:
        kind = _(KIND_NAMES[ActivityKind(entry.kind)])
        return _("{kind}: {subject}", kind=kind, subject=entry.after) if entry.after else kind
    kind = "whole_credit" if entry.kind == "credit" and not entry.after else entry.kind
    return _(_SENTENCES[kind], before=_said(entry.kind, entry.before), after=_said(entry.kind, entry.after))


def _said(kind: str, text: str) -> str:
    if kind == "amount" and text:
        amount, _space, currency = text.partition(" ")
        return format_money(Decimal(amount), currency)
    return format_date(date.fromisoformat(text)) if kind == "expected_close" and text else text


def _when(view: View, entry: TimelineEntry) -> str:
    said = format_instant(entry.at, view.zone)
    day = day_of(entry.at, view.zone)
    if entry.activity is None and entry.recorded_at is not None and day_of(entry.recorded_at, view.zone) != day:
        recorded = format_date(day_of(entry.recorded_at, view.zone))
        return _("{day}, entered on {recorded}", day=format_date(day), recorded=recorded)
    return said
