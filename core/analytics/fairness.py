"""What makes a ranking of people fair.

Days worked, quotas as hard as each other, rates that know how little they rest on, and ranks with the range in which
chance alone would put them. Pure functions; money in any unit, rates in [0, 1]. Sources: docs/methods/days-worked.md,
quota-difficulty.md, shrunk-rate.md, rank-range.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from math import isnan, nan
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
_MOST_WEIGHTS = 20_000_000
_AT_ONCE = 4_000_000

Resampled = Literal["booked", "attainment", "won_count", "win_rate", "average_deal"]


def days_worked(period: Period, joined_on: date | None, left_on: date | None) -> int:
    """Return the days of the period on which somebody was there; `left_on` is the last of them."""
    first = max(period.start, joined_on) if joined_on else period.start
    end = min(period.end, left_on + timedelta(days=1)) if left_on else period.end
    return max(0, (end - first).days)


def quota_for_days_worked(
    months: Mapping[date, float], period: Period, joined_on: date | None, left_on: date | None
) -> float:
    """Return what is owed for the days worked: each month's quota by the share of its days (eq. 1)."""
    total = 0.0
    for month, amount in months.items():
        following = add_months(month, 1)
        inside = Period(max(month, period.start), min(following, period.end))
        if inside.start < inside.end:
            total += round(amount * days_worked(inside, joined_on, left_on) / (following - month).days)
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
        from scipy.special import betaincinv

        if self.rate in {0.0, 1.0}:
            return self.rate, self.rate
        a = won + self.weight * self.rate
        b = decided - won + self.weight * (1 - self.rate)
        return float(betaincinv(a, b, 0.025)), float(betaincinv(a, b, 0.975))


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
    Fewer draws where there are very many deals. NaN where a draw has no such number.
    """
    count = deals.who.size
    draws = min(draws, max(100, _MOST_WEIGHTS // max(count, 1)))
    dice = np.random.default_rng(seed)
    order = np.argsort(deals.who, kind="stable")
    who, won, amount = deals.who[order], deals.won[order].astype(np.float64), deals.amount[order]
    present, starts = np.unique(who, return_index=True)
    found = np.empty((draws, deals.people))
    at_once = max(1, _AT_ONCE // max(count, 1))
    for first in range(0, draws, at_once):
        rows = min(at_once, draws - first)
        times = dice.poisson(1.0, size=(rows, count)).astype(np.float64)
        sums = []
        for part in (times * won, times, times * won * amount):
            whole = np.zeros((rows, deals.people))
            if count:
                whole[:, present] = np.add.reduceat(part, starts, axis=1)
            sums.append(whole)
        found[first : first + rows] = _measured(*sums, measure=measure, quotas=quotas, prior=prior)
    return found


def _measured(
    won: NDArray[np.float64], decided: NDArray[np.float64], booked: NDArray[np.float64], *, measure: Resampled,
    quotas: NDArray[np.float64] | None, prior: Prior | None,
) -> NDArray[np.float64]:  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        match measure:
            case "won_count":
                return won
            case "average_deal":
                return booked / won
            case "win_rate":
                return won / decided if prior is None else (won + prior.weight * prior.rate) / (decided + prior.weight)
            case "attainment" if quotas is not None:
                return booked / quotas
        return booked


def rank_ranges(plain: Sequence[int | None], draws: NDArray[np.float64]) -> list[tuple[int, int] | None]:
    """Return for each the ranks between which four draws of five lie (eq. 2), stretched to hold the plain rank.

    None for who has no rank; they take no place in the draws either. The best value is the greatest.
    """
    placed = [place for place, rank in enumerate(plain) if rank is not None]
    if not placed:
        return [None] * len(plain)
    values = np.nan_to_num(-draws[:, placed], nan=np.inf)
    ordered = np.sort(values, axis=1)
    ranks = np.empty(values.shape, dtype=np.int64)
    for row in range(values.shape[0]):
        ranks[row] = np.searchsorted(ordered[row], values[row], side="left") + 1
    lows, highs = np.quantile(ranks, RANGE, axis=0, method="inverted_cdf")
    found: list[tuple[int, int] | None] = [None] * len(plain)
    for place, low, high in zip(placed, lows, highs, strict=True):
        rank = plain[place]
        assert rank is not None  # noqa: S101 - `placed` holds only these
        found[place] = (min(int(low), rank), max(int(high), rank))
    return found
