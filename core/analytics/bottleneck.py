"""Which step of the process changed, by how much, how surely, and what it is worth.

Sources: docs/methods/bottleneck.md. Interval: R. G. Newcombe, "Interval estimation for the difference between
independent proportions", Statistics in Medicine 17 (1998), 873-890, method 10. Correction: S. Holm, "A simple
sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979), 65-70.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import erfc, exp, isnan, lgamma, nan, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from core.analytics.rates import Z_95, Interval, rate, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

FAMILY_RATE: Final = 0.05
"""How often at most a page may name any change where nothing changed."""

POWER: Final = 0.8
"""How often a change of the size called detectable is found."""

LEAST: Final = 10
"""Fewer deals than these on either side are not compared."""

QUARTER_DAYS: Final = 365.25 / 4
_LEAST_EXPECTED = 5.0
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Side:
    """How many deals arrived at a stage, and how many of them went on in the time that all were given."""

    entered: int
    went_on: int

    @property
    def rate(self) -> float:
        """The share that went on, NaN where nobody arrived."""
        return rate(self.went_on, self.entered)


@dataclass(frozen=True)
class StepTest:
    """One step, now against before. `p_value` and `p_adjusted` are NaN where there are too few deals to compare."""

    now: Side
    before: Side
    interval: Interval
    p_value: float
    p_adjusted: float
    detectable: float

    @property
    def difference(self) -> float:
        """The rate now less the rate before."""
        return self.now.rate - self.before.rate

    @property
    def too_few(self) -> bool:
        """Whether there were too few deals to compare."""
        return isnan(self.p_value)

    @property
    def is_change(self) -> bool:
        """Whether the step changed, for all that can be said at the family's rate."""
        return self.p_adjusted <= FAMILY_RATE


@dataclass(frozen=True)
class Worth:
    """What a difference of conversion comes to in a quarter: deals that go on, and money won with them."""

    deals: float
    value: float


def newcombe(now: Side, before: Side, *, z: float = Z_95) -> Interval:
    """Return the interval of the difference now - before (docs/methods/bottleneck.md, eq. 1), in [-1, 1]."""
    if not (now.entered and before.entered):
        return Interval(nan, nan)
    one, two = wilson(now.went_on, now.entered, z=z), wilson(before.went_on, before.entered, z=z)
    difference = now.rate - before.rate
    low = difference - sqrt((now.rate - one.low) ** 2 + (two.high - before.rate) ** 2)
    high = difference + sqrt((one.high - now.rate) ** 2 + (before.rate - two.low) ** 2)
    return Interval(max(-1.0, low), min(1.0, high))


def p_value(now: Side, before: Side) -> float:
    """Return the two-sided p-value of equal rates: Fisher's exact one where fewer than five are expected in a cell."""
    whole, went = now.entered + before.entered, now.went_on + before.went_on
    if not (now.entered and before.entered):
        return nan
    if min(now.entered, before.entered) * min(went, whole - went) < _LEAST_EXPECTED * whole:
        return fisher(now.went_on, now.entered, before.went_on, before.entered)
    pooled = went / whole
    error = sqrt(pooled * (1 - pooled) * (1 / now.entered + 1 / before.entered))
    return erfc(abs(now.rate - before.rate) / error / sqrt(2))


@lru_cache(maxsize=4096)
def fisher(successes: int, trials: int, other_successes: int, other_trials: int) -> float:
    """Return Fisher's exact two-sided p-value: all tables with these margins that are no likelier than this one."""
    went = successes + other_successes
    least, most = max(0, went - other_trials), min(went, trials)
    logs = [_log_choose(trials, k) + _log_choose(other_trials, went - k) for k in range(least, most + 1)]
    top = max(logs)
    seen = logs[successes - least]
    weights = [exp(value - top) for value in logs]
    extreme = sum(weight for weight, value in zip(weights, logs, strict=True) if value <= seen + 1e-7)
    return min(1.0, extreme / sum(weights))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number; NaN is no test and stays one."""
    tested = sorted((p, place) for place, p in enumerate(p_values) if not isnan(p))
    adjusted, highest = [nan] * len(p_values), 0.0
    for rank, (p, place) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - rank)))
        adjusted[place] = highest
    return adjusted


def detectable(now: int, before: int, rate_before: float, *, tests: int) -> float:
    """Return the smallest fall of the rate that is found with `POWER`, NaN where even a fall to nought is not.

    By the normal approximation, at the strictest rate that Holm's correction asks among `tests` (eq. 4).
    """
    if min(now, before) < LEAST or isnan(rate_before) or tests == 0:
        return nan
    strict, sure = _NORMAL.inv_cdf(1 - FAMILY_RATE / tests / 2), _NORMAL.inv_cdf(POWER)

    def found(fall: float) -> bool:
        then = rate_before - fall
        pooled = (then * now + rate_before * before) / (now + before)
        by_chance = strict * sqrt(pooled * (1 - pooled) * (1 / now + 1 / before))
        return fall >= by_chance + sure * sqrt(then * (1 - then) / now + rate_before * (1 - rate_before) / before)

    if not found(rate_before):
        return nan
    low, high = 0.0, rate_before
    for _halving in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) else (middle, high)
    return high


def step_tests(sides: Sequence[tuple[Side, Side]]) -> list[StepTest]:
    """Compare each step's two sides (now, before), corrected for how many steps are compared."""
    p_values = [
        p_value(now, before) if min(now.entered, before.entered) >= LEAST else nan for now, before in sides
    ]  # fmt: skip
    tests = sum(not isnan(p) for p in p_values)
    return [
        StepTest(
            now,
            before,
            newcombe(now, before),
            p,
            adjusted,
            detectable(now.entered, before.entered, before.rate, tests=tests),
        )
        for (now, before), p, adjusted in zip(sides, p_values, holm(p_values), strict=True)
    ]


def worth(test: StepTest, *, days: int, value_beyond: float) -> Worth:
    """Return what the difference is worth in a quarter (eq. 5); negative where conversion fell.

    days: how long it took the deals of `now` to arrive. value_beyond: money won per decided deal that went on.
    """
    if not days or isnan(test.difference):
        return Worth(nan, nan)
    deals = test.difference * test.now.entered * QUARTER_DAYS / days
    return Worth(deals, deals * value_beyond)
