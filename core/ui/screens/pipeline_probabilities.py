"""Setting stages' probabilities to the observed win rates: offered, confirmed, and taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pandas as pd
import streamlit as st

from core.access.actions import Action
from core.analytics.filters import NO_FILTERS
from core.errors import SalesError
from core.i18n import _, _n, format_number, format_rate
from core.services.probabilities import ProbabilityChange, set_probabilities
from core.ui.page import plain
from core.ui.session import dialog

if TYPE_CHECKING:
    from core.analytics.filters import Filters
    from core.ui.page import View

_UNDO: Final = "luopan_probabilities_undo"
WRONG: Final = ("high", "low")


def offer_observed(view: View, found: pd.DataFrame, filters: Filters, *, now: bool) -> None:
    """Offer to set what does not come true to what was observed, to those who may, for the whole company of today.

    found: of `stage_calibration`. A stage whose interval holds its probability, or with too few deals, stays.
    """
    whole = replace(filters, pipeline_id=None) == NO_FILTERS
    if not (now and whole and view.query is None and view.may(Action.PROCESS_EDIT)):
        return
    wrong = found[found["verdict"].isin(WRONG)]
    undo: tuple[ProbabilityChange, ...] = st.session_state.get(_UNDO, ())
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(wrong) and st.button(
            _("Set to observed"), icon=":material/published_with_changes:", key="probabilities-set",
            help=_("Sets the probabilities that do not come true to the observed win rates."),
        ):  # fmt: skip
            _confirm(view, wrong)
        if undo and st.button(_("Undo"), icon=":material/undo:", key="probabilities-undo"):
            _send(view, undo, kept=())


def changes_of(wrong: pd.DataFrame) -> tuple[ProbabilityChange, ...]:
    """Return the change of each stage to its observed rate, in whole per cent as the process is edited in."""
    keys, before, after = wrong["stage_key"], wrong["probability"], wrong["observed"]
    return tuple(
        ProbabilityChange(int(key), float(was), round(float(rate), 2))
        for key, was, rate in zip(keys, before, after, strict=True)
    )


def _confirm(view: View, wrong: pd.DataFrame) -> None:
    @dialog(_("Set probabilities to what was observed?"))
    def opened() -> None:
        changes = changes_of(wrong)
        for change, row in zip(changes, wrong.to_dict("records"), strict=True):
            st.markdown(
                plain(
                    _("{stage}: {before} → {after}", stage=row["stage"], before=format_rate(change.before, 0),
                      after=format_rate(change.after, 0))
                )
            )  # fmt: skip
            st.caption(
                plain(_("{low} to {high} by {n} decided deals", low=format_rate(row["low"], 0),
                        high=format_rate(row["high"], 0), n=format_number(row["decided"])))
            )  # fmt: skip
        st.caption(_("The weighted pipeline changes with them at once, for everybody. You can undo it."))
        label = _n("Set {n} probability", "Set {n} probabilities", len(changes), n=len(changes))
        if st.button(label, type="primary", key="probabilities-send"):
            _send(view, changes, kept=tuple(change.undone() for change in changes))

    opened()


def _send(view: View, changes: tuple[ProbabilityChange, ...], *, kept: tuple[ProbabilityChange, ...]) -> None:
    try:
        view.do(set_probabilities, changes=changes)
    except SalesError as error:
        st.error(plain(error.message()))
        return
    st.session_state[_UNDO] = kept
    st.toast(_("The probabilities are set."), icon=":material/check_circle:")
    st.rerun()
