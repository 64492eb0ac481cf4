"""What makes a ranking of people fair.

Days worked, quotas as hard as each other, rates that know how little they rest on, and ranks with the range in which
chance alone would put them. Pure functions; money in any unit, rates in [0, 1]. Sources: docs/methods/days-worked.md,
quota-difficulty.md, shrunk-rate.md, rank-range.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, isnan, nan
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.domain.periods import Period, add_months

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

PEER_DAYS = 180.0
"""How many days of one's own history weigh as much as that of the people who sell in the same territory."""
WEIGHTS = np.geomspace(1.0, 10_000.0, 161)
"""The weights of a prior that are tried, in deals."""
SEED = 20_260_715
DRAWS = 1_000
RANGE = (0.1, 0.9)
_LEAST_DRAWS = 200
_MOST_FIGURES = 400_000
_FEW = 16
_POISSON = np.repeat(np.arange(9, dtype=np.float64), (24_109, 24_109, 12_055, 4_018, 1_005, 201, 33, 5, 1))
"""How often a deal comes, for 65,536 equally likely throws: Poisson with mean 1, to one in 20,000."""

Resampled = Literal["booked", "attainment", "won_count", "win_rate", "average_deal", "margin"]


Leave = tuple[date, date]
"""The first and the last day on which somebody was away."""


def days_worked(
    period: Period, joined_on: date | None, left_on: date | None, leaves: Sequence[Leave] = ()
) -> int:  # fmt: skip
    """Return the days of the period on which somebody worked; `left_on` is the last, days of leave are none of them."""
    first = max(period.start, joined_on) if joined_on else period.start
    end = min(period.end, left_on + timedelta(days=1)) if left_on else period.end
    away = {
        first + timedelta(days=day)
        for start, last in leaves
        for day in range(max(0, (start - first).days), max(0, (min(end, last + timedelta(days=1)) - first).days))
    }
    return max(0, (end - first).days - len(away))


def quota_for_days_worked(
    months: Mapping[date, float],
    period: Period,
    joined_on: date | None,
    left_on: date | None,
    leaves: Sequence[Leave] = (),
) -> float:
    """Return what is owed for the days worked: each month's quota by the share of its days (eq. 1)."""
    total = 0.0
    for month, amount in months.items():
        following = add_months(month, 1)
        inside = Period(max(month, period.start), min(following, period.end))
        if inside.start < inside.end:
            total += round(amount * days_worked(inside, joined_on, left_on, leaves) / (following - month).days)
    return total


def booked_a_day(own: float, days: float, *, peers: float, peer_days: float, weight: float = PEER_DAYS) -> float:
    """Return what somebody usually books in a day, by their history and their territory's; NaN without either.

    The two are weighed by days: `weight` days of one's own count as much as the peers' (eq. 1).
    """
    if peer_days <= 0:
        return own / days if days > 0 else nan
    return (own + weight * peers / peer_days) / (days + weight)


def quotas_as_hard(quotas: Mapping[int, float], usual: Mapping[int, float]) -> dict[int, float]:
    """Return the same sum of quotas, shared out by what each usually books (eq. 2).

    Who has no quota or no history (NaN, 0) keeps what they had.
    """
    compared = [who for who, quota in quotas.items() if quota > 0 and usual.get(who, nan) > 0]
    total = sum(usual[who] for who in compared)
    hardness = sum(quotas[who] for who in compared) / total if compared else nan
    return {who: usual[who] * hardness if who in set(compared) else quota for who, quota in quotas.items()}


def hardness(quota: float, usual: float) -> float:
    """Return quota ÷ what is usual: 1.2 asks for a fifth more than history; NaN without either."""
    return quota / usual if quota > 0 and usual > 0 else nan


@dataclass(frozen=True)
class Prior:
    """What is believed of a rate before any deal is seen: the rate of all, worth `weight` deals."""

    rate: float
    weight: float

    def shrunk(self, won: float, decided: float) -> float:
        """Return the rate that one's own deals and the prior say together (eq. 2)."""
        return (won + self.weight * self.rate) / (decided + self.weight)

    def interval(self, won: int, decided: int) -> tuple[float, float]:
        """Return the 95 % credible interval of the rate (eq. 3)."""
        low, high = self.intervals([won], [decided])
        return float(low[0]), float(high[0])

    def intervals(self, won: Sequence[int], decided: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lower and the upper ends of the 95 % credible intervals of many."""
        from scipy.special import betaincinv

        wins, all_of = np.asarray(won, np.float64), np.asarray(decided, np.float64)
        if self.rate in {0.0, 1.0}:
            same = np.full(wins.shape, self.rate)
            return same, same
        a, b = wins + self.weight * self.rate, all_of - wins + self.weight * (1 - self.rate)
        return betaincinv(a, b, 0.025), betaincinv(a, b, 0.975)


def prior_of(won: Sequence[int], decided: Sequence[int]) -> Prior:
    """Return the prior that makes what was seen of all most likely (eq. 1).

    Beta-binomial, its mean fixed at the pooled rate. Where people differ no more than chance would make them, the
    weight is the greatest of `WEIGHTS`. The rate is NaN where nobody decided a deal.
    """
    from scipy.special import betaln

    wins, all_of = np.asarray(won, dtype=np.float64), np.asarray(decided, dtype=np.float64)
    total = float(all_of.sum())
    pooled = float(wins.sum()) / total if total else nan
    if isnan(pooled) or pooled in {0.0, 1.0}:
        return Prior(pooled, float(WEIGHTS[-1]))
    a, b = WEIGHTS[:, None] * pooled, WEIGHTS[:, None] * (1 - pooled)
    likely = (betaln(wins + a, all_of - wins + b) - betaln(a, b)).sum(axis=1)
    return Prior(pooled, float(WEIGHTS[int(np.argmax(likely))]))


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
    draws = min(draws, max(_LEAST_DRAWS, _MOST_FIGURES // max(deals.people, 1)))
    dice = np.random.default_rng(seed)
    if measure == "win_rate":
        won, lost = (np.bincount(deals.who[of], minlength=deals.people) for of in (deals.won, ~deals.won))
        wins = dice.poisson(won, size=(draws, deals.people)).astype(np.float64)
        decided = wins + dice.poisson(lost, size=(draws, deals.people))
        weight, rate = (0.0, 0.0) if prior is None else (prior.weight, prior.rate)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((wins + weight * rate) / (decided + weight))
    wins, booked = _won_again(deals.who[deals.won], deals.amount[deals.won], deals.people, draws, dice)
    if measure == "won_count":
        return wins
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "average_deal":
            return np.asarray(booked / wins)
        return booked if measure != "attainment" or quotas is None else np.asarray(booked / quotas)


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
        whose, amounts = who[few], amount[few]
        present, starts = np.unique(whose, return_index=True)
        times = _POISSON[dice.integers(0, _POISSON.size, size=(draws, whose.size), dtype=np.uint16)]
        wins[:, present] = np.add.reduceat(times, starts, axis=1)
        booked[:, present] = np.add.reduceat(times * amounts, starts, axis=1)
    return wins, booked


def rank_ranges(plain: Sequence[int | None], draws: NDArray[np.float64]) -> list[tuple[int, int] | None]:
    """Return for each the ranks between which four draws of five lie (eq. 4), stretched to hold the plain rank.

    None for who has no rank; they take no place in the draws either. The best value is the greatest.
    """
    placed = [place for place, rank in enumerate(plain) if rank is not None]
    if not placed:
        return [None] * len(plain)
    values = np.nan_to_num(-draws[:, placed], nan=np.inf)
    below, above = (ceil(share * values.shape[0]) - 1 for share in RANGE)
    ranks = np.partition(_ranks_of(values), (below, above), axis=0)
    found: list[tuple[int, int] | None] = [None] * len(plain)
    for place, low, high in zip(placed, ranks[below], ranks[above], strict=True):
        rank = plain[place]
        assert rank is not None  # noqa: S101 - `placed` holds only these
        found[place] = (min(int(low), rank), max(int(high), rank))
    return found


def _ranks_of(values: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the rank of each value in its row, the least 1; equal ones share the best rank."""
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    place = np.broadcast_to(np.arange(values.shape[1], dtype=np.int32), values.shape)
    is_new = np.ones(values.shape, dtype=np.bool_)
    is_new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = np.maximum.accumulate(np.where(is_new, place, 0), axis=1)
    ranks = np.empty(values.shape, dtype=np.int32)
    np.put_along_axis(ranks, order, first + 1, axis=1)
    return ranks
