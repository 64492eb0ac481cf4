"""Figures that were drawn before: the same frame, words, language and look give the same figure."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec

import pandas as pd

from core.charts.figure import Figure
from core.i18n import language

P = ParamSpec("P")
MOST = 256


def remembered(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Keep the last `MOST` figures that `draw` made; what it returns is shared, so nobody may change it.

    The key is the whole content of the arguments; with one that is not data of a known kind the figure is drawn.
    """
    kept: OrderedDict[str, Figure] = OrderedDict()
    lock = Lock()

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        try:
            key = f"{language()} {_written(list(args))} {_written(sorted(kwargs.items()))}"
        except TypeError:
            return draw(*args, **kwargs)
        with lock:
            if key in kept:
                kept.move_to_end(key)
                return kept[key]
        figure = draw(*args, **kwargs)
        with lock:
            kept[key] = figure
            while len(kept) > MOST:
                kept.popitem(last=False)
        return figure

    return drawn


def _written(value: Any) -> str:
    if isinstance(value, pd.DataFrame):
        return f"{list(value.dtypes.items())!r}{value.to_dict('list')!r}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    if value is None or isinstance(value, str | int | float | date):
        return repr(value)
    raise TypeError(f"no figure is kept by a {type(value).__name__}")
