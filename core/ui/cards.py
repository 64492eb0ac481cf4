"""Cards: one number each, what it was before, and the rows behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import streamlit as st

from core.i18n import _, format_days, format_money, format_number, format_points, format_rate, unbroken
from core.ui.drill import deals_button

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.analytics.selection import Selection
    from core.ui.page import View

_ONE_ROW = 6  # cards that just fit beside each other on a laptop

Unit = Literal["money", "rate", "count", "days", "times"]


@dataclass(frozen=True)
class Card:
    """One number. Rates are fractions, money major units; NaN and None are shown as a dash.

    `better` says which direction is good. `selection` are the deals that it counts, `label` the
    words of the button that opens them, or else of the one that does `turn`, which shows or hides its parts below.
    """

    key: str
    title: str
    unit: Unit
    value: float | None
    previous: float | None = None
    year_before: float | None = None
    better: Literal["more", "less"] = "more"
    note: str = ""
    help: str | None = None
    selection: Selection | None = None
    label: str = ""
    turn: Callable[[], None] | None = None
    is_open: bool = False


def said(value: float | None, unit: Unit, currency: str) -> str:
    """Return a card's number in the reader's format."""
    match unit:
        case "money":
            return format_money(value, currency, compact=True)
        case "rate":
            return format_rate(value)
        case "days":
            return format_days(value)
        case "times":
            return "–" if _missing(value) else f"{format_number(value, 1)}×"
        case _:
            return format_number(value)


def change(value: float | None, before: float | None, unit: Unit) -> str | None:
    """Return how far `value` is from `before`: points for rates, per cent otherwise; None where unknown."""
    if value is None or before is None or _missing(value) or _missing(before):
        return None
    if unit == "rate":
        return format_points(value - before)
    if before == 0:
        return None
    rate = value / before - 1
    return ("+" if rate >= 0 else "") + format_rate(rate)


def is_still(delta: str) -> bool:
    """Say whether a written change rounds to nothing."""
    return not any(digit in "123456789" for digit in delta)


def draw_style() -> None:
    """Draw the sheet that lays nine, seven or five cards out in full rows, their numbers and buttons on one line.

    Where that is too narrow nine are three times three, seven the first alone and three and three, five three and two.
    On a phone any odd number is the first alone and the others by two.
    """
    st.html(
        """<style>
        [data-testid="stLayoutWrapper"]:has(> * > * > [class*="st-key-cards-"]) {container-type: inline-size}
        [class*="st-key-card-"] > :last-child:not(:first-child):has(button) {margin-top: auto}
        [data-testid="stMetricValue"], [data-testid="stMetricValue"] * {line-height: 1.35}
        @container (min-width: 480px) {
          [class*="st-key-cards-page-"]:has(> :nth-child(9):last-child) {
            grid-template-columns: repeat(3, minmax(0, 1fr)) !important}}
        @container (min-width: 480px) and (max-width: 899.9px) {
          [class*="st-key-cards-page-"]:has(> :nth-child(5):last-child) {
            grid-template-columns: repeat(6, minmax(0, 1fr)) !important; > * {grid-column: span 2}
            > :nth-child(n + 4) {grid-column: span 3}}}
        @container (min-width: 480px) and (max-width: 639.9px) {
          [class*="st-key-cards-page-"]:has(> :nth-child(7):last-child) {
            grid-template-columns: repeat(3, minmax(0, 1fr)) !important; > :first-child {grid-column: 1 / -1}}}
        @container (min-width: 640px) {
          [class*="st-key-cards-page-"]:has(> :nth-child(7):last-child) {
            grid-template-columns: repeat(12, minmax(0, 1fr)) !important; > * {grid-column: span 3}
            > :nth-child(n + 5) {grid-column: span 4}}}
        @container (min-width: 760px) {
          [class*="st-key-cards-large-"]:has(> :nth-child(9):last-child) {
            grid-template-columns: repeat(3, minmax(0, 1fr)) !important}}
        @container (min-width: 900px) {
          [class*="st-key-cards-page-"]:has(> :nth-child(9):last-child) {
            grid-template-columns: repeat(20, minmax(0, 1fr)) !important; > * {grid-column: span 4}
            > :nth-child(n + 6) {grid-column: span 5}}}
        @container (min-width: 1500px) {
          [class*="st-key-cards-large-"]:has(> :nth-child(9):last-child) {
            grid-template-columns: repeat(20, minmax(0, 1fr)) !important; > * {grid-column: span 4}
            > :nth-child(n + 6) {grid-column: span 5}}}
        @container (max-width: 479.9px) {
          [class*="st-key-cards-page-"]:has(> :nth-child(9):last-child) {
            grid-template-columns: repeat(2, minmax(0, 1fr)) !important}
          [class*="st-key-cards-page-"]:has(> :nth-child(odd):last-child) > :first-child {grid-column: 1 / -1}}
        </style>"""
    )


def draw_cards(view: View, cards: list[Card], *, key: str) -> None:
    """Draw the cards in a grid that fits the width; each opens its deals."""
    width = 340 if view.large else 150 if len(cards) == _ONE_ROW else 160
    columns: int | Literal["auto"] = len(cards) if 1 < len(cards) <= _ONE_ROW else "auto"
    kind = "large" if view.large else "page"
    with st.grid(columns, min_column_width=width, gap="small", key=f"cards-{kind}-{key}"):
        for card in cards:
            with st.container(border=True, gap="xxsmall", height="stretch", key=f"card-{key}-{card.key}"):
                _draw(view, card, key)


def _draw(view: View, card: Card, key: str) -> None:
    delta = change(card.value, card.previous, card.unit)
    last_year = change(card.value, card.year_before, card.unit)
    if view.large:
        _draw_large(view, card, delta)
        return
    st.metric(
        card.title,
        said(card.value, card.unit, view.currency),
        delta=0 if delta is not None and is_still(delta) else delta,
        delta_color="normal" if card.better == "more" else "inverse",
        delta_description=_("vs prior") if delta else None,
        help=card.help,
    )
    if last_year is not None:
        st.caption(_("{change} vs last year", change=last_year))
    if card.note:
        st.caption(unbroken(card.note))
    if card.selection is not None:
        deals_button(view, card.selection, label=card.label, key=f"open-{key}-{card.key}")
    elif card.turn is not None:
        icon = ":material/expand_less:" if card.is_open else ":material/expand_more:"
        st.button(card.label, key=f"open-{key}-{card.key}", type="tertiary", icon=icon, on_click=card.turn)


def _draw_large(view: View, card: Card, delta: str | None) -> None:
    st.subheader(card.title, anchor=False)
    st.title(said(card.value, card.unit, view.currency), anchor=False)
    if delta is not None:
        good = delta.startswith("+") == (card.better == "more")
        colour = "gray" if is_still(delta) else "green" if good else "red"
        st.markdown(f":{colour}[**{delta}**] " + _("vs prior"))
    if card.note:
        st.text(unbroken(card.note))


def _missing(value: float | None) -> bool:
    return value is None or math.isnan(value)
