"""The one way in: permission before every query and command, audit after every command."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy.exc import IntegrityError

from core.errors import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.access.actions import Action
    from core.access.actors import Actor
    from core.db.work import Database, Work

P = ParamSpec("P")
R = TypeVar("R")

_TRIES = 3


@dataclass(frozen=True)
class Entry:
    """One query or command that the gate knows."""

    name: str
    action: Action
    function: Callable[..., Any]
    mirrored: bool = False
    askable: bool = False


QUERIES: dict[str, Entry] = {}
COMMANDS: dict[str, Entry] = {}


def query(
    action: Action, *, mirrored: bool = False, askable: bool = False
) -> Callable[[Callable[Concatenate[Work, P], R]], Callable[Concatenate[Work, P], R]]:
    """Make a function that reads a question of the program, open to whom `action` is allowed.

    `mirrored`: reads the mirror, and beside it only what moves its version (`core.db.change_log`), so its answer may
    be kept for as long as that version stands. `askable`: can be asked by `python -m core.ask`.
    """
    return _register(QUERIES, action, mirrored=mirrored, askable=askable)


def command(
    action: Action,
) -> Callable[[Callable[Concatenate[Work, P], R]], Callable[Concatenate[Work, P], R]]:
    """Make a function that changes a command of the program, open to whom `action` is allowed."""
    return _register(COMMANDS, action)


def _register(
    entries: dict[str, Entry],
    action: Action,
    *,
    mirrored: bool = False,
    askable: bool = False,
) -> Callable[[Callable[Concatenate[Work, P], R]], Callable[Concatenate[Work, P], R]]:
    def guard(
        function: Callable[Concatenate[Work, P], R],
    ) -> Callable[Concatenate[Work, P], R]:
        @wraps(function)
        def guarded(work: Work, *args: P.args, **kwargs: P.kwargs) -> R:
            if not work.actor.may(action):
                raise NotAllowed
            return function(work, *args, **kwargs)

        name = function.__name__
        known = entries.get(name)
        if known is not None and known.function.__module__ != function.__module__:
            message = f"{name} is registered by {known.function.__module__} already"
            raise ValueError(message)
        entries[name] = Entry(name, action, guarded, mirrored=mirrored, askable=askable)
        cast("Any", guarded).gate = entries[name]
        return cast("Callable[Concatenate[Work, P], R]", guarded)

    return guard


def perform(
    database: Database,
    actor: Actor,
    function: Callable[Concatenate[Work, P], R],
    now: datetime,
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """Run a command in a transaction of its own and return what it returns.

    Run again where somebody else's commit took the same unique key in between, so that the
    second run sees the first one's record.
    """
    action = cast("Any", function).gate.action
    for attempt in range(1, _TRIES + 1):
        try:
            with database.writing(actor, now=now, action=str(action)) as work:
                return function(work, *args, **kwargs)
        except IntegrityError as error:
            if attempt == _TRIES or "unique" not in str(error.orig).lower():
                raise
    raise AssertionError  # pragma: no cover - the loop returns or raises


def answer(
    database: Database,
    actor: Actor,
    function: Callable[Concatenate[Work, P], R],
    now: datetime,
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """Ask a query in a piece of reading work and return its answer."""
    with database.reading(actor, now=now) as work:
        return function(work, *args, **kwargs)
