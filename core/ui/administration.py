"""What the administration's pages share: forms with refusals beside their fields, grids, confirmations."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

import streamlit as st

from core.domain.money import CENT
from core.errors import InvalidField, InvalidFields, SalesError
from core.i18n import _, format_month, format_number, parse_number
from core.ui import session
from core.ui.page import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    import pandas as pd

    from core.db.work import Work
    from core.ui.page import View

P = ParamSpec("P")
R = TypeVar("R")


_SAID = "administration.said"
_GRIDS = "administration.grids"


class Row(Protocol):
    """What a row of a grid is of."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def name(self) -> str:
        """Its name."""


def tell(sentence: str) -> None:
    """Keep a sentence for the next run, which says it once."""
    st.session_state[_SAID] = sentence


def show_what_was_told() -> None:
    """Say what the last run left to say."""
    sentence = st.session_state.pop(_SAID, None)
    if sentence:
        st.toast(sentence, icon=":material/check_circle:")


def fresh(view: View) -> View:
    """Return the view as of now: who is signed in at this moment, however long ago the page was drawn."""
    actor = session.current_actor()
    if actor is None:
        st.rerun()
    return dataclasses.replace(view, actor=actor, now=session.now())


def do(view: View, command: Callable[Concatenate[Work, P], R], /, *args: P.args, **values: P.kwargs) -> R:
    """Run a command as who is signed in now; a stranger's page runs again."""
    return fresh(view).do(command, *args, **values)


class Fields:
    """The fields of one form; a refusal is said under the field that it is about."""

    def __init__(self, view: View, key: str) -> None:
        self.view = view
        self.key = key
        self._places: dict[str, Any] = {}
        self._beyond: set[str] = set()

    def _placed(self, name: str) -> str:
        return f"{self.key}-{name}"

    def _place(self, name: str) -> None:
        self._places[name] = st.empty()

    def text(self, name: str, label: str, value: str = "", **options: Any) -> str:
        """Draw a line of text."""
        found = st.text_input(label, value=value, key=self._placed(name), **options)
        self._place(name)
        return found or ""

    def choose(
        self,
        name: str,
        label: str,
        names: Mapping[Any, str],
        value: Any = None,
        *,
        optional: bool = False,
        **options: Any,
    ) -> Any:
        """Draw a choice among `names` (value -> name); with `optional`, none can be chosen too."""
        keys = list(names)
        index = keys.index(value) if value in names else (None if optional or not keys else 0)
        found = st.selectbox(
            label,
            keys,
            index=index,
            format_func=lambda key: names.get(key, ""),
            key=self._placed(name),
            placeholder=_("None") if optional else _("Choose"),
            **options,
        )
        self._place(name)
        return found

    def day(self, name: str, label: str, value: date | None = None, **options: Any) -> date | None:
        """Draw a day, which may be left empty."""
        found = st.date_input(label, value=value, format="YYYY-MM-DD", key=self._placed(name), **options)
        self._place(name)
        return found

    def whole(self, name: str, label: str, value: int, least: int, most: int, **options: Any) -> int:
        """Draw a whole number; one out of bounds is said below it and not sent, where a browser would drop it."""
        found = int(st.number_input(label, value=value, step=1, key=self._placed(name), **options))
        self._place(name)
        if not least <= found <= most:
            self._beyond.add(name)
            bounds = _("A whole number from {least} to {most}.", least=format_number(least), most=format_number(most))
            self._places[name].error(bounds, icon=":material/error:")
        return found

    def tick(self, name: str, label: str, value: bool, **options: Any) -> bool:
        """Draw a box to tick."""
        found = st.checkbox(label, value=value, key=self._placed(name), **options)
        self._place(name)
        return bool(found)

    def sent(self, label: str, **options: Any) -> bool:
        """Draw the button that sends the form; say whether it was pressed and everything can be sent."""
        found = st.button(label, type="primary", key=self._placed("send"), **options)
        self._place("")
        return found and not self._beyond

    def do(self, command: Callable[Concatenate[Work, P], R], /, *args: P.args, **values: P.kwargs) -> tuple[R] | None:
        """Run the command; say a refusal where it belongs and return None."""
        try:
            return (do(self.view, command, *args, **values),)
        except SalesError as error:
            self.refuse(error)
            return None

    def refuse(self, error: SalesError) -> None:
        """Say a refusal beside its fields, or by the button where it has none here."""
        problems = {error.field or "": error.message()}
        if isinstance(error, InvalidFields):
            problems = dict(error.problems)
        elif isinstance(error, InvalidField):
            problems = {error.name: error.message()}
        for name, sentence in problems.items():
            place = self._places.get(name) or self._places.get("") or st
            place.error(sentence, icon=":material/error:")


def grid_key(name: str) -> str:
    """Return the present key of a grid; a new one after `renew_grid` forgets what was typed."""
    counts: dict[str, int] = st.session_state.setdefault(_GRIDS, {})
    return f"grid-{name}-{counts.get(name, 0)}"


def renew_grid(name: str) -> None:
    """Have the grid shown as it is stored, without what was typed into it."""
    counts: dict[str, int] = st.session_state.setdefault(_GRIDS, {})
    counts[name] = counts.get(name, 0) + 1


def is_touched(name: str) -> bool:
    """Say whether something was typed into the grid and is neither saved nor thrown away."""
    state = st.session_state.get(grid_key(name))
    return bool(state and any(state.get(part) for part in ("edited_rows", "added_rows", "deleted_rows")))


def typed_number(value: Any) -> Decimal | None:
    """Return the number in a cell, None for an empty one; raises ValueError for what is none."""
    if value is None or value != value or not str(value).strip():  # noqa: PLR0124 - NaN differs from itself
        return None
    return parse_number(str(value))


def typed_amounts(
    rows: Sequence[Row], months: Sequence[date], typed: pd.DataFrame
) -> tuple[dict[tuple[int, date], Decimal | None], list[str]]:
    """Return what a grid of rows by months holds, None where a cell is empty, and a sentence for each that is wrong.

    typed: by the row's number, a column a month by its ISO day.
    """
    amounts: dict[tuple[int, date], Decimal | None] = {}
    wrong: list[str] = []
    for row in rows:
        for month in months:
            cell = typed.loc[row.id, month.isoformat()]
            try:
                number = typed_number(cell)
            except ValueError:
                number = Decimal(-1)
            if number is not None and number < 0:
                told = {"name": row.name, "month": format_month(month), "typed": cell}
                wrong.append(_("{name}, {month}: “{typed}” is not an amount.", **told))
            else:
                amounts[row.id, month] = None if number is None else number.quantize(CENT)
    return amounts, wrong


def typed_text(value: Any) -> str:
    """Return the text in a cell, "" for an empty one."""
    return "" if value is None or value != value else str(value).strip()  # noqa: PLR0124 - likewise


def confirm(view: View, *, title: str, question: str, label: str, act: Callable[[View], str]) -> None:
    """Ask in a dialog before something is lost; `act` does it and returns what to say."""

    @session.dialog(plain(title))
    def ask() -> None:
        st.text(question)
        if st.button(label, type="primary", icon=":material/delete_forever:", key="confirm-loss"):
            try:
                said = act(fresh(view))
            except SalesError as error:
                st.error(plain(error.message()), icon=":material/block:")
                return
            tell(said)
            st.rerun()

    ask()
