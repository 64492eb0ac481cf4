"""How every deal went, day by day as it was known then, and what it says of the weeks ahead: docs/queries.md."""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from core.access.actions import Action
from core.analytics.dimensions import Dimension
from core.analytics.filters import NO_FILTERS, Filters, number
from core.analytics.known_then import chances, followed, followed_mark, marks_beside, names, spans
from core.forecasting.near_term import near_term
from core.forecasting.pipeline import LEARNED, WEEKS, is_ordered, order_of
from core.gate import query
from core.queries.overview import HUNDREDTHS

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from core.access.actors import Scope
    from core.db.mirror import ScopedMirror
    from core.db.work import AnyMirror, Work
    from core.forecasting.near_term import NearTerm

Key = TypeVar("Key")
Part = Dimension | Literal["company"]

DAYS: Final = "datetime64[s]"
COLUMNS: Final = {
    "deal": "int64", "stage": "int64", "probability": "float64", "value": "float64", "is_open": "bool",
    "is_won": "bool", "from_on": DAYS, "until_on": DAYS, "expected_close_on": DAYS,
}  # fmt: skip
NAMES = ("deal", "name", "customer")
CARRIED = ("deal", "name", "customer", "value", "age", "chance", "brings")
KEPT: Final = 32

_Asked = tuple[int, "Scope", "date", str, str]

_lock = Lock()
_made: OrderedDict[tuple[Any, ...], NearTerm | None] = OrderedDict()
"""Near terms by their last day and marks of the data they were learned from; the same data have the same one."""
_told: WeakKeyDictionary[AnyMirror, OrderedDict[_Asked, NearTerm | None]] = WeakKeyDictionary()
"""Of each mirror, near terms by its version, the scope, the last day and the part of the company: their data."""


@query(Action.FORECAST_VIEW, mirrored=True, askable=True)
def deal_spans(
    work: Work, *, since: date, dimension: Dimension | Literal["company"] = "company", key: str = ""
) -> pd.DataFrame:
    """Return a row for each time that a deal stayed as it was, as it was known then, that reached `since` or later."""
    return _stays(work.mirror, since, dimension, key)


def _stays(mirror: ScopedMirror, since: date, dimension: Part, key: str) -> pd.DataFrame:
    filters = filters_of(dimension, key)
    if filters is None:
        stays: dict[str, NDArray[Any]] = {name: np.empty(0, kind) for name, kind in COLUMNS.items()}
    else:
        stays = _with_chances(mirror, mirror.columns(spans(mirror.facts, filters=filters, since=since)))
        if not is_ordered(stays["deal"], stays["from_on"]):
            order = order_of(stays["deal"], stays["from_on"])
            stays = {name: stays[name][order] for name in COLUMNS}
    return pd.DataFrame({name: _of_kind(stays[name], kind) for name, kind in COLUMNS.items()}, copy=False)


def _of_kind(values: NDArray[Any], kind: str) -> NDArray[Any]:
    """Return values of a kind, days from their numbers; what is so already as it is, since there are very many."""
    if kind == DAYS and values.dtype != kind:
        return values.astype("datetime64[D]").astype(kind)
    return values.astype(kind, copy=False)


def _with_chances(mirror: ScopedMirror, stays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return stays with the `probability` of their stage, and their value in major units."""
    rows = mirror.rows(chances(mirror.facts))
    by_stage = np.full(max((row.id for row in rows), default=0) + 1, np.nan)
    for row in rows:
        by_stage[row.id] = row.probability
    return stays | {"probability": by_stage[stays["stage"]], "value": stays["value"] / HUNDREDTHS}


@query(Action.FORECAST_VIEW, mirrored=True, askable=True)
def near_outlook(work: Work, *, dimension: Part = "company", key: str = "") -> dict[str, Any]:
    """Return what open deals say of the weeks ahead and said in past ones (`NearTerm.to_dict`); empty if too little.

    Sums of deals alone, so that a frozen link may hold it.
    """
    found = _near(work, dimension, key)
    return {} if found is None else found.to_dict()


@query(Action.FORECAST_VIEW, mirrored=True, askable=True)
def carrying_deals(work: Work, *, dimension: Part = "company", key: str = "", count: int = 10) -> pd.DataFrame:
    """Return the open deals that bring most in the next 13 weeks, with what they are called and their chance."""
    found = _near(work, dimension, key)
    if found is None or found.deals.empty:
        return pd.DataFrame(columns=list(CARRIED))
    top = found.deals.head(count)
    rows = work.mirror.rows(names(work.mirror.facts, tuple(int(deal) for deal in top["deal"])))
    called = pd.DataFrame([tuple(row) for row in rows], columns=list(NAMES))
    return top.merge(called, on="deal", how="left")[list(CARRIED)]


def _near(work: Work, dimension: Part, key: str) -> NearTerm | None:
    mirror, last = work.mirror, work.today - timedelta(days=1)
    asked = (mirror.version, mirror.scope, last, dimension, key)
    with _lock:
        told = _told.setdefault(work.database.mirror, OrderedDict())
        if asked in told:
            return told[asked]
    found = _learned(mirror, filters_of(dimension, key), last)
    with _lock:
        _keep(told, asked, found)
    return found


def _learned(mirror: ScopedMirror, filters: Filters | None, last: date) -> NearTerm | None:
    if filters is None:
        return None
    facts = mirror.facts
    asked: dict[str, Any] = {"filters": filters, "since": last - timedelta(days=7 * (LEARNED + WEEKS)), "last": last}
    whole = mirror.rows(followed_mark(facts, **asked))[0]
    said = (last, *whole, *(mark for statement in marks_beside(facts) for mark in mirror.rows(statement)[0]))
    with _lock:
        if said in _made:
            _made.move_to_end(said)
            return _made[said]
    stays = _with_chances(mirror, mirror.columns(followed(facts, **asked)))
    found = near_term(stays, last=last, known_from=whole.first_on)
    with _lock:
        _keep(_made, said, found)
    return found


def _keep(kept: OrderedDict[Key, NearTerm | None], key: Key, found: NearTerm | None) -> None:
    kept[key] = found
    while len(kept) > KEPT:
        kept.popitem(last=False)


def filters_of(dimension: str, key: str) -> Filters | None:
    """Return the filters that mean one part of the company; None for a part that deals' days do not tell apart."""
    if dimension == "company":
        return NO_FILTERS
    found = number(key)
    if found is None:
        return None
    match dimension:
        case "team":
            return Filters(team_ids=(found,))
        case "territory":
            return Filters(territory_ids=(found,))
        case "product":
            return Filters(product_ids=(found,))
        case "channel":
            return Filters(channel_ids=(found,))
        case "rep":
            return Filters(rep_ids=(found,))
    return None
