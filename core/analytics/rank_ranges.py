"""The ranks between which chance alone would put people: a Poisson bootstrap of their decided deals.

Pure functions; money in any unit. Source: docs/methods/rank-range.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from core.analytics.fairness import Prior

SEED = 20_260_715
DRAWS = 1_000
RANGE = (0.1, 0.9)
_LEAST_DRAWS = 200
_MOST_FIGURES = 400_000
_FEW = 16
_THROWS = 65_536
_POISSON = np.cumsum((24_109, 24_109, 12_055, 4_018, 1_005, 201, 33, 5))
"""Of 65,536 equally likely throws, those from which on a deal comes once, twice … Poisson with mean 1, to one in
20,000."""
_BLOCK = 16

Resampled = Literal["booked", "attainment", "won_count", "win_rate", "average_deal", "margin"]


@dataclass(frozen=True)
class Decided:
    """Decided deals, a place in each array a deal: whose (a place among the people), won or not, and for how much."""

    who: NDArray[np.int64]
    won: NDArray[np.bool_]
    amount: NDArray[np.float64]
    people: int

    @classmethod
    def of(cls, rows: Sequence[tuple[int, bool, float]], people: int) -> Decided:
        """Return the deals from rows (place of the person, won, amount)."""
        who, won, amount = zip(*rows, strict=True) if rows else ((), (), ())
        return cls(np.asarray(who, np.int64), np.asarray(won, np.bool_), np.asarray(amount, np.float64), people)


def resampled(
    deals: Decided, measure: Resampled, *, quotas: NDArray[np.float64] | None = None, prior: Prior | None = None,
    draws: int = DRAWS, seed: int = SEED,
) -> NDArray[np.float64]:  # fmt: skip
    """Return what each would have had in other rounds of the same luck: a row a draw, a column a person.

    Every deal comes 0, 1, 2 … times, once on average (Poisson bootstrap), so that how many deals there were is
    left to chance as well (eq. 1). `attainment` needs `quotas`; `win_rate` is shrunk where a prior is given.
    Fewer draws where there are very many people. NaN where a draw has no such number.
    """
    if measure == "win_rate":
        won, lost = (np.bincount(deals.who[of], minlength=deals.people) for of in (deals.won, ~deals.won))
        return rates_again(won, lost, prior, draws=draws, seed=seed)
    draws, dice = _drawn(deals.people, draws), np.random.default_rng(seed)
    wins, booked = _won_again(deals.who[deals.won], deals.amount[deals.won], deals.people, draws, dice)
    if measure == "won_count":
        return wins
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "average_deal":
            return np.asarray(booked / wins)
        return booked if measure != "attainment" or quotas is None else np.asarray(booked / quotas)


def rates_again(
    won: NDArray[np.int64], lost: NDArray[np.int64], prior: Prior | None, *, draws: int = DRAWS, seed: int = SEED
) -> NDArray[np.float64]:
    """Return `resampled` win rates of people of whom so many deals were won and lost."""
    dice, size = np.random.default_rng(seed), (_drawn(len(won), draws), len(won))
    wins = dice.poisson(won, size=size).astype(np.float64)
    decided = wins + dice.poisson(lost, size=size)
    weight, rate = (0.0, 0.0) if prior is None else (prior.weight, prior.rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((wins + weight * rate) / (decided + weight))


def _drawn(people: int, draws: int) -> int:
    return min(draws, max(_LEAST_DRAWS, _MOST_FIGURES // max(people, 1)))


def _won_again(
    who: NDArray[np.int64], amount: NDArray[np.float64], people: int, draws: int, dice: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how many deals each wins in each draw, and for how much.

    Of up to `_FEW` deals each is drawn. Of more, their number is, and then the sum of so many deals by its mean,
    variance and skewness given that number (eq. 2 and 3).
    """
    order = np.lexsort((amount, who))  # sums to the last digit the same, in whatever order the deals come
    who, amount = who[order], amount[order]
    count = np.bincount(who, minlength=people)
    wins = dice.poisson(count, size=(draws, people)).astype(np.float64)
    mean = np.bincount(who, amount, people) / np.maximum(count, 1)
    off = amount - mean[who]
    spread = np.sqrt(np.bincount(who, off**2, people) / np.maximum(count, 1))
    skew = np.bincount(who, off**3, people) / np.maximum(count, 1) / np.where(spread > 0, spread, 1.0) ** 3
    booked = wins * mean
    many = np.flatnonzero((count > _FEW) & (spread > 0))
    if many.size:
        there = wins[:, many]
        chance = dice.standard_normal((draws, many.size))
        chance += skew[many] / 6 / np.sqrt(np.maximum(there, 1)) * (chance**2 - 1)
        least = np.full(people, np.inf)
        np.minimum.at(least, who, amount)
        booked[:, many] = np.maximum(booked[:, many] + np.sqrt(there) * spread[many] * chance, there * least[many])
    few = count[who] <= _FEW
    if few.any():
        _draw_each(who[few], amount[few], dice, wins, booked)
    return wins, booked


def _draw_each(
    who: NDArray[np.int64], amount: NDArray[np.float64], dice: np.random.Generator,
    wins: NDArray[np.float64], booked: NDArray[np.float64],
) -> None:  # fmt: skip
    """Put into `wins` and `booked` what each has by drawing deal by deal; the deals lie person by person.

    The first deals of all are added up, then the second ones, and so on: whoever has most stands first, so that those
    who have a further one are always the first few.
    """
    present, starts, deals = np.unique(who, return_index=True, return_counts=True)
    most_first = np.argsort(-deals, kind="stable")
    starts, deals = starts[most_first], deals[most_first]
    times = _times(dice.integers(0, _THROWS, size=(wins.shape[0], who.size), dtype=np.uint16))
    chosen = [starts[deals > place] + place for place in range(int(deals[0]))]
    in_turn = np.concatenate(chosen)
    times, amount = np.take(times, in_turn, axis=1), amount[in_turn]
    won = np.zeros((wins.shape[0], present.size), np.uint8)
    sums = np.zeros(won.shape)
    first = 0
    for having in map(len, chosen):
        drawn, until = times[:, first : first + having], first + having
        won[:, :having] += drawn
        sums[:, :having] += drawn * amount[first:until]
        first = until
    wins[:, present[most_first]] = won
    booked[:, present[most_first]] = sums


def _times(throws: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return how often a deal comes at each throw."""
    found = np.zeros(throws.shape, np.uint8)
    for first in range(0, len(throws), _BLOCK):
        for least in _POISSON.astype(np.uint16):
            found[first : first + _BLOCK] += throws[first : first + _BLOCK] >= least
    return found


def rank_ranges(plain: Sequence[int | None], draws: NDArray[np.float64]) -> list[tuple[int, int] | None]:
    """Return for each the ranks between which four draws of five lie (eq. 4), stretched to hold the plain rank.

    None for who has no rank; they take no place in the draws either. The best value is the greatest.
    """
    low, high = range_ends(np.array([rank or 0 for rank in plain], np.int64), draws)
    return [(int(first), int(last)) if first else None for first, last in zip(low, high, strict=True)]


def range_ends(plain: NDArray[np.int64], draws: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the two ends of `rank_ranges` as arrays; 0 stands for no rank."""
    low, high = plain.copy(), plain.copy()
    placed = np.flatnonzero(plain)
    if placed.size:
        values = np.nan_to_num(-draws[:, placed], nan=np.inf)
        below, above = (ceil(share * values.shape[0]) - 1 for share in RANGE)
        ranks = np.ascontiguousarray(_ranks_of(values).T)
        ranks.sort(axis=1)
        low[placed] = np.minimum(ranks[:, below], plain[placed])
        high[placed] = np.maximum(ranks[:, above], plain[placed])
    return low, high


def _ranks_of(values: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the rank of each value in its row, the least 1; equal ones share the best rank."""
    order = np.argsort(values, axis=1)
    flat = (order + np.arange(len(values))[:, None] * values.shape[1]).ravel()
    ordered = values.ravel()[flat].reshape(values.shape)
    first = np.broadcast_to(np.arange(values.shape[1], dtype=np.int32), values.shape).copy()
    first[:, 1:][ordered[:, 1:] == ordered[:, :-1]] = 0
    np.maximum.accumulate(first, axis=1, out=first)
    ranks = np.empty(values.size, dtype=np.int32)
    ranks[flat] = first.ravel() + 1
    return ranks.reshape(values.shape)
