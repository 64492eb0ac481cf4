"""Forms that save once, say what is wrong beside the field, and keep what was typed.

A form's values live in the session under `name.field`, so that its widgets come and go with the
page. Its key, made when it opens, lets the server see a second arrival. What is typed is kept on
the server as a draft, key included: it can be taken up after a lost connection or sign-in, and
sending it then still saves once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar, cast
from uuid import uuid4

import streamlit as st

from core.errors import EditedMeanwhile, InvalidFields, SalesError
from core.i18n import _, format_instant, format_money, parse_number
from core.queries.drafts import kept_draft
from core.services.drafts import clear_draft, save_draft
from core.ui.drafts import RESUMED, draw_offer, throw_away
from core.ui.page import View, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.db.work import Work
    from core.model import Draft

P = ParamSpec("P")
R = TypeVar("R")

_KEY = "key"
_DAY = "day:"
DIGIT_KEYS: Final[Mapping[str, Any]] = {"type": "phone", "icon": "", "autocomplete": "off"}
"""Options of a text field in which a phone offers its digits."""


def as_json(value: Any) -> Any:
    """Return a field's value as plain JSON; days become `day:2026-07-15`."""
    if isinstance(value, date):
        return _DAY + value.isoformat()
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {str(name): as_json(item) for name, item in value.items()}
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def from_json(value: Any) -> Any:
    """Return what `as_json` made of a value."""
    if isinstance(value, str) and value.startswith(_DAY):
        return date.fromisoformat(value.removeprefix(_DAY))
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if isinstance(value, dict):
        return {name: from_json(item) for name, item in value.items()}
    return value


@dataclass
class Form:
    """One form in one browser tab.

    `defaults` are the fields' first values; a field that is not among them is kept out of the
    draft. `drafted` says whether what is typed is kept on the server, `unkept` names what of the form is
    not.
    """

    view: View
    name: str
    defaults: Mapping[str, Any]
    drafted: bool = True
    unkept: frozenset[str] = frozenset()
    shown: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self._slot(_KEY) not in st.session_state:
            st.session_state[self._slot(_KEY)] = uuid4().hex
            st.session_state[self._slot("problems")] = {}
            self._look_for_draft()
        for name, value in self.defaults.items():
            if self._slot(name) not in st.session_state:
                st.session_state[self._slot(name)] = value

    def _slot(self, name: str) -> str:
        return f"{self.name}.{name}"

    @property
    def key(self) -> str:
        """The form's idempotency key."""
        return str(st.session_state[self._slot(_KEY)])

    @property
    def problems(self) -> dict[str, str]:
        """The sentence for each field that was refused."""
        return cast("dict[str, str]", st.session_state[self._slot("problems")])

    def _standing(self) -> dict[str, str]:
        """Return the problems of fields that still hold what was refused."""
        refused = st.session_state.get(self._slot("refused"), {})
        return {name: text for name, text in self.problems.items() if as_json(self[name]) == refused.get(name)}

    def __getitem__(self, name: str) -> Any:
        return st.session_state.get(self._slot(name), self.defaults.get(name))

    def __setitem__(self, name: str, value: Any) -> None:
        st.session_state[self._slot(name)] = value

    def widget(self, name: str) -> dict[str, Any]:
        """Return the arguments that tie a widget to the field `name`."""
        self.shown.add(name)
        if self._slot(name) not in st.session_state:
            st.session_state[self._slot(name)] = self.defaults.get(name)
        return {"key": self._slot(name), "persist_state": "session"}

    def problem(self, name: str) -> None:
        """Say under a field what is wrong with it, until it holds something else."""
        self.shown.add(name)
        sentence = self._standing().get(name)
        if sentence:
            st.markdown(f":red[:material/error: {plain(sentence)}]")

    def text(self, name: str, label: str, **options: Any) -> str:
        """Draw a line of text."""
        found = st.text_input(label, **self.widget(name), **options)
        self.problem(name)
        return found or ""

    def area(self, name: str, label: str, **options: Any) -> str:
        """Draw several lines of text."""
        found = st.text_area(label, **self.widget(name), **options)
        self.problem(name)
        return found or ""

    def day(self, name: str, label: str, **options: Any) -> date | None:
        """Draw a day."""
        found = st.date_input(label, **self.widget(name), format="YYYY-MM-DD", **options)
        self.problem(name)
        return cast("date | None", found)

    def choose(self, name: str, label: str, names: Mapping[Any, str], *, optional: bool = False, **options: Any) -> Any:
        """Draw a choice among `names` (value -> name); with `optional`, nothing can be chosen too."""
        if self[name] not in names:
            self[name] = None if optional else next(iter(names), None)
        found = st.selectbox(
            label,
            list(names),
            format_func=lambda value: names.get(value, ""),
            placeholder=_("Choose") if optional else None,
            index=None if optional else 0,
            **self.widget(name),
            **options,
        )
        self.problem(name)
        return found

    def money(self, name: str, label: str, *, currency: str, **options: Any) -> Decimal | None:
        """Draw an amount that may be typed as 12000, 12,000 or 1.2万; what cannot be read is a problem."""
        typed = st.text_input(label, **self.widget(name), **options) or ""
        amount = read_money(typed)
        if typed.strip() and amount is None:
            st.markdown(f":red[:material/error: {plain(_('This is not an amount.'))}]")
            self.shown.add(name)
            return None
        if amount is not None and not typed.strip().replace(".", "").isdigit():
            st.caption(plain(f"= {format_money(amount, currency)}"))
        self.problem(name)
        return amount

    def unread(self, *names: str) -> list[str]:
        """Return those of the amount fields that hold something that is no amount."""
        return [name for name in names if (self[name] or "").strip() and read_money(self[name]) is None]

    def refuse(self, error: SalesError) -> None:
        """Keep what a command refused, for the fields to show."""
        problems = error.problems if isinstance(error, InvalidFields) else {}
        if error.field and not problems:
            problems = {error.field: error.message()}
        st.session_state[self._slot("problems")] = dict(problems)
        st.session_state[self._slot("refused")] = {name: as_json(self[name]) for name in problems}
        st.session_state[self._slot("refusal")] = error.message()

    def show_refusal(self) -> None:
        """Say, above the button, that the form was refused, with what no field has shown; not once all is put right."""
        sentence, standing = st.session_state.get(self._slot("refusal")), self._standing()
        if sentence and (standing or not st.session_state.get(self._slot("refused"))):
            rest = [text for name, text in standing.items() if name not in self.shown]
            st.error(plain(" ".join([sentence, *(text for text in rest if text != sentence)])))

    def send(self, command: Callable[Concatenate[Work, P], R], *args: P.args, **params: P.kwargs) -> R | None:
        """Run the form's command: its answer, or None with the refusal kept for the fields.

        EditedMeanwhile is raised on, for the page to compare.
        """
        try:
            found = self.view.do(command, *args, **params)
        except EditedMeanwhile:
            raise
        except SalesError as error:
            self.refuse(error)
            return None
        self.forget()
        return found

    def forget(self) -> None:
        """Empty the form, give it a new key and throw its draft away."""
        if self.drafted:
            throw_away(self.view, self.name)
        else:
            self._empty()

    def restart(self) -> None:
        """Begin again from the defaults, in this tab alone: a draft stays."""
        self._empty()
        self.__post_init__()

    def _empty(self) -> None:
        for slot in [slot for slot in st.session_state if str(slot).startswith(f"{self.name}.")]:
            del st.session_state[slot]

    def keep_draft(self) -> None:
        """Keep what is typed now on the server, where it changed since it was last kept.

        What the form opened with, the address's customer included, is no draft; what is typed
        beside an offered draft takes its place.
        """
        if not self.drafted:
            return
        values = as_json_all({name: self[name] for name in self._fields()})
        kept = st.session_state.get(self._slot("sent"))
        if kept is not None and values != kept:
            st.session_state.pop(self._slot("offer"), None)
            self.view.do(save_draft, form=self.name, values={**values, _KEY: self.key})
        st.session_state[self._slot("sent")] = values

    def offer_draft(self) -> None:
        """Offer, once, what was typed here before and never sent."""
        draft = cast("Draft | None", st.session_state.get(self._slot("offer")))
        if draft is None:
            return
        when = format_instant(draft.saved_at, self.view.zone)
        draw_offer(
            self.name,
            _("You began this on {when} and did not save it.", when=when),
            (self._take_up, (draft.values,)),
            (self._discard, ()),
        )

    def _look_for_draft(self) -> None:
        if not self.drafted:
            return
        draft = self.view.ask(kept_draft, form=self.name)
        resumed = st.session_state.pop(RESUMED, None) == self.name
        if draft is not None and resumed:
            self._take_up(draft.values)
        elif draft is not None:
            st.session_state[self._slot("offer")] = draft

    def _take_up(self, values: dict[str, Any]) -> None:
        """Fill the form in as it was; what a draft leaves out had been emptied."""
        for name, value in self.defaults.items():
            st.session_state[self._slot(name)] = "" if isinstance(value, str) else None
        for name, value in values.items():
            st.session_state[self._slot(name)] = from_json(value)
        st.session_state.pop(self._slot("offer"), None)

    def _discard(self) -> None:
        st.session_state.pop(self._slot("offer"), None)
        self.view.do(clear_draft, form=self.name)

    def _fields(self) -> list[str]:
        own = {
            str(slot).removeprefix(f"{self.name}.")
            for slot in st.session_state
            if str(slot).startswith(f"{self.name}.")
        }
        return sorted(own - {_KEY, "problems", "refused", "sent", "refusal", "offer", "search"} - self.unkept)


def as_json_all(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return all values as plain JSON, empty ones left out."""
    return {name: as_json(value) for name, value in values.items() if value not in (None, "", [])}


def read_money(typed: str | None) -> Decimal | None:
    """Return the amount that was typed, or None for nothing and for what is no amount."""
    try:
        return parse_number(typed) if typed and typed.strip() else None
    except ValueError:
        return None


def names_of(choices: Sequence[Any]) -> dict[int, str]:
    """Return choices as number -> name."""
    return {choice.id: choice.name for choice in choices}


def attempt(view: View, command: Callable[Concatenate[Work, P], R], /, *args: P.args, **params: P.kwargs) -> R | None:
    """Run a one-click command; a refusal is said on the page and gives None."""
    try:
        return view.do(command, *args, **params)
    except InvalidFields as error:
        st.error(plain(" ".join(error.problems.values())))
    except EditedMeanwhile:
        st.warning(plain(_("Somebody else has just changed this. It is shown as it stands now; please try again.")))
    except SalesError as error:
        st.error(plain(error.message()))
    return None
