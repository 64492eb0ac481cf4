"""Changing the sales plan: a rep's months in a grid, or a team's month spread anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.domain.money import CENT
from core.errors import EditedMeanwhile, SalesError
from core.i18n import _, _n, format_money, format_month, format_number
from core.services.plans import PlanChange, change_plan, spread_plan
from core.ui.administration import do, grid_key, is_touched, renew_grid, tell, typed_amounts
from core.ui.conflict import Difference, compare
from core.ui.page import plain
from core.ui.screens.plan_undo import cell_words, grid_name, month_words, remember

if TYPE_CHECKING:
    from datetime import date

    from core.queries.plans import PlanGrid
    from core.ui.page import View

_BEGUN = "luopan_plan_begun"
"""In the session: what each month stood at, and how each grid was, when somebody began to change it."""
_MINE = "luopan_plan_mine"
"""In the session: by plan, what was typed and refused because somebody else saved in between."""


@dataclass(frozen=True)
class _Month:
    """A month of a plan, or a team's part of it: what it stands at now, and did when its change was begun."""

    plan: int
    team: int | None
    month: date
    now: Decimal
    base: Decimal

    @property
    def about(self) -> str:
        return f"{self.plan}-{self.team}-{self.month}"

    @property
    def key(self) -> str:
        return f"plan-amount-{self.about}-{self.base}"


def edit_plan(view: View, grid: PlanGrid) -> None:
    """Offer to change the plan."""
    with st.expander(_("Change the plan"), icon=":material/edit:", key="plan-edit"):
        _spread(view, grid)
        st.divider()
        _grid(view, grid)


def _spread(view: View, grid: PlanGrid) -> None:
    st.caption(_("A team's or the company's month: its reps' parts change in proportion, and add up to the cent."))
    teams: dict[int | None, str] = {} if grid.team_id is not None else {None: _("Whole company")}
    teams |= {
        team: name
        for team, name in sorted(grid.teams.items(), key=lambda each: len(grid.line_of(each[0])))
        if _has_reps(team, grid) and (grid.team_id is None or grid.team_id in grid.line_of(team))
    }
    bar = st.container(horizontal=True, vertical_alignment="bottom")
    with bar:
        team = st.selectbox(_("Team"), list(teams), format_func=teams.__getitem__, key="plan-team", width=220)
        month = st.selectbox(_("Month"), list(grid.months), format_func=format_month, key="plan-month", width=160)
    chosen = _month(grid, team, month)
    refused: Decimal | None = st.session_state.get(_MINE, {}).get(chosen.about)
    if refused is not None:
        _compare_month(view, grid, chosen, refused, f"{teams[team]}, {format_month(month)}")
        return
    with bar:
        typed = st.number_input(
            _("Amount, {currency}", currency=view.currency), min_value=0.0, value=float(chosen.base), format="%.2f",
            width=240, key=chosen.key,
        )  # fmt: skip
        amount = Decimal(str(typed)).quantize(CENT)
        if st.button(_("Spread it"), icon=":material/call_split:", key="plan-spread", disabled=amount == chosen.now):
            _send_month(view, grid, chosen, amount, seen=chosen.base)


def _month(grid: PlanGrid, team: int | None, month: date) -> _Month:
    """Return what a month stands at; a change begun keeps what it stood at then, an amount nobody typed follows it."""
    now = sum(
        (
            grid.cells[rep.id, month][0]
            for rep in grid.reps
            if (rep.id, month) in grid.cells and (team is None or team in grid.line_of(rep.team_id))
        ),
        Decimal(0),
    )
    begun: dict[str, Decimal] = st.session_state.setdefault(_BEGUN, {})
    chosen = _Month(grid.plan_id, team, month, now, now)
    before = replace(chosen, base=begun.get(chosen.about, now))
    if st.session_state.get(before.key) not in (None, float(before.base), float(now)):
        chosen = before
    begun[chosen.about] = chosen.base
    return chosen


def _send_month(view: View, grid: PlanGrid, chosen: _Month, amount: Decimal, *, seen: Decimal) -> None:
    kept: dict[str, Decimal] = st.session_state.setdefault(_MINE, {})
    try:
        sent = _sent(
            view, spread_plan, plan_id=grid.plan_id, version=grid.version, month=chosen.month, team_id=chosen.team,
            amount=amount, seen=seen, told=month_words(view, _whose(grid, chosen.team), chosen.month, seen, amount),
        )  # fmt: skip
    except EditedMeanwhile:
        kept[chosen.about] = amount
        st.rerun()
    if sent:
        kept.pop(chosen.about, None)
        _told(_("The month is spread anew."))


def _compare_month(view: View, grid: PlanGrid, chosen: _Month, mine: Decimal, name: str) -> None:
    """Lay what was typed beside what somebody else saved in between; what is chosen is spread over that."""
    begun: dict[str, Decimal] = st.session_state[_BEGUN]
    base = begun.setdefault(f"{chosen.about}-refused", chosen.base)
    changes = compare(
        [Difference("amount", base, mine, chosen.now)], labels={"amount": name}, who="",
        shown=lambda _name, value: format_money(value, view.currency),
        key=f"conflict-plan-{chosen.about}-{chosen.now}",
    )  # fmt: skip
    away = st.button(_("Throw my changes away"), type="tertiary", key="conflict-plan-cancel")
    if changes:
        _send_month(view, grid, chosen, mine, seen=chosen.now)
    elif changes is not None or away:
        st.session_state[_MINE].pop(chosen.about)
        begun.pop(f"{chosen.about}-refused")
        st.rerun()


def _grid(view: View, grid: PlanGrid) -> None:
    name = grid_name(grid)
    refused: tuple[PlanGrid, list[PlanChange]] | None = st.session_state.get(_MINE, {}).get(name)
    if refused is not None:
        _compare_cells(view, grid, *refused)
        return
    begun: dict[str, PlanGrid] = st.session_state.setdefault(_BEGUN, {})
    if name not in begun or not is_touched(name):
        begun[name] = grid
    grid = begun[name]
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
        _send_cells(view, grid, changes, changes)


def _send_cells(view: View, base: PlanGrid, mine: list[PlanChange], changes: list[PlanChange]) -> None:
    """Save changed cells; where somebody saved one of them in between, keep what is mine for the comparison."""
    kept: dict[str, Any] = st.session_state.setdefault(_MINE, {})
    try:
        sent = _sent(view, change_plan, told=cell_words(view, base, changes), plan_id=base.plan_id, changes=changes)
    except EditedMeanwhile:
        kept[grid_name(base)] = (base, mine)
        st.rerun()
    if sent:
        kept.pop(grid_name(base), None)
        renew_grid(grid_name(base))
        _told(_("The plan is changed."))


def _compare_cells(view: View, grid: PlanGrid, base: PlanGrid, mine: list[PlanChange]) -> None:
    """Lay the cells that both changed beside each other; those that I alone changed are saved with them."""
    names = {rep.id: rep.name for rep in base.reps}
    nothing = (Decimal(0), None)
    theirs = {(each.rep_id, each.month): grid.cells.get((each.rep_id, each.month), nothing) for each in mine}
    found, labels = [], {}
    for each in mine:
        amount, version = theirs[each.rep_id, each.month]
        if version != each.version and amount != each.amount:
            name = f"{each.rep_id}-{each.month}"
            labels[name] = f"{names[each.rep_id]}, {format_month(each.month)}"
            before, _version = base.cells.get((each.rep_id, each.month), nothing)
            found.append(Difference(name, before, each.amount, amount))
    seen = sum(version or 0 for _amount, version in theirs.values())
    chosen = compare(
        found, labels=labels, shown=lambda _name, value: format_money(value, view.currency), who="",
        key=f"conflict-{grid_name(grid)}-{seen}",
    )  # fmt: skip
    away = st.button(_("Throw my changes away"), type="tertiary", key="conflict-cells-cancel")
    if chosen is None and not away:
        return
    changes = [
        replace(each, version=theirs[each.rep_id, each.month][1])
        for each in mine
        if f"{each.rep_id}-{each.month}" in (chosen or {}) or f"{each.rep_id}-{each.month}" not in labels
    ]
    if changes and not away:
        _send_cells(view, base, mine, changes)
        return
    st.session_state[_MINE].pop(grid_name(grid))
    renew_grid(grid_name(grid))
    st.rerun()


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


def _whose(grid: PlanGrid, team: int | None) -> str:
    return _("Whole company") if team is None else grid.teams[team]


def _sent(view: View, command: Any, *, told: str, **values: Any) -> bool:
    """Run a command that answers with what undoes it, kept with what it did; say a refusal. Raises EditedMeanwhile."""
    try:
        undoing = do(view, command, **values)
    except EditedMeanwhile:
        raise
    except SalesError as error:
        st.error(plain(error.message()), icon=":material/block:")
        return False
    if undoing:
        remember(values["plan_id"], told, undoing)
    return True


def _told(sentence: str) -> None:
    tell(sentence)
    st.rerun()


def _has_reps(team: int, grid: PlanGrid) -> bool:
    return any(team in grid.line_of(rep.team_id) for rep in grid.reps)
