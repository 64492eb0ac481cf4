"""Changing the sales plan: a rep's months in a grid, or a team's month spread anew."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.domain.money import CENT
from core.errors import SalesError
from core.i18n import _, _n, format_month, format_number
from core.services.plans import PlanChange, change_plan, spread_plan
from core.ui.administration import do, grid_key, renew_grid, tell, typed_amounts
from core.ui.page import plain

if TYPE_CHECKING:
    from core.queries.plans import PlanGrid
    from core.ui.page import View


_UNDO = "luopan_plan_undo"


def edit_plan(view: View, grid: PlanGrid) -> None:
    """Offer to change the plan."""
    with st.expander(_("Change the plan"), icon=":material/edit:", key="plan-edit"):
        _spread(view, grid)
        st.divider()
        _grid(view, grid)


def offer_undo(view: View, grid: PlanGrid) -> None:
    """Offer to take the last change of this plan back, as long as nobody changed the same cells since."""
    plan, changes = st.session_state.get(_UNDO, (None, ()))
    if plan != grid.plan_id or not changes:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="plan-undo-bar"):
        n = len(changes)
        st.text(_n("{n} cell of the plan was changed.", "{n} cells of the plan were changed.", n, n=n), width="content")
        if st.button(_("Undo"), icon=":material/undo:", type="tertiary", key="plan-undo"):
            st.session_state.pop(_UNDO)
            renew_grid(_grid_name(grid))
            _send(view, change_plan, _("The change is taken back."), plan_id=grid.plan_id, changes=changes, undo=False)


def _grid_name(grid: PlanGrid) -> str:
    return f"plan-{grid.plan_id}"


def _spread(view: View, grid: PlanGrid) -> None:
    st.caption(_("A team's or the company's month: its reps' parts change in proportion, and add up to the cent."))
    teams: dict[int | None, str] = {} if grid.team_id is not None else {None: _("Whole company")}
    teams |= {
        team: name
        for team, name in sorted(grid.teams.items(), key=lambda each: len(grid.line_of(each[0])))
        if _has_reps(team, grid) and (grid.team_id is None or grid.team_id in grid.line_of(team))
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        team = st.selectbox(_("Team"), list(teams), format_func=teams.__getitem__, key="plan-team", width=220)
        month = st.selectbox(_("Month"), list(grid.months), format_func=format_month, key="plan-month", width=160)
        now = float(
            sum(
                grid.cells[rep.id, month][0]
                for rep in grid.reps
                if (rep.id, month) in grid.cells and (team is None or team in grid.line_of(rep.team_id))
            )
        )
        amount = st.number_input(
            _("Amount, {currency}", currency=view.currency), min_value=0.0, value=now, format="%.2f", width=240,
            key=f"plan-amount-{team}-{month}-{now}",
        )  # fmt: skip
        if st.button(_("Spread it"), icon=":material/call_split:", key="plan-spread", disabled=amount == now):
            _send(
                view, spread_plan, _("The month is spread anew."), plan_id=grid.plan_id, version=grid.version,
                month=month, team_id=team, amount=Decimal(str(amount)).quantize(CENT),
            )  # fmt: skip


def _grid(view: View, grid: PlanGrid) -> None:
    name = _grid_name(grid)
    rows = [
        {
            "team": rep.team,
            "name": rep.name,
            **{
                month.isoformat(): format_number(grid.cells[rep.id, month][0], 2)
                if (rep.id, month) in grid.cells
                else ""
                for month in grid.months
            },
        }
        for rep in grid.reps
    ]
    config: dict[str, Any] = {
        "team": st.column_config.TextColumn(_("Team"), disabled=True, width=130),
        "name": st.column_config.TextColumn(_("Name"), disabled=True, pinned=True, width=112),
        **{
            month.isoformat(): st.column_config.TextColumn(format_month(month), alignment="right", width=112)
            for month in grid.months
        },
    }
    months = [month.isoformat() for month in grid.months]
    frame = pd.DataFrame(rows, columns=["team", "name", *months], index=pd.Index([rep.id for rep in grid.reps]))
    typed = st.data_editor(
        frame, hide_index=True, column_config=config, key=grid_key(name), height=min(36 * (len(rows) + 1) + 3, 480)
    )
    changes, wrong = changes_of(grid, typed)
    for sentence in wrong[:5]:
        st.error(plain(sentence), icon=":material/error:")
    if st.button(
        _n("Save {n} change", "Save {n} changes", len(changes), n=len(changes)) if changes else _("Save"),
        type="primary", icon=":material/save:", key="plan-save", disabled=bool(wrong) or not changes,
    ):  # fmt: skip
        renew_grid(name)
        _send(view, change_plan, _("The plan is changed."), plan_id=grid.plan_id, changes=changes)


def changes_of(grid: PlanGrid, typed: pd.DataFrame) -> tuple[list[PlanChange], list[str]]:
    """Return the cells that differ from the stored ones, and a sentence for each that holds no amount."""
    amounts, wrong = typed_amounts(grid.reps, grid.months, typed)
    changes = []
    for (rep, month), typed_amount in amounts.items():
        stored = grid.cells.get((rep, month))
        amount = typed_amount or Decimal(0)
        if amount != (stored[0] if stored else Decimal(0)):
            changes.append(PlanChange(rep, month, amount, stored[1] if stored else None))
    return changes, wrong


def _send(view: View, command: Any, told: str, *, undo: bool = True, **values: Any) -> None:
    """Run a command that answers with what undoes it; keep that for the button."""
    try:
        undoing = do(view, command, **values)
    except SalesError as error:
        st.error(plain(error.message()), icon=":material/block:")
        return
    if undo:
        st.session_state[_UNDO] = (values["plan_id"], undoing)
    tell(told)
    st.rerun()


def _has_reps(team: int, grid: PlanGrid) -> bool:
    return any(team in grid.line_of(rep.team_id) for rep in grid.reps)
