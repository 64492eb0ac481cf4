"""The leaderboard of reps with its adjustments, and as much of others as the company's setting shows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from math import floor, isnan, log10, nan
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

import numpy as np
import pandas as pd

from core.access.actions import Action
from core.access.actors import Reach
from core.access.board_sight import BoardSight, sight_of
from core.analytics import fairness
from core.analytics import leaderboard as statements
from core.analytics import leaderboard_fair as grounds
from core.analytics.as_of import AsOf
from core.analytics.credited import credited
from core.analytics.filters import NO_FILTERS, Filters
from core.domain.periods import Period, add_months
from core.gate import query
from core.queries.leaderboard import COLUMNS, margins_for, standing_rows
from core.queries.overview import HUNDREDTHS
from core.queries.standpoint import looked_at, splits_count

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from core.analytics.facts import Facts, Statement
    from core.db.work import Work

Adjustment = Literal["splits", "days", "difficulty", "shrinkage", "range"]
ADJUSTMENTS: Final[tuple[Adjustment, ...]] = get_args(Adjustment)
USUAL: Final[tuple[Adjustment, ...]] = ("splits", "days", "shrinkage", "range")
SPLIT: Final = frozenset({"booked", "attainment", "margin", "margin_rate"})
"""Measures of money, which counts for everybody credited with a part of a deal; the others count deals."""
MASKED: Final = "other-"
"""How the keys begin of those of whom the ranked figure alone is shown."""
RANGED: Final = frozenset(get_args(fairness.Resampled))
FAIR_COLUMNS = (
    *COLUMNS, "inside", "plain_rank", "rank_low", "rank_high", "of", "days_worked", "leave_days", "period_days",
    "quota_by_days", "usual", "hardness", "mean_hardness", "fair_quota", "fair_attainment",
    "shrunk_rate", "shrunk_low", "shrunk_high", "pooled_rate", "prior_deals", "usual_own", "usual_own_days",
    "usual_peers", "usual_peer_days",
)  # fmt: skip
_ALWAYS = ("rank", "previous_rank", "rank_change", "of", "inside", "too_few", "most_improved")


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
    everyone = sight is BoardSight.FULL or filters == NO_FILTERS
    pool = _Pool(work, everyone=everyone, as_of=as_of)
    now = _Board(pool, pool.contest(period, filters, minimum_decided), measure, frozenset(adjust), told=True)
    before = _Board(
        pool, pool.contest(work.calendar.before(period), filters, minimum_decided), measure,
        frozenset(adjust) - {"range"}, told=False,
    )  # fmt: skip
    _compare(now, before)
    rows = sorted(
        now.rows, key=lambda row: (row["rank"] is None, row["rank"] or 0, -row["booked"], row["name"], row["key"])
    )
    frame = pd.DataFrame(_shown(rows, sight, now.ranked_by, hard="difficulty" in adjust), columns=list(FAIR_COLUMNS))
    whole = ("rank", "previous_rank", "rank_change", "plain_rank", "rank_low", "rank_high")
    return frame.astype(dict.fromkeys(whole, "Int64"))


def _compare(now: _Board, before: _Board) -> None:
    earlier = before.ranks
    values = {row["key"]: row[before.ranked_by] for row in before.rows}
    best = statements.most_improved(
        {row["key"]: row[now.ranked_by] for row in now.rows}, values, least_first=now.least_first
    )
    for row in now.rows:
        key, rank = row["key"], row["rank"]
        then = earlier.get(key)
        row |= {"previous_rank": then, "rank_change": None if rank is None or then is None else then - rank}
        row |= {"previous_value": values.get(key, nan), "most_improved": key == best}


def _shown(rows: list[dict[str, Any]], sight: BoardSight, ranked_by: str, *, hard: bool) -> list[dict[str, Any]]:
    """Return the rows as they may be seen: those outside the scope masked or left out."""
    found = []
    for place, row in enumerate(rows, start=1):
        if sight is BoardSight.FULL:
            found.append(row)
        elif row["inside"]:
            found.append(_coarse(row, hard=hard))
        elif sight is BoardSight.ANONYMOUS and row["rank"] is not None:
            kept = {name: row[name] for name in (*_ALWAYS, ranked_by)}
            found.append({**blank(FAIR_COLUMNS), **kept, "key": f"{MASKED}{place}", "name": "", "team": ""})
    return found


def _coarse(row: dict[str, Any], *, hard: bool) -> dict[str, Any]:
    """Return one's own row without what others' figures could be worked out from.

    Sums over others are left out, and what rests on them is rounded: a rate to whole percent, money to two digits.
    Else two periods that differ by a day would tell what a colleague booked on it.
    """
    rates = {name: round(row[name], 2) for name in _RATES_AMONG_OTHERS}
    money = {"usual": two_digits(row["usual"])}
    if hard:
        rates["fair_attainment"] = round(row["fair_attainment"], 2)
        money["fair_quota"] = two_digits(row["fair_quota"])
    return {**row, **rates, **money, **dict.fromkeys(_SUMS_OF_OTHERS, nan)}


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


class _Pool:
    """The people who are compared, and where statements about them run."""

    def __init__(self, work: Work, *, everyone: bool, as_of: AsOf | None) -> None:
        self.work, self.mirror = work, work.mirror
        self.everyone, self.as_of = everyone, as_of
        self.presence = {
            row.id: (row.joined_on, row.left_on) for row in self.mirror.rows(grounds.presence(self.mirror.facts))
        }
        self.leaves: dict[int, list[fairness.Leave]] = defaultdict(list)
        for row in self.mirror.rows(grounds.leaves(self.mirror.facts)):
            self.leaves[row.rep_id].append((row.from_on, row.until_on))
        self.territory: dict[int, int] = {}
        for row in self.ask(grounds.territories):
            self.territory.setdefault(row.rep_id, row.territory_id)

    def contest(self, period: Period, filters: Filters, minimum_decided: int | None) -> statements.Contest:
        """Return the comparison of reps in a period."""
        minimum = int(self.work.setting("minimum_decided")) if minimum_decided is None else minimum_decided
        return statements.Contest(period, "rep", filters, minimum, self.work.today)

    def ask(self, build: Callable[[Facts], Statement]) -> list[Any]:
        """Return the rows of a statement about everyone, or about the scope alone."""
        then = partial(self._then, build)
        return self.mirror.of_everyone(then) if self.everyone else self.mirror.rows(then(self.mirror.facts))

    def columns(self, build: Callable[[Facts], Statement]) -> dict[str, NDArray[Any]]:
        """Return the columns of such a statement as arrays."""
        then = partial(self._then, build)
        return self.mirror.columns_of_everyone(then) if self.everyone else self.mirror.columns(then(self.mirror.facts))

    def _then(self, build: Callable[[Facts], Statement], facts: Facts) -> Statement:
        return build(looked_at(self.work, self.as_of, facts).facts)

    def holds(self, rep_id: int) -> bool:
        """Say whether a rep lies in the actor's scope."""
        scope = self.mirror.scope
        return scope.reach is Reach.ALL or scope.allows_rep(rep_id)


@dataclass(frozen=True)
class _History:
    """What somebody books in a day, and what that rests on, in hundredths and days."""

    a_day: float
    own: float
    own_days: int
    peers: float
    peer_days: int


class _Board:
    """One period's rows and the ranks by the chosen adjustments; where it is `told`, with all of them worked out."""

    def __init__(
        self, pool: _Pool, contest: statements.Contest, measure: statements.Measure, adjust: Collection[Adjustment],
        *, told: bool,
    ) -> None:  # fmt: skip
        splits = splits_count(pool.work, wanted="splits" in adjust)
        contest = replace(contest, splits=splits)
        self.pool, self.contest, self.measure = pool, contest, measure
        self.in_money = partial(credited, splits=splits, sums=True)
        self.least_first = measure in statements.LEAST_FIRST
        found = pool.ask(lambda facts: statements.standings(facts, contest))
        self.rows = standing_rows(found, margins=margins_for(pool.work))
        self.ranked_by = _ranked_by(measure, adjust)
        if told or self.ranked_by == "fair_attainment":
            self._adjust_quotas(adjust)
        self.prior = self._shrink() if told or self.ranked_by == "shrunk_rate" else None
        self.ranks = self._rank(self.ranked_by)
        plain = self._rank(measure)
        of = len(self.ranks)
        for row in self.rows:
            number = int(row["key"])
            row |= {"rank": self.ranks.get(row["key"]), "plain_rank": plain.get(row["key"]), "of": of}
            row |= {"inside": pool.holds(number), "rank_low": None, "rank_high": None}
        if "range" in adjust and measure in RANGED:
            self._lay_ranges()

    def _rank(self, column: str) -> dict[str, int]:
        return statements.ranks({row["key"]: row[column] for row in self.rows}, least_first=self.least_first)

    def _adjust_quotas(self, adjust: Collection[Adjustment]) -> None:
        months: dict[int, dict[Any, float]] = defaultdict(dict)
        for row in self.pool.ask(lambda facts: grounds.owed_by_month(facts, self.contest)):
            months[row.rep_id][row.month] = months[row.rep_id].get(row.month, 0) + row.amount
        period = self.contest.period
        history = self._history()
        by_days: dict[int, float] = {}
        usual: dict[int, float] = {}
        start: dict[int, float] = {}
        for row in self.rows:
            number = int(row["key"])
            joined, left = self.pool.presence.get(number, (None, None))
            away = self.pool.leaves.get(number, [])
            worked = fairness.days_worked(period, joined, left, away)
            there = fairness.days_worked(period, joined, left)
            by_days[number] = fairness.quota_for_days_worked(months.get(number, {}), period, joined, left, away)
            plain = 0.0 if isnan(row["quota"]) else row["quota"] * HUNDREDTHS
            start[number] = by_days[number] if "days" in adjust else plain
            usual[number] = history[number].a_day * (worked if "days" in adjust else period.days)
            row |= {"days_worked": worked, "leave_days": there - worked, "period_days": period.days}
        fair = fairness.quotas_as_hard(start, usual) if "difficulty" in adjust else start
        compared = [who for who in start if start[who] > 0 and usual[who] > 0]
        total = sum(usual[who] for who in compared)
        mean = sum(start[who] for who in compared) / total if total else nan
        for row in self.rows:
            number = int(row["key"])
            quota, known = fair[number], history[number]
            row |= {
                "quota_by_days": _money(by_days[number]), "usual": _money(usual[number]), "mean_hardness": mean,
                "hardness": fairness.hardness(start[number], usual[number]), "fair_quota": _money(quota),
                "fair_attainment": row["booked"] * HUNDREDTHS / quota if quota > 0 else nan,
                "usual_own": _money(known.own), "usual_own_days": known.own_days, "usual_peers": _money(known.peers),
                "usual_peer_days": known.peer_days,
            }  # fmt: skip

    def _history(self) -> dict[int, _History]:
        """Return what each books in a day, by the twelve months before and the territory's."""
        start = self.contest.period.start
        past = Period(add_months(start, -12), start)
        booked = {
            row.rep_id: row.booked
            for row in self.pool.ask(
                lambda facts: grounds.booked_in(
                    self.in_money(facts), past, today=self.contest.today, filters=self.contest.filters
                )
            )
        }
        worked = {
            number: fairness.days_worked(past, *there, self.pool.leaves.get(number, []))
            for number, there in self.pool.presence.items()
        }
        peers: dict[int | None, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
        for number, days in worked.items():
            territory = self.pool.territory.get(number)
            sums = peers[territory]
            peers[territory] = (sums[0] + booked.get(number, 0), sums[1] + days)
        found = {}
        for row in self.rows:
            number = int(row["key"])
            of_peers, peer_days = peers[self.pool.territory.get(number)]
            own, days = booked.get(number, 0), worked.get(number, 0)
            a_day = fairness.booked_a_day(own, days, peers=of_peers, peer_days=peer_days)
            found[number] = _History(a_day, own, days, of_peers, peer_days)
        return found

    def _shrink(self) -> fairness.Prior:
        won, decided = ([row[name] for row in self.rows] for name in ("won_count", "decided_count"))
        prior = fairness.prior_of(won, decided)
        for row, low, high in zip(self.rows, *prior.intervals(won, decided), strict=True):
            seen = row["decided_count"] > 0 and not isnan(prior.rate)
            row |= {
                "shrunk_rate": prior.shrunk(row["won_count"], row["decided_count"]) if seen else nan,
                "shrunk_low": float(low) if seen else nan, "shrunk_high": float(high) if seen else nan,
                "pooled_rate": prior.rate, "prior_deals": prior.weight,
            }  # fmt: skip
        return prior

    def _lay_ranges(self) -> None:
        spread = self.in_money if self.measure in SPLIT else partial(credited, splits=False)
        deals = self.pool.columns(lambda facts: grounds.decided_deals(spread(facts), self.contest, self.measure))
        places = np.full(max([int(row["key"]) for row in self.rows], default=0) + 1, -1)
        places[[int(row["key"]) for row in self.rows]] = range(len(self.rows))
        whose = deals["rep_id"].astype(np.int64)
        known = whose < places.size
        known[known] = places[whose[known]] >= 0
        decided = fairness.Decided(
            places[whose[known]], deals["won"][known], deals["amount"][known].astype(np.float64), len(self.rows)
        )
        column = {"fair_attainment": "fair_quota", "attainment": "quota"}.get(self.ranked_by)
        quotas = np.array([row[column] * HUNDREDTHS for row in self.rows]) if column else None
        draws = fairness.resampled(
            decided, cast("fairness.Resampled", self.measure), quotas=quotas,
            prior=self.prior if self.ranked_by == "shrunk_rate" else None,
        )  # fmt: skip
        ranges = fairness.rank_ranges([row["rank"] for row in self.rows], draws)
        for row, span in zip(self.rows, ranges, strict=True):
            row["rank_low"], row["rank_high"] = span or (None, None)


def _ranked_by(measure: statements.Measure, adjust: Collection[Adjustment]) -> str:
    if measure == "attainment" and {"days", "difficulty"} & set(adjust):
        return "fair_attainment"
    if measure == "win_rate" and "shrinkage" in adjust:
        return "shrunk_rate"
    return measure


def _money(hundredths: float) -> float:
    return hundredths / HUNDREDTHS if hundredths > 0 else nan


def ranked_column(measure: str, adjust: Collection[Adjustment]) -> str:
    """Return the column of `fair_leaderboard` that decides the ranks."""
    return _ranked_by(cast("statements.Measure", measure), adjust)
