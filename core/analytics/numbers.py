"""Columns of a statement as plain arrays, and numbers as the places of what they stand for."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_NUMBERED = 1_000_000
"""The greatest number up to which places are read off a list of all numbers, however few of them are asked for."""
_ROOM = 8
"""The greatest number beyond, as a multiple of how many are asked for."""


def whole(values: NDArray[Any], none: int = -1) -> NDArray[np.int64]:
    """Return whole numbers as such, `none` for what there is not."""
    if isinstance(values, np.ma.MaskedArray):
        values = values.filled(none)
    return np.asarray(values, np.int64)


def number(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return numbers, NaN for what there is not."""
    return np.asarray(np.ma.filled(values.astype(np.float64), nan))


def days(values: NDArray[Any]) -> NDArray[np.datetime64]:
    """Return days that there are all."""
    return np.asarray(np.ma.getdata(values)).astype("datetime64[D]")


def places_among(known: NDArray[np.integer[Any]], wanted: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """Return the places of numbers among known ones, no two of which are the same; -1 for what is none of them."""
    most = int(known.max(initial=-1))
    if most > max(_MOST_NUMBERED, _ROOM * (known.size + wanted.size)):
        order = np.argsort(known)
        at = order[np.minimum(np.searchsorted(known, wanted, sorter=order), known.size - 1)]
        return np.where(known[at] == wanted, at, -1)
    place_of = np.full(most + 2, -1, np.int32)
    place_of[known] = np.arange(known.size, dtype=np.int32)
    found: NDArray[np.intp] = place_of[np.minimum(wanted, most + 1)].astype(np.intp)
    return found


def is_among(values: NDArray[np.integer[Any]], known: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Say of each number, none of them negative, whether it is one of the known ones, which may be told twice."""
    return places_among(known, values) >= 0 if known.size else np.zeros(values.shape, np.bool_)
