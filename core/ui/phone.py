"""What a narrow screen gets: rows to tap in place of a wide table, and a save button under the thumb.

A page is not told how wide its reader's screen is, so both forms are drawn and a style sheet shows one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import streamlit as st

from core.ui.page import plain
from core.ui.routes import page
from core.ui.tables import is_whole, rest_button

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from streamlit.delta_generator import DeltaGenerator


def draw_style() -> None:
    """Draw the sheet that chooses by the screen's width.

    Rows in place of tables, targets of 44 pixels (WCAG 2.2, 2.5.5), the save bar at the lower edge; fields in 16
    pixels, since phones enlarge the page for smaller ones.
    """
    st.html(
        """<style>
        [data-testid="stLayoutWrapper"]:has(> [class*="st-key-phone-"]) {display: none}
        @media (max-width: 640px) {
          [data-testid="stLayoutWrapper"]:has(> [class*="st-key-wide-"]) {display: none}
          [data-testid="stLayoutWrapper"]:has(> [class*="st-key-phone-"]) {display: flex}
          [class*="st-key-phone-"] {gap: 0 !important}
          [class*="st-key-phone-"] .stElementContainer {
            margin: 0; border-bottom: 1px solid color-mix(in srgb, currentColor 16%, transparent)}
          [class*="st-key-phone-"] .stElementContainer:has(+ .stElementContainer > .stButton) {border-bottom: 0}
          [class*="st-key-phone-"] .stElementContainer:has(> .stButton) {width: 100% !important}
          [class*="st-key-phone-"] .stElementContainer:not([class*="-rest"]) > .stButton,
          [class*="st-key-phone-"] .stElementContainer:not([class*="-rest"]) > .stButton * {
            width: fit-content !important; margin-left: 0}
          [class*="st-key-phone-"] a[data-testid] {
            left: 0; min-height: 60px; padding: 0.5rem 0; margin: 0; align-items: center}
          [class*="st-key-phone-"] a :is(span, div) {width: 100%; height: auto}
          [class*="st-key-phone-"] [data-testid="stMarkdown"] {width: 100%; padding: 0.5rem 0}
          [class*="st-key-phone-"] [data-testid="stMarkdownContainer"] {margin-bottom: 0; font-size: 0.875rem}
          [class*="st-key-phone-"] :is(a, [data-testid="stMarkdown"]) p {
            display: grid !important; grid-template-columns: minmax(0, 1fr) auto; gap: 0 0.75rem; line-height: 1.5;
            margin: 0; white-space: normal}
          [class*="st-key-phone-"] :is(a, [data-testid="stMarkdown"]) p > strong + strong {
            text-align: right; white-space: nowrap}
          [class*="st-key-phone-"] :is(a, [data-testid="stMarkdown"]) p > :not(strong) {grid-column: 1 / -1}
          [data-testid="stMain"] :is([data-testid^="stBaseButton"], [data-testid="stPopoverButton"]):not(
            [data-testid*="elementToolbar"], [data-testid*="headerNoPadding"]),
          [data-testid="stMain"] [data-testid="stButtonGroup"] button,
          [data-testid="stMain"] [data-testid="stPageLink-NavLink"],
          [data-testid="stMain"] [data-testid="stExpander"] summary,
          [data-testid="stMain"] :is([data-testid="stTextInputRootElement"], [data-testid="stDateInputField"],
            [data-testid="stNumberInputContainer"]),
          [data-testid="stMain"] .stSelectbox [role="group"] {min-height: 44px}
          [data-testid="stMain"] [data-testid="stPagination"] button {min-width: 44px; min-height: 44px}
          [data-testid="stMain"] :is(input, textarea) {font-size: 16px}
          [data-testid="stMain"] [class*="st-key-"][class*="-search"] {flex: 1 1 100% !important}
          [data-testid="stMain"] [data-testid="stPopoverButton"] {min-width: 44px}
          .js-plotly-plot .modebar {top: 0 !important; right: 0 !important}
          .js-plotly-plot .modebar-btn {width: 44px; height: 44px !important}
          [data-testid="stLayoutWrapper"]:has(> .st-key-save-bar) {position: sticky; bottom: 0; z-index: 50}
          .st-key-save-bar {
            padding: 0.625rem 0 calc(0.625rem + env(safe-area-inset-bottom));
            background: light-dark(#FFFFFF, #121922); border-top: 1px solid light-dark(#D9E0E8, #2C3844)}
          .st-key-save-bar button {min-height: 48px}
          [class*="st-key-attainment-"] {padding: 0.625rem 0.875rem; gap: 0.125rem !important}
          [class*="st-key-attainment-"] h3 {padding: 0 0 1.25rem}
        }
        </style>"""
    )


_FIRST, _MOST = 20, 50


@dataclass(frozen=True)
class PhoneRow:
    """One record in a list on a phone: its name and number, and a line of smaller words; 0 leads nowhere."""

    id: int
    name: str
    number: str = ""
    more: str = ""


def draw_rows(
    rows: Sequence[PhoneRow],
    *,
    name: str,
    opens: str | None,
    of: int | None = None,
    params: Mapping[str, str] = MappingProxyType({}),
    below: Callable[[int], None] | None = None,
) -> None:
    """Draw `rows`, each leading to page `opens` with its record and `params`, or nowhere; seen on narrow screens alone.

    `below` draws a button under a row, by its place, where it has one.

    Of more than fifty the first twenty, and the rest on demand: every reader pays for what a phone alone shows. `of`:
    how many there are in all, where `rows` holds no more than `rows_drawn`.
    """
    several = len(rows) if of is None else of
    shortened = several > _MOST and not is_whole(name)
    with st.container(key=f"phone-{name}"):
        for place, row in enumerate(rows[:_FIRST] if shortened else rows):
            number = f" **{plain(row.number)}**" if row.number else ""
            more = f" :gray[{plain(row.more)}]" if row.more else ""
            label = f"**{plain(row.name)}**{number}{more}"
            if opens is None or not row.id:
                st.markdown(label, width="stretch")
            else:
                st.page_link(page(opens).file, label=label, query_params={"id": str(row.id), **params}, width="stretch")
            if below is not None:
                below(place)
        if shortened:
            rest_button(several, name=name, of="phone")


def rows_drawn(name: str, of: int) -> int:
    """Return how many of so many rows `draw_rows` shows now, for a page that makes no more than these."""
    return of if of <= _MOST or is_whole(name) else _FIRST


def wide(name: str) -> DeltaGenerator:
    """Return the container of what narrow screens do without."""
    return st.container(key=f"wide-{name}")


def save_bar() -> DeltaGenerator:
    """Return the container of a form's refusal and its save button, always in view on a phone."""
    return st.container(key="save-bar")
