"""What no setting of Streamlit's reaches: a sheet of style, and its own English words in the reader's language."""

from __future__ import annotations

import streamlit as st

from core.i18n import language
from core.ui import cards, phone
from core.ui.chart_inks import draw_inks


def mend_looks() -> None:
    """Draw the sheet.

    The table toolbar's CSV leaves formulas alive and asks no policy (`core.ui.tables` offers a defused
    one to those who may export); hints in fields and the uploader's words are English in every language;
    cards cut what is long; headings are links that take the focus; what is asked anew fades at once,
    which flickers (here after a second, and slightly); what is chosen is written in the colour of
    buttons, too dark to read on a dark page; the customers that a search found stand in the middle; links
    to pages are cut where they are long, and stand further in than the text around them; the library's form
    for signing in makes a plain button of the one that matters; figures have a background for their pictures'
    sake, and their one button is drawn in a colour of one theme; buttons that a phone stands below each other
    are far apart; the hand points at charts that open nothing, too; a chart that `core/web/steady.js` holds lies
    where it was.
    """
    st.html(
        """<style>
        [data-testid="stElementToolbarButton"]:has(button[aria-label^="Download as CSV"]),
        [data-testid="InputInstructions"], [data-testid="stFileUploaderDropzoneInstructions"] {display: none}
        [data-testid="stButtonGroup"] :is([kind$="Active"], [aria-checked="true"], [aria-pressed="true"]),
        [data-testid="stTab"][aria-selected="true"], [data-testid="stSliderThumbValue"] {
          color: light-dark(#0B6E66, #5CD3C4) !important}
        @media (min-width: 768px) {
          [data-testid="stMainBlockContainer"] {padding-left: 2.5rem; padding-right: 2.5rem}}
        [data-testid="stMetric"] .stMarkdownEllipsis, [data-testid="stMetric"] .stMarkdownEllipsis p {
          white-space: normal; overflow: visible}
        [data-testid="stMetric"] div:has(> [data-testid="stMetricDeltaDescription"]) {
          flex-wrap: wrap; overflow: visible}
        [data-testid="stHeaderActionElements"] {display: none}
        .st-key-sign-in-form :is([data-testid="stFormSubmitButton"], :has(> [data-testid="stFormSubmitButton"]),
          [data-testid="stElementContainer"]:has([data-testid="stFormSubmitButton"])) {width: 100% !important}
        .st-key-sign-in-form [data-testid="stFormSubmitButton"] button {
          width: 100%; color: #FFFFFF; border-color: transparent; background: light-dark(#0B6E66, #0E8277)}
        [data-testid="stMain"] button[data-variant="segmented_control"] {min-height: 2.375rem}
        [data-stale="true"] {opacity: 0.8 !important; transition: opacity 0.3s ease 1.2s !important}
        .st-key-customer-hits button {justify-content: flex-start; text-align: left}
        [data-testid="stMain"] [data-testid="stPageLink-NavLink"] {position: relative; left: -0.5rem}
        [data-testid="stMain"] [data-testid="stPageLink-NavLink"] :is(span, div, p) {
          white-space: normal; overflow: visible}
        [class*="st-key-why-"] [data-testid="stHorizontalBlock"] {row-gap: 0}
        [class*="st-key-still-"] .js-plotly-plot .nsewdrag {cursor: default}
        .js-plotly-plot .main-svg, .luopan-held .main-svg {background: transparent !important}
        .luopan-held {position: absolute; inset: 0; overflow: hidden; pointer-events: none}
        [data-held] {position: relative}
        [data-held] [data-testid="stPlotlyChart"] {opacity: 0}
        .js-plotly-plot .modebar-btn:focus-visible {
          outline: 2px solid light-dark(#0B6E66, #5CD3C4) !important; outline-offset: -2px !important}
        .js-plotly-plot .modebar-btn .icon path {fill: light-dark(#5C6978, #9DA9B8) !important}
        .js-plotly-plot .modebar-btn:is(:hover, :focus-visible) .icon path {
          fill: light-dark(#1B2735, #E9EDF3) !important}
        </style>"""
    )
    phone.draw_style()
    cards.draw_style()
    draw_inks()
    if language() == "zh":
        st.html(
            r"""<style>
            [data-testid="stFileUploaderDropzone"] button [data-testid="stMarkdownContainer"] p {font-size: 0}
            [data-testid="stFileUploaderDropzone"] button [data-testid="stMarkdownContainer"] p::after {
              content: "\9009\62E9\6587\4EF6"; font-size: 0.9375rem}
            </style>"""
        )
