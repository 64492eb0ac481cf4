"""Taking changes of the sales plan back, one after another, the last first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import streamlit as st

from core.errors import EditedMeanwhile, SalesError
from core.i18n import _, _n, format_money, format_month
from core.services.plans import PlanChange, change_plan
from core.ui.administration import do, renew_grid, tell
from core.ui.page import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from core.queries.plans import PlanGrid
    from core.ui.page import View

MOST: Final = 50
NAMED: Final = 3
_STEPS: Final = "luopan_plan_steps"
"""In the session: by plan, the changes made in it here, the last at the end."""


@dataclass(frozen=True)
class Step:
    """A change of the plan in words, and the changes that take it back."""

    told: str
    changes: tuple[PlanChange, ...]


def grid_name(grid: PlanGrid) -> str:
    """Return what the grid of a plan is called among all grids."""
    return f"plan-{grid.plan_id}"


def remember(plan_id: int, told: str, undoing: Sequence[PlanChange]) -> None:
    """Keep a change that was made just now, to be taken back."""
    steps = _steps(plan_id)
    steps.append(Step(told, tuple(undoing)))
    del steps[:-MOST]


def month_words(view: View, name: str, month: date, before: Decimal, after: Decimal) -> str:
    """Return in words that a month of somebody's, or of a team, went from one amount to another."""
    return _("{name}, {month}: {before} → {after}", name=name, month=format_month(month),
             before=format_money(before, view.currency), after=format_money(after, view.currency))  # fmt: skip


def cell_words(view: View, grid: PlanGrid, changes: Sequence[PlanChange]) -> str:
    """Return changed cells in words, the first few by name."""
    names = {rep.id: rep.name for rep in grid.reps}
    told = [
        month_words(
            view, names.get(each.rep_id, str(each.rep_id)), each.month,
            grid.cells[each.rep_id, each.month][0] if (each.rep_id, each.month) in grid.cells else 0 * each.amount,
            each.amount,
        )
        for each in changes[:NAMED]
    ]  # fmt: skip
    more = len(changes) - len(told)
    if more:
        told.append(_n("{n} cell more", "{n} cells more", more, n=more))
    return "; ".join(told)


def offer_undo(view: View, grid: PlanGrid) -> None:
    """Offer to take the changes made in this session back, the last first, as long as nobody came between."""
    steps = _steps(grid.plan_id)
    if not steps:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="plan-undo-bar"):
        last = steps[-1]
        st.text(_("Changed: {what}", what=last.told), width="content")
        if st.button(_("Undo"), icon=":material/undo:", type="tertiary", key="plan-undo"):
            _take_back(view, grid, steps)
        if more := len(steps) - 1:
            st.caption(
                _n("{n} change before it can be taken back too.", "{n} changes before it can be taken back too.", more,
                   n=more),
                width="content",
            )  # fmt: skip


def _take_back(view: View, grid: PlanGrid, steps: list[Step]) -> None:
    last = steps.pop()
    renew_grid(grid_name(grid))
    try:
        back = do(view, change_plan, plan_id=grid.plan_id, changes=last.changes)
    except EditedMeanwhile:
        told = _("Somebody else changed the same cells since, so this stays as it is now: {what}", what=last.told)
        st.error(plain(told), icon=":material/block:")
    except SalesError as error:
        st.error(plain(error.message()), icon=":material/block:")
    else:
        steps[:] = rebased(steps, last, back)
        tell(plain(_("Taken back: {what}", what=last.told)))
        st.rerun()


def rebased(steps: Sequence[Step], undone: Step, back: Sequence[PlanChange]) -> list[Step]:
    """Return the earlier steps for the versions that cells have after a later one was taken back.

    back: what taking back answered, each cell with its version now. An earlier step's cell is as that step left it
    where the later change was made on just that version; where somebody else came between, it stays out of date.
    """
    after = {(each.rep_id, each.month): each.version for each in back}
    now = {
        (each.rep_id, each.month, each.made_on): after[each.rep_id, each.month]
        for each in undone.changes
        if (each.rep_id, each.month) in after
    }
    return [
        replace(
            step,
            changes=tuple(
                replace(each, version=now.get((each.rep_id, each.month, each.version), each.version))
                for each in step.changes
            ),
        )
        for step in steps
    ]


def _steps(plan_id: int) -> list[Step]:
    kept: dict[int, list[Step]] = st.session_state.setdefault(_STEPS, {})
    return kept.setdefault(plan_id, [])
