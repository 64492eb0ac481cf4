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
_TIMES = np.searchsorted(_POISSON, np.arange(_THROWS), side="right").astype(np.uint8)
"""How often a deal comes at each throw."""
_BLOCK = 16
_SIGN = np.int64(np.iinfo(np.int64).max)

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
    own = _Own.of(deals.who[deals.won], deals.amount[deals.won], deals.people)
    if measure == "won_count":
        return dice.poisson(own.count, size=(draws, deals.people)).astype(np.float64)
    if measure == "average_deal":
        return _means_again(own, draws, dice)
    booked = _sums_again(own, draws, dice)
    with np.errstate(divide="ignore", invalid="ignore"):
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


@dataclass(frozen=True)
class _Own:
    """The won deals person by person, the least first: so that sums come out the same whatever their order was."""

    who: NDArray[np.int64]
    amount: NDArray[np.float64]
    count: NDArray[np.int64]

    @classmethod
    def of(cls, who: NDArray[np.int64], amount: NDArray[np.float64], people: int) -> _Own:
        order = np.argsort(amount)
        order = order[np.argsort(who[order].astype(np.min_scalar_type(people)), kind="stable")]
        return cls(who[order], amount[order], np.bincount(who, minlength=people))

    def sums(self, of_each: NDArray[np.float64], whose: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what some people's deals add up to."""
        return np.bincount(self.who, of_each, self.count.size).astype(np.float64)[whose]

    @property
    def many(self) -> NDArray[np.int64]:
        """Those who have more deals than are drawn one by one."""
        return np.flatnonzero(self.count > _FEW)


def _sums_again(own: _Own, draws: int, dice: np.random.Generator) -> NDArray[np.float64]:
    """Return what each books in each draw, a row a draw.

    Of up to `_FEW` deals each is drawn. Of more, their sum is, by its mean, variance and skewness (eq. 2).
    """
    booked = np.zeros((draws, own.count.size))
    many = own.many
    if many.size:
        mean, squares, cubes = (own.sums(own.amount**power, many) for power in (1, 2, 3))
        spread = np.sqrt(squares)
        chance = _skewed(dice.standard_normal((draws, many.size)), cubes / np.where(squares > 0, spread**3, 1.0))
        chance *= spread
        chance += mean
        kept = own.sums((own.amount < 0).astype(np.float64), many) > 0
        booked[:, many] = np.maximum(chance, np.where(kept, -np.inf, 0.0), out=chance)
    _draw_each(own, dice, booked)
    return booked


def _means_again(own: _Own, draws: int, dice: np.random.Generator) -> NDArray[np.float64]:
    """Return what each books a deal in each draw, a row a draw; NaN where none is won.

    Of many deals their number is drawn, and then the sum of so many by its moments given that number (eq. 3).
    """
    booked, wins = (np.zeros((draws, own.count.size)) for _each in range(2))
    many = own.many
    if many.size:
        count, there = own.count[many], dice.poisson(own.count[many], (draws, many.size))
        mean = own.sums(own.amount, many) / count
        off = own.amount - (np.bincount(own.who, own.amount, own.count.size) / np.maximum(own.count, 1))[own.who]
        spread = np.sqrt(own.sums(off**2, many) / count)
        skew = own.sums(off**3, many) / count / np.where(spread > 0, spread, 1.0) ** 3
        chance = _skewed(dice.standard_normal(there.shape), skew / np.sqrt(np.maximum(there, 1)))
        least = np.full(own.count.shape, np.inf)
        np.minimum.at(least, own.who, own.amount)
        wins[:, many] = there
        booked[:, many] = np.maximum(there * mean + np.sqrt(there) * spread * chance, there * least[many])
    _draw_each(own, dice, booked, wins)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(booked / wins)


def _skewed(chance: NDArray[np.float64], skew: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return normal chances with a skewness, in first order (Cornish and Fisher)."""
    more = chance * chance
    more -= 1.0
    more *= skew / 6
    more += chance
    return more


def _draw_each(
    own: _Own, dice: np.random.Generator, booked: NDArray[np.float64], wins: NDArray[np.float64] | None = None
) -> None:
    """Put into `booked` and `wins` what those with few deals have by drawing deal by deal.

    The first deals of all are added up, then the second ones, and so on: whoever has most stands first, so that those
    who have a further one are always the first few.
    """
    few = np.flatnonzero((own.count > 0) & (own.count <= _FEW))
    people = few[np.argsort(-own.count[few], kind="stable")]
    starts, deals = (np.cumsum(own.count) - own.count)[people], own.count[people]
    sums, times = (np.zeros((booked.shape[0], people.size)) for _each in range(2))
    for place in range(int(deals.max(initial=0))):
        having = int(np.count_nonzero(deals > place))
        drawn = np.take(_TIMES, dice.integers(0, _THROWS, size=(booked.shape[0], having), dtype=np.uint16))
        sums[:, :having] += drawn * own.amount[starts[:having] + place]
        if wins is not None:
            times[:, :having] += drawn
    booked[:, people] = sums
    if wins is not None:
        wins[:, people] = times


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
        ranks = _ranks_of(draws, placed)
        below, above = (ceil(share * ranks.shape[1]) - 1 for share in RANGE)
        ranks.sort(axis=1)
        low[placed] = np.minimum(ranks[:, below], plain[placed])
        high[placed] = np.maximum(ranks[:, above], plain[placed])
    return low, high


def _ranks_of(draws: NDArray[np.float64], whose: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the ranks of some people in each draw, a row a person, the greatest value the first; equal ones share it.

    Numbers and their places are sorted as one: a float's bits, turned round below nought, order as the float does, and
    the last of them make room for the place. What differs there alone, in a thousand millionth, is equal.
    """
    times, places = len(draws), len(whose)
    room = max(places - 1, 1).bit_length()
    numbers, ordinals = np.arange(places), np.arange(1, places + 1, dtype=np.int32)
    ranks = np.empty((places, times), np.int32)
    for start in range(0, times, _BLOCK):
        values = 0.0 - np.take(draws[start : start + _BLOCK], whose, axis=1)
        values[np.isnan(values)] = np.inf
        bits = values.view(np.int64)
        keys = (bits ^ ((bits >> 63) & _SIGN)) >> room << room | numbers
        keys.sort(axis=1)
        worth = keys >> room
        first = np.tile(ordinals, (len(keys), 1))
        first[:, 1:][worth[:, 1:] == worth[:, :-1]] = 0
        np.maximum.accumulate(first, axis=1, out=first)
        ranks[keys & ((1 << room) - 1), start + np.arange(len(keys))[:, None]] = first
    return ranks
