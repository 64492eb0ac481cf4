"""The leaderboard of reps with its adjustments, and as much of others as the company's setting shows."""

from __future__ import annotations

from math import floor, isnan, log10, nan
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np
import pandas as pd

from core.access.actions import Action
from core.access.board_sight import BoardSight, sight_of
from core.analytics import leaderboard as statements
from core.analytics.as_of import AsOf
from core.analytics.filters import NO_FILTERS, Filters
from core.domain.periods import Period
from core.gate import query
from core.queries.leaderboard import COLUMNS, compared, framed, in_order, margins_for
from core.queries.leaderboard_board import Adjustment, Pool, boards
from core.queries.leaderboard_board import ranked_column as column_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.db.work import Work
    from core.queries.leaderboard import Columns

ADJUSTMENTS: Final[tuple[Adjustment, ...]] = get_args(Adjustment)
USUAL: Final[tuple[Adjustment, ...]] = ("splits", "days", "shrinkage", "range")
MASKED: Final = "other-"
"""How the keys begin of those of whom the ranked figure alone is shown."""
FAIR_COLUMNS = (
    *COLUMNS, "inside", "plain_rank", "rank_low", "rank_high", "of", "days_worked", "leave_days", "period_days",
    "quota_by_days", "usual", "hardness", "mean_hardness", "fair_quota", "fair_attainment",
    "shrunk_rate", "shrunk_low", "shrunk_high", "pooled_rate", "prior_deals", "usual_own", "usual_own_days",
    "usual_peers", "usual_peer_days",
)  # fmt: skip
_ALWAYS = ("rank", "previous_rank", "of", "inside", "too_few", "most_improved")
_UNTOLD = frozenset({"rank_low", "rank_high", "plain_rank", "won_count", "decided_count", "activities"})
"""Whole numbers that are 0 in the rows of those who are masked."""
_HELD = (*_UNTOLD, "key", "name", "team")


@query(Action.LEADERBOARD_VIEW, mirrored=True, askable=True)
def fair_leaderboard(
    work: Work,
    *,
    period: Period,
    measure: statements.Measure = "booked",
    filters: Filters = NO_FILTERS,
    adjust: tuple[Adjustment, ...] = USUAL,
    minimum_decided: int | None = None,
    as_of: AsOf | None = None,
) -> pd.DataFrame:
    """Return the reps, ranked among all by a measure as it is adjusted; columns: docs/queries.md.

    People outside the scope stand in it as the company's setting says: with names and figures, with the ranked
    figure alone, or not at all. Where filters are set they are only compared with if all of theirs is shown.
    """
    margins_for(work, measure)
    sight = sight_of(work.actor, work.setting("board_sight"))
    pool = Pool(work, everyone=sight is BoardSight.FULL or filters == NO_FILTERS, as_of=as_of)
    now, before = boards(pool, period, measure, frozenset(adjust), filters, minimum_decided)
    board = now.columns | compared(
        now.columns, now.ranked_by, before.columns, before.ranked_by, before.columns["rank"],
        least_first=now.least_first,
    )  # fmt: skip
    order = in_order(board, "name", "key")
    shown = _shown({name: values[order] for name, values in board.items()}, sight, now.ranked_by, adjust)
    return framed(shown, np.arange(len(shown["key"])), FAIR_COLUMNS)


def _shown(board: Columns, sight: BoardSight, ranked_by: str, adjust: Collection[Adjustment]) -> Columns:
    """Return the rows as they may be seen: those outside the scope masked or left out."""
    if sight is BoardSight.FULL:
        return board
    inside = board["inside"]
    there = inside | (board["rank"] > 0) if sight is BoardSight.ANONYMOUS else inside
    masked = ~inside[there]
    coarse = _coarse(board, "difficulty" in adjust)
    found = {}
    for name, values in (board | coarse).items():
        kept = values[there]
        if masked.any() and name not in (*_ALWAYS, *_HELD, ranked_by):
            kept = kept.astype(np.float64)
            kept[masked] = nan
        elif masked.any() and name in (_UNTOLD - {ranked_by}):
            kept = np.where(masked, 0, kept)
        found[name] = kept
    key = np.array([f"{MASKED}{place}" for place in range(1, len(inside) + 1)], object)[there]
    found["key"] = np.where(masked, key, board["key"][there])
    for name in ("name", "team"):
        found[name] = np.where(masked, "", board[name][there])
    return found


def _coarse(board: Columns, hard: bool) -> Columns:
    """Return the columns of the own rows from which others' figures could be worked out, made coarse.

    Sums over others are left out, and what rests on them is rounded: a rate to whole percent, money to two digits.
    Else two periods that differ by a day would tell what a colleague booked on it.
    """
    own, nothing = board["inside"], np.full(board["inside"].shape, nan)
    found = dict.fromkeys(_SUMS_OF_OTHERS, nothing)
    digits = dict.fromkeys((*_RATES_AMONG_OTHERS, *(["fair_attainment"] if hard else [])), _hundredth)
    digits |= dict.fromkeys(("usual", *(["fair_quota"] if hard else [])), two_digits)
    for name, rounded in digits.items():
        values = board[name].copy()
        values[own] = [rounded(value) for value in values[own].tolist()]
        found[name] = values
    return found


def _hundredth(value: float) -> float:
    return round(value, 2)


def two_digits(value: float) -> float:
    """Return a number to two digits, as it may be told of people who are not shown."""
    return value if isnan(value) or value == 0 else round(value, 1 - floor(log10(abs(value))))


_SUMS_OF_OTHERS = ("usual_peers", "usual_peer_days", "mean_hardness", "pooled_rate", "prior_deals")
_RATES_AMONG_OTHERS = ("hardness", "shrunk_rate", "shrunk_low", "shrunk_high")


def blank(columns: tuple[str, ...]) -> dict[str, Any]:
    """Return a row of a board that tells nothing."""
    nothing: dict[str, Any] = {"rank_low": None, "rank_high": None, "plain_rank": None}
    nothing |= dict.fromkeys(("won_count", "decided_count", "activities"), 0)
    return {name: nothing.get(name, nan) for name in columns}


def ranked_column(measure: str, adjust: Collection[Adjustment]) -> str:
    """Return the column of `fair_leaderboard` that decides the ranks."""
    return column_of(measure, frozenset(adjust))
