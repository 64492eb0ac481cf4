"""What every page begins with, and the only way from a page to data."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import streamlit as st

from core import gate
from core.access.actions import Action
from core.access.actors import Actor
from core.access.policy import Role
from core.access.sharing import SHAREABLE, open_to_holder
from core.errors import NotAllowed, SalesError
from core.i18n import N_, NO_CURRENCY, _, language, unbroken
from core.ui import building, lost, routes, session, turns, way_back
from core.ui.ahead import Ahead

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from core.db.work import Database, Work
    from core.domain.periods import FiscalCalendar

P = ParamSpec("P")
R = TypeVar("R")

NO_SUCH_PAGE = N_("There is no such page, or it is not open to you.")
ANSWERS_KEY = "luopan_answers"
_KEPT_ANSWERS = 2_000
_LOOKS_EVERY = 1.0
"""Seconds for which a page goes on with the state that it began with; a fragment that runs later looks again."""

_BEGUN = "luopan_begun"
"""In the session: what the last run of its page began to ask."""

_asking: ContextVar[Callable[[], Any]] = ContextVar("luopan_asking")
_ahead = Ahead()


@dataclass(frozen=True)
class View:
    """A page in somebody's hands: who looks, when, and how it is shown.

    `large` is the share link's type size; `query` then holds the link's own filters in place of
    the address, and `frozen` the answers of a frozen link in place of the data. `answers` keeps
    what this run was told, by question, so that it can be frozen; `looked` when it looked for commits, and
    at which version; `begun` the keys of what it began to ask. `unit` stands in for the company's currency.
    """

    name: str
    actor: Actor
    now: datetime
    database: Database
    calendar: FiscalCalendar
    large: bool = False
    query: dict[str, Any] | None = None
    frozen: dict[str, Any] | None = None
    unit: str = ""
    answers: dict[str, Callable[[], Any]] = dataclasses.field(default_factory=dict)
    looked: list[tuple[float, int]] = dataclasses.field(default_factory=list)
    begun: list[str] = dataclasses.field(default_factory=list)

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return self.database.zone

    @property
    def today(self) -> date:
        """The company's day."""
        from core.domain.periods import day_of

        return day_of(self.now, self.zone)

    @property
    def dark(self) -> bool:
        """Whether the reader's theme is dark."""
        return st.context.theme.type == "dark"

    @property
    def currency(self) -> str:
        """The company's currency."""
        return self.unit or self.database.base_currency

    def may(self, action: Action) -> bool:
        """Say whether the policy gives the actor this action."""
        return self.actor.may(action)

    def ask(self, question: Callable[Concatenate[Work, P], R], /, *args: P.args, **params: P.kwargs) -> R:
        """Return the answer to a query; mirrored ones are computed once for all who ask the same.

        A refusal is shown in the reader's language and ends the page's run.
        """
        name = f"{cast('Any', question).gate.name}{args or ''}{sorted(params.items())}"
        self._check_still_here()
        if self.frozen is not None:
            return cast("R", self._from_the_ice(name))
        try:
            found = self._answer(question, *args, **params)
            if cast("Any", question).gate.action in open_to_holder(self.name):
                self.answers[name] = partial(self._as_link, question, *args, **params)
        except SalesError as error:
            st.error(plain(error.message()), icon=":material/block:")
            lost.way_home()
            st.stop()
        return found

    def _as_link(self, question: Callable[Concatenate[Work, P], R], /, *args: P.args, **params: P.kwargs) -> R:
        """Return the answer that a link's holder gets: never more than that may be frozen."""
        more = frozenset({SHAREABLE[self.name]})
        holder = dataclasses.replace(
            self.actor, user_id=None, role=Role.SHARED, share_link_id=self.actor.share_link_id or 0, extra_actions=more
        )
        return View._answer(dataclasses.replace(self, actor=holder), question, *args, **params)

    def _check_still_here(self) -> None:
        """Redraw the page for whoever looks at it now, where that is not the view's actor any more."""
        if not session.is_still(self.actor):
            st.rerun()
            raise NotAllowed  # within a callback, where a rerun waits for its end

    def _from_the_ice(self, name: str) -> Any:
        if self.frozen is None or name not in self.frozen:
            st.info(_("This part was not on the page when the link was frozen."), icon=":material/ac_unit:")
            st.stop()
        return self.frozen[name]

    def _answer(self, question: Callable[Concatenate[Work, P], R], /, *args: P.args, **params: P.kwargs) -> R:
        entry: gate.Entry = cast("Any", question).gate
        if not self.may(entry.action):
            raise NotAllowed
        if not entry.mirrored:
            return gate.answer(self.database, self.actor, question, self.now, *args, **params)
        key = self._key(entry, args, params)
        token = _asking.set(partial(_ahead.taken, key, partial(self._found, question, *args, **params)))
        try:
            return cast("R", _kept(key))
        finally:
            _asking.reset(token)
            _ahead.done(key)
            with suppress(ValueError):
                self.begun.remove(key)

    def _found(self, question: Callable[Concatenate[Work, P], R], /, *args: P.args, **params: P.kwargs) -> R:
        with self.database.mirror.settled():
            return gate.answer(self.database, self.actor, question, self.now, *args, **params)

    def _key(self, entry: gate.Entry, args: tuple[Any, ...], params: dict[str, Any]) -> str:
        """Return what an answer depends on, all of it."""
        return repr((
            self.database.url, self.version(), self.actor.scope, self.actor.rep_id, self.actor.share_link_id is None,
            self.may(Action.MARGIN_VIEW), entry.name, language(), self.today, args, sorted(params.items()),
        ))  # fmt: skip

    def ahead(self, question: Callable[Concatenate[Work, P], R], /, *args: P.args, **params: P.kwargs) -> None:
        """Begin to answer a mirrored query that the page will `ask` in the same words further down.

        Where several pages are being drawn each leaves the processors to the others and asks when it gets there.
        """
        entry: gate.Entry = cast("Any", question).gate
        if self.frozen is not None or not entry.mirrored or not self.may(entry.action) or turns.PAGES.is_crowded:
            return
        with suppress(SalesError):  # the page says it where it asks
            key = self._key(entry, args, params)
            if _ahead.begin(key, partial(self._found, question, *args, **params)):
                self.begun.append(key)

    def version(self) -> int:
        """Return the version of the mirror that this run's answers are of, or a newer one's.

        A run looks for commits at its first question, not at each: while many save, a page of twenty questions
        would take over their changes twenty times.
        """
        now = monotonic()
        if not self.looked or now - self.looked[0][0] > _LOOKS_EVERY:
            self.looked[:] = [(now, self.database.mirror.refresh())]
        return self.looked[0][1]

    def do(self, command: Callable[Concatenate[Work, P], R], /, *args: P.args, **params: P.kwargs) -> R:
        """Run a command in one transaction; its refusals are the page's to show."""
        self._check_still_here()
        self.looked.clear()
        return gate.perform(self.database, self.actor, command, session.now(), *args, **params)

    def later(self) -> Callable[[], View]:
        """Return what gives this view to a click that makes a file outside of any run: as who is signed in by then."""
        asker = session.asker()

        def anew() -> View:
            actor = asker()
            if actor is None:
                raise NotAllowed
            return dataclasses.replace(self, actor=actor, now=session.now(), frozen=None, answers={}, looked=[])

        return anew

    def heading(self, title: str, subtitle: str = "") -> None:
        """Draw the page's title as plain text, whatever it holds."""
        st.title(plain(title), anchor=False)
        if subtitle:
            st.caption(plain(subtitle))

    def counting(self) -> View:
        """Return this view with numbers of deals or pieces where it shows amounts."""
        return dataclasses.replace(self, unit=NO_CURRENCY)

    def with_large_type(self, query: dict[str, Any]) -> View:
        """Return this view as a share link shows it."""
        return dataclasses.replace(self, large=True, query=query)


@st.cache_data(max_entries=_KEPT_ANSWERS, show_spinner=False)
def _kept(key: str) -> Any:  # noqa: ARG001 - what the cache keys on
    """Return the answer of the question being asked; `key` names everything that it depends on.

    The one cache of the program. The key holds the database, the mirror's version, the scope, whether
    a link asks, whether costs are open, the question, its arguments, the language and the day; a test asks as two
    actors and compares.
    """
    return _asking.get()()


def plain(text: str) -> str:
    """Return `text` so that Streamlit's Markdown shows it letter by letter, no amount broken by a line's end."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+-.!|~:$^" else c for c in unbroken(text).replace("\n", " "))


def forget_begun(view: View) -> None:
    """Forget what the run before this one began to ask and did not: at the beginning of each run."""
    _ahead.drop(st.session_state.get(_BEGUN, ()))
    st.session_state[_BEGUN] = view.begun


def stop_ahead() -> None:
    """End what is being answered ahead, before the data are closed."""
    _ahead.stop()


def open_page(name: str, *, heading: bool = True) -> View:
    """Return the view of page `name`, or end the run with a sentence.

    Checks the sign-in and the policy anew in every run, however the page was reached.
    """
    spec = routes.page(name)
    actor = session.current_actor()
    if actor is None or not actor.may(spec.action):
        st.error(_(NO_SUCH_PAGE), icon=":material/block:")
        lost.way_home()
        st.stop()
    view = View(name=name, actor=actor, now=session.now(), database=session.database(), calendar=session.calendar())
    way_back.arrive(name)
    forget_begun(view)
    st.session_state[ANSWERS_KEY] = view.answers
    st.session_state.pop(session.DIALOG_KEY, None)
    if heading:
        view.heading(_(spec.title))
    building.say_being_built(view.database)
    return view
