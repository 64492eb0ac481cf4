"""The boards of a leaderboard: the people of a period, with every adjustment worked out, and their ranks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

import numpy as np

from core.access.actors import Reach
from core.analytics import fairness, rank_ranges
from core.analytics import leaderboard as statements
from core.analytics.numbers import places_among, whole
from core.analytics.standings import Standings
from core.domain.periods import Period, add_months
from core.queries.leaderboard import margins_for, standing_columns
from core.queries.leaderboard_kept import people_of, standings_of
from core.queries.overview import HUNDREDTHS
from core.queries.standpoint import splits_count

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from numpy.typing import NDArray

    from core.analytics.as_of import AsOf
    from core.analytics.filters import Filters
    from core.db.work import Work
    from core.queries.leaderboard import Columns

Adjustment = Literal["splits", "days", "difficulty", "shrinkage", "range"]
SPLIT: Final = frozenset({"booked", "attainment", "margin", "margin_rate"})
"""Measures of money, which counts for everybody credited with a part of a deal; the others count deals."""
RANGED: Final = frozenset(get_args(rank_ranges.Resampled))


class Pool:
    """The people who are compared, and where statements about them run.

    `ids` are all reps' numbers, rising; `presence` and `territory` (-1: none) are theirs, a place each.
    """

    def __init__(self, work: Work, *, everyone: bool, as_of: AsOf | None) -> None:
        self.work, self.mirror = work, work.mirror
        self.everyone, self.as_of = everyone, as_of
        people = people_of(work, self.mirror, everyone=everyone)
        self.ids, self.presence, self.territory = people.ids, people.presence, people.territory

    def places(self, numbers: NDArray[Any]) -> NDArray[np.int64]:
        """Return the places of reps by their numbers, -1 for who is none."""
        return places_among(self.ids, numbers)

    def of_each(self, whose: NDArray[Any], amounts: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sum of amounts of each rep; those of nobody known are left out."""
        at = self.places(whole(whose))
        known = at >= 0
        counted = np.bincount(at[known], amounts[known].astype(np.float64), self.ids.size)
        return counted.astype(np.float64)

    def holds(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say of each rep whether they lie in the actor's scope."""
        scope = self.mirror.scope
        if scope.reach is Reach.ALL:
            return np.ones(numbers.shape, np.bool_)
        return np.isin(numbers, np.array(scope.rep_ids, np.int64))


def boards(
    pool: Pool, period: Period, measure: statements.Measure, adjust: frozenset[Adjustment], filters: Filters,
    minimum_decided: int | None,
) -> tuple[Board, Board]:  # fmt: skip
    """Return the board of a period with all adjustments worked out, and that of the period before with its ranks."""
    work = pool.work
    minimum = int(work.setting("minimum_decided")) if minimum_decided is None else minimum_decided
    before = work.calendar.before(period)
    splits = splits_count(work, wanted="splits" in adjust)
    contest = statements.Contest(period, "rep", filters, minimum, work.today, splits=splits)
    past = Period(_year_before(before).start, period.start)
    both = replace(contest, before=before)
    standings = standings_of(
        work, pool.mirror, both, as_of=pool.as_of, everyone=pool.everyone, history=past
    )  # fmt: skip
    margins = margins_for(work)
    columns, earlier = (standing_columns(standings.columns(place), margins=margins) for place in (0, 1))
    now = Board(pool, standings, contest, columns, measure, adjust)
    with ThreadPoolExecutor(1) as other:  # what is drawn and sorted leaves Python's lock to others
        ranges = other.submit(now.ranges) if "range" in adjust and measure in RANGED else None
        now.tell()
        then = Board(pool, standings, replace(contest, period=before), earlier, measure, adjust)
        now.lay(ranges.result() if ranges else None)
    return now, then


def _year_before(period: Period) -> Period:
    return Period(add_months(period.start, -12), period.start)


class Board:
    """One period's people and their ranks by the chosen adjustments; `tell` works all adjustments out."""

    def __init__(
        self, pool: Pool, standings: Standings, contest: statements.Contest, columns: Columns,
        measure: statements.Measure, adjust: AbstractSet[Adjustment],
    ) -> None:  # fmt: skip
        self.pool, self.standings, self.contest = pool, standings, contest
        self.columns, self.measure, self.adjust = columns, measure, adjust
        self.least_first = measure in statements.LEAST_FIRST
        self.numbers = columns["key"].astype(np.int64)
        self.at = pool.places(self.numbers)
        self.ranked_by = ranked_column(measure, adjust)
        self.prior: fairness.Prior | None = None
        if self.ranked_by == "fair_attainment":
            self._adjust_quotas()
        elif self.ranked_by == "shrunk_rate":
            self._shrink()
        self._put(rank=self._rank(self.ranked_by))

    def tell(self) -> None:
        """Work out what the ranks alone do not need; the ranges of ranks are laid apart."""
        if "fair_quota" not in self.columns:
            self._adjust_quotas()
        if self.prior is None:
            self._shrink()
        of = np.full(self.at.shape, np.count_nonzero(self.columns["rank"]))
        self._put(plain_rank=self._rank(self.measure), of=of, inside=self.pool.holds(self.numbers))

    def _put(self, **columns: NDArray[Any]) -> None:
        self.columns.update(columns)

    def _rank(self, column: str) -> NDArray[np.int64]:
        return statements.ranks_of(self.columns[column], least_first=self.least_first)

    def _adjust_quotas(self) -> None:
        pool, period, at, adjust = self.pool, self.contest.period, self.at, self.adjust
        owed = self.standings.owed_in(period)
        months = {
            month.item(): pool.of_each(owed["whose"][owed["month"] == month], owed["amount"][owed["month"] == month])
            for month in np.unique(owed["month"])
        }
        by_days = pool.presence.owed_in(period, months)[at]
        worked = pool.presence.days_in(period)[at]
        away = pool.presence.days_in(period, leaves=False)[at] - worked
        a_day = self._history()
        whole = np.nan_to_num(self.columns["quota"], nan=0.0) * HUNDREDTHS
        start = by_days if "days" in adjust else whole
        usual = a_day * (worked if "days" in adjust else period.days)
        shared, mean = fairness.as_hard(start, usual)
        fair = shared if "difficulty" in adjust else start
        self._put(
            days_worked=worked, leave_days=away, period_days=np.full(at.shape, period.days),
            quota_by_days=_money(by_days), usual=_money(usual), mean_hardness=np.full(at.shape, mean),
            hardness=_over(start, usual), fair_quota=_money(fair),
            fair_attainment=_over(self.columns["booked"] * HUNDREDTHS, fair, any_sign=True),
        )  # fmt: skip

    def _history(self) -> NDArray[np.float64]:
        """Return what each books in a day, in hundredths, by the twelve months before and the territory's."""
        pool, at = self.pool, self.at
        past = _year_before(self.contest.period)
        booked, worked = pool.of_each(*self.standings.booked_in(past)), pool.presence.days_in(past)
        _known, place = np.unique(pool.territory, return_inverse=True)
        peers, peer_days = (np.bincount(place, of_each)[place][at] for of_each in (booked, worked))
        own, days = booked[at], worked[at]
        self._put(
            usual_own=_money(own), usual_own_days=days, usual_peers=_money(peers),
            usual_peer_days=peer_days.astype(np.int64),
        )  # fmt: skip
        return fairness.booked_a_day_of_each(own, days, peers, peer_days)

    def _shrink(self) -> None:
        won, decided = self.columns["won_count"], self.columns["decided_count"]
        prior = fairness.prior_of(won, decided)
        seen = (decided > 0) & ~np.isnan(prior.rate)
        with np.errstate(invalid="ignore"):
            rates = (prior.shrunk_of_each(won, decided), *prior.intervals(won, decided))
        for name, values in zip(("shrunk_rate", "shrunk_low", "shrunk_high"), rates, strict=True):
            self.columns[name] = np.where(seen, values, np.float64(nan))
        self._put(pooled_rate=np.full(won.shape, prior.rate), prior_deals=np.full(won.shape, prior.weight))
        self.prior = prior

    def ranges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return both ends of the range of ranks in which chance would put each; for `lay`."""
        prior = self.prior if self.ranked_by == "shrunk_rate" else None
        if self.measure == "win_rate":
            won = self.columns["won_count"]
            draws = rank_ranges.rates_again(won, self.columns["decided_count"] - won, prior)
        else:
            whose, amount = self.standings.decided_again(
                margins=self.measure in statements.OF_COSTS, splits=self.measure in SPLIT
            )
            column = {"fair_attainment": "fair_quota", "attainment": "quota"}.get(self.ranked_by)
            quotas = self.columns[column] * HUNDREDTHS if column else None
            draws = rank_ranges.resampled(
                self._decided(whose, amount), cast("rank_ranges.Resampled", self.measure), quotas=quotas
            )  # fmt: skip
        return rank_ranges.range_ends(self.columns["rank"], draws)

    def lay(self, ranges: tuple[NDArray[np.int64], NDArray[np.int64]] | None) -> None:
        """Put the ranges beside the ranks, noughts where none are asked for."""
        low, high = ranges or (np.zeros(self.at.shape, np.int64),) * 2
        self._put(rank_low=low, rank_high=high)

    def _decided(self, whose: NDArray[np.int64], amount: NDArray[np.int64]) -> rank_ranges.Decided:
        place = np.full(self.pool.ids.size, -1)
        place[self.at] = np.arange(self.at.size)
        who = place[self.pool.places(whose)]
        there = who >= 0
        won = np.ones(np.count_nonzero(there), np.bool_)
        return rank_ranges.Decided(who[there], won, amount[there].astype(np.float64), self.at.size)


def _money(hundredths: NDArray[Any]) -> NDArray[np.float64]:
    return np.where(hundredths > 0, hundredths / HUNDREDTHS, nan)


def _over(
    part: NDArray[np.float64], whole: NDArray[np.float64], *, any_sign: bool = False
) -> NDArray[np.float64]:  # fmt: skip
    """Return part ÷ whole, NaN where either is none (a part of nought counts with `any_sign`)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((whole > 0) & (any_sign | (part > 0)), part / whole, nan)


def ranked_column(measure: str, adjust: AbstractSet[Adjustment]) -> str:
    """Return the column of `fair_leaderboard` that decides the ranks."""
    if measure == "attainment" and {"days", "difficulty"} & adjust:
        return "fair_attainment"
    if measure == "win_rate" and "shrinkage" in adjust:
        return "shrunk_rate"
    return measure
