"""What makes a ranking of people fair.

Days worked, quotas as hard as each other, and rates that know how little they rest on. Pure functions, of one person
and of many at once; money in any unit, rates in [0, 1]. Sources: docs/methods/days-worked.md, quota-difficulty.md,
shrunk-rate.md; ranks with the range in which chance alone would put them: `core.analytics.rank_ranges`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import isnan, nan
from typing import TYPE_CHECKING

import numpy as np

from core.domain.periods import Period, add_months

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, TypeAlias

    from numpy.typing import NDArray

    Leave: TypeAlias = tuple[date, date]
    """The first and the last day on which somebody was away."""
    Stay: TypeAlias = tuple[date | None, date | None, Sequence[Leave]]
    """When somebody joined, their last day, and their leaves."""
    Counts: TypeAlias = Sequence[int] | NDArray[Any]

PEER_DAYS = 180.0
"""How many days of one's own history weigh as much as that of the people who sell in the same territory."""
WEIGHTS = np.geomspace(1.0, 10_000.0, 161)
"""The weights of a prior that are tried, in deals."""
_AS_LIKELY = 1e-9
_EVER, _NEVER = 0, 4_000_000
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Presence:
    """On which days people worked, a place in each array a person: from `first` until `end`, numbers of days.

    `away`, `away_from` and `away_until`: a place a leave, whose, and its days; those of a person do not overlap.
    """

    first: NDArray[np.int64]
    end: NDArray[np.int64]
    away: NDArray[np.int64]
    away_from: NDArray[np.int64]
    away_until: NDArray[np.int64]

    @classmethod
    def of(cls, stays: Iterable[Stay]) -> Presence:
        """Return the presence of people one by one; `left_on` is the last day."""
        known = [*stays]
        days = (np.array([stay[at] or "NaT" for stay in known], "datetime64[D]") for at in (0, 1))
        return cls.between(*days, leaves={at: away for at, (*_days, away) in enumerate(known)})

    @classmethod
    def between(
        cls,
        joined_on: NDArray[np.datetime64],
        left_on: NDArray[np.datetime64],
        *,
        leaves: Mapping[int, Sequence[Leave]],
    ) -> Presence:
        """Return the presence of many people; NaT for who has always been there or has not left; leaves by place."""
        first, last = (days.astype("datetime64[D]") for days in (joined_on, left_on))
        there = np.where(np.isnat(first), _EVER, first.astype(np.int64) + _EPOCH)
        until = np.where(np.isnat(last), _NEVER, last.astype(np.int64) + _EPOCH + 1)
        found = []
        for place, away in leaves.items():
            over = _EVER
            for start, end in sorted(away):
                since, back = max(start.toordinal(), over), end.toordinal() + 1
                if since < back:
                    found.append((place, since, back))
                    over = back
        gone = np.array(found, np.int64).reshape(-1, 3)
        return cls(there, until, gone[:, 0], gone[:, 1], gone[:, 2])

    def days_in(self, period: Period, *, leaves: bool = True) -> NDArray[np.int64]:
        """Return the days of the period on which each worked; with `leaves` days of leave are none of them."""
        first = np.maximum(self.first, period.start.toordinal())
        end = np.minimum(self.end, period.end.toordinal())
        days: NDArray[np.int64] = end - first
        if leaves and self.away.size:
            until = np.minimum(self.away_until, end[self.away])
            np.subtract.at(days, self.away, np.maximum(until - np.maximum(self.away_from, first[self.away]), 0))
        return np.asarray(np.maximum(days, 0))

    def owed_in(self, period: Period, months: Mapping[date, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return what each owes for the days worked: each month's quota by the share of its days (eq. 1)."""
        total = np.zeros(self.first.shape)
        for month, amounts in months.items():
            following = add_months(month, 1)
            inside = Period(max(month, period.start), min(following, period.end))
            if inside.start < inside.end:
                total += np.rint(amounts * self.days_in(inside) / (following - month).days)
        return total


def days_worked(
    period: Period, joined_on: date | None, left_on: date | None, leaves: Sequence[Leave] = ()
) -> int:  # fmt: skip
    """Return the days of the period on which somebody worked; `left_on` is the last, days of leave are none of them."""
    return int(Presence.of([(joined_on, left_on, leaves)]).days_in(period)[0])


def quota_for_days_worked(
    months: Mapping[date, float],
    period: Period,
    joined_on: date | None,
    left_on: date | None,
    leaves: Sequence[Leave] = (),
) -> float:
    """Return what one person owes for the days worked (eq. 1)."""
    quotas = {month: np.array([amount]) for month, amount in months.items()}
    return float(Presence.of([(joined_on, left_on, leaves)]).owed_in(period, quotas)[0])


def booked_a_day(own: float, days: float, *, peers: float, peer_days: float, weight: float = PEER_DAYS) -> float:
    """Return what somebody usually books in a day, by their history and their territory's; NaN without either.

    The two are weighed by days: `weight` days of one's own count as much as the peers' (eq. 1).
    """
    known = (np.array([number], np.float64) for number in (own, days, peers, peer_days))
    return float(booked_a_day_of_each(*known, weight=weight)[0])


def booked_a_day_of_each(
    own: NDArray[Any], days: NDArray[Any], peers: NDArray[Any], peer_days: NDArray[Any], *, weight: float = PEER_DAYS
) -> NDArray[np.float64]:  # fmt: skip
    """Return `booked_a_day` of many."""
    with np.errstate(divide="ignore", invalid="ignore"):
        alone = np.where(days > 0, own / days, nan)
        return np.where(peer_days > 0, (own + weight * peers / peer_days) / (days + weight), alone)


def quotas_as_hard(quotas: Mapping[int, float], usual: Mapping[int, float]) -> dict[int, float]:
    """Return the same sum of quotas, shared out by what each usually books (eq. 2).

    Who has no quota or no history (NaN, 0) keeps what they had.
    """
    asked, known = (np.array([of.get(who, nan) for who in quotas], np.float64) for of in (quotas, usual))
    return dict(zip(quotas, as_hard(asked, known)[0].tolist(), strict=True))


def as_hard(
    quotas: NDArray[np.float64], usual: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:  # fmt: skip
    """Return `quotas_as_hard` of many, and how hard they all are together: NaN where nobody has both."""
    compared = (quotas > 0) & (usual > 0)
    total = sum(usual[compared].tolist())
    together = sum(quotas[compared].tolist()) / total if total else nan
    return np.where(compared, usual * together, quotas), together


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

    def shrunk_of_each(self, won: NDArray[Any], decided: NDArray[Any]) -> NDArray[np.float64]:
        """Return `shrunk` of many."""
        return np.asarray((won + self.weight * self.rate) / (decided + self.weight), np.float64)

    def interval(self, won: int, decided: int) -> tuple[float, float]:
        """Return the 95 % credible interval of the rate (eq. 3)."""
        low, high = self.intervals([won], [decided])
        return float(low[0]), float(high[0])

    def intervals(self, won: Counts, decided: Counts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lower and the upper ends of the 95 % credible intervals of many."""
        from scipy.special import betaincinv

        if self.rate in {0.0, 1.0}:
            same = np.full(len(won), self.rate)
            return same, same
        alike, at = np.unique(np.asarray(won) + 1j * np.asarray(decided), return_inverse=True)  # each pair once
        a, b = alike.real + self.weight * self.rate, alike.imag - alike.real + self.weight * (1 - self.rate)
        return betaincinv(a, b, 0.025)[at], betaincinv(a, b, 0.975)[at]


def prior_of(won: Counts, decided: Counts) -> Prior:
    """Return the prior that makes what was seen of all most likely (eq. 1).

    Beta-binomial, its mean fixed at the pooled rate. Where people differ no more than chance would make them, the
    weight is the greatest of `WEIGHTS`. The rate is NaN where nobody decided a deal.
    """
    wins, all_of = np.asarray(won, np.float64), np.asarray(decided, np.float64)
    total = float(all_of.sum())
    pooled = float(wins.sum()) / total if total else nan
    if isnan(pooled) or pooled in {0.0, 1.0}:
        return Prior(pooled, float(WEIGHTS[-1]))
    a, b = WEIGHTS * pooled, WEIGHTS * (1 - pooled)
    likely = _rising(a, wins) + _rising(b, all_of - wins) - _rising(a + b, all_of)
    return Prior(pooled, float(WEIGHTS[np.flatnonzero(likely >= likely.max() - _AS_LIKELY)[-1]]))


def _rising(start: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each start the sum of ln Γ(start + count) − ln Γ(start) over all counts."""
    from scipy.special import gammaln

    values, times = np.unique(counts, return_counts=True)
    return np.asarray((gammaln(start[:, None] + values) - gammaln(start)[:, None]) @ times)
