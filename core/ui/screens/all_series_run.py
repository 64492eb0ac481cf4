"""The run behind the page of all series: begun by a button, in the background, with its progress."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

import streamlit as st

from core import gate
from core.errors import SalesError
from core.forecasting import runs
from core.forecasting.hierarchy import reconciled_apart
from core.forecasting.many import QUICK_FROM, forecast_all
from core.i18n import _, format_instant
from core.services.forecast_runs import keep_forecast_run
from core.ui import session
from core.ui.page import plain
from core.ui.way_back import is_late

if TYPE_CHECKING:
    from collections.abc import Hashable

    from core.forecasting.fit import Depth
    from core.forecasting.many import Pool, Progress
    from core.model import ForecastRun
    from core.queries.all_series import SeriesTree
    from core.ui.page import View

_LOOK_SECONDS = 1.0


def run_part(view: View, tree: SeriesTree, kept: ForecastRun | None) -> None:
    """Say how old the forecasts are, offer to make them, and show a run that is under way."""
    key = run_key(view, tree)
    run = runs.run_of(key)
    if run is not None and not run.task.done():
        _watch(key)
        return
    if run is not None and (error := run.task.exception()) is not None:
        told = error.message() if isinstance(error, SalesError) else _("The run ended by a mistake of the program.")
        st.error(plain(told), icon=":material/error:")
    if kept is None:
        nothing = _("Nothing has been computed yet for your {n} series.", n=len(tree.names))
        how = _(
            "Computing takes from seconds to some minutes and goes on in the background; the nightly job keeps the "
            "forecasts fresh where it runs."
        )
        st.info(plain(f"{nothing} {how}"), icon=":material/inbox:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="all-series-run"):
        if kept is not None:
            when = format_instant(kept.made_at, view.zone)
            if kept.data_version == tree.version:
                st.markdown(plain(_("Up to date, made {when}.", when=when)), width="stretch")
            else:
                changed = _("Made {when}; the complete months have changed since.", when=when)
                if tree.frequency == "week":
                    changed = _("Made {when}; the complete weeks have changed since.", when=when)
                st.markdown(plain(changed), width="stretch")
        if st.button(
            _("Compute now") if kept is None else _("Compute again"), icon=":material/play_arrow:",
            type="primary" if kept is None else "secondary", key="all-series-start",
            help=_("In the background. What was already fitted for these data is not fitted again."),
        ):  # fmt: skip
            start(view, tree)
            st.rerun()


def run_key(view: View, tree: SeriesTree) -> Hashable:
    """Return what a run is under way for: this database's rows in this scope, of a measure by a step."""
    return (view.database.url, view.actor.scope, tree.measure, tree.frequency)


def start(view: View, tree: SeriesTree) -> runs.Run:
    """Begin a run of the reader's scope, and keep it once it is done."""
    depth: Depth = "first" if len(tree.names) >= QUICK_FROM else "full"
    return runs.start(run_key(view, tree), partial(_make, view, tree, depth))


def _make(view: View, tree: SeriesTree, depth: Depth, pool: Pool, progress: Progress) -> None:
    began = monotonic()
    made = forecast_all(
        tree.rows, tree.names, tree.sums, today=view.today, calendar=view.calendar, pool=pool, depth=depth,
        progress=progress, add_up=reconciled_apart, frequency=tree.frequency,
    )  # fmt: skip
    if progress.stopped:
        return
    gate.perform(
        view.database, view.actor, keep_forecast_run, view.now, data_version=tree.version, depth=depth,
        seconds=monotonic() - began, series=[each.to_dict() for each in made], measure=tree.measure,
        frequency=tree.frequency,
    )  # fmt: skip


def _watch(key: Hashable) -> None:
    """Show how far the run is, and draw the page again once it is done."""

    @session.fragment(run_every=_LOOK_SECONDS)
    def look() -> None:
        run = runs.run_of(key)
        if run is None or run.task.done():
            if not is_late():
                st.rerun()
            return
        progress = run.progress
        text = _("Waiting for another run to end …")
        if progress.total:
            text = _("Forecasting: {done} of {total} series …", done=progress.done, total=progress.total)
            if progress.failed:
                text += " " + _("{n} failed so far.", n=len(progress.failed))
        elif run.task.running():
            text = _("Starting …")
        st.progress(min(progress.share, 0.99), text=text)

    look()
