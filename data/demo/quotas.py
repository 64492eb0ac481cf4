"""Sales quotas by month: what reps and teams owed, set so that attainment spreads as the parameters say."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from core.domain.periods import add_months
from data.demo.calendar import Calendar, number
from data.demo.cast import NEVER, Cast
from data.demo.reference import TEAMS

_STEP = 100_000


def quota_months(calendar: Calendar) -> list[date]:
    """Return the months that have quotas: from the history's start to the end of the last year."""
    found, month = [], calendar.start
    while month <= date(calendar.until.year, 12, 1):
        found.append(month)
        month = add_months(month, 1)
    return found


def make_quotas(
    rng: np.random.Generator, calendar: Calendar, cast: Cast, booked: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the quota of each rep in each of `quota_months`, 0 where the rep was not there.

    booked: hundredths won, a row a rep and a column a month. A rep's plan is the rep's usual month
    (drawn 40 % towards everybody's), grown and seasoned as the company's, half of it in the first
    three months. Planners know something: over a whole past quarter the plan moves 60 % of the way
    to what was booked. The quota is that over the drawn attainment of the rep's quarter.
    """
    true, months = calendar.true, quota_months(calendar)
    reps, reps_count = cast.reps, len(cast.reps)
    starts = np.array([number(month) for month in months])
    ends = np.array([number(add_months(month, 1)) for month in months])
    present = (reps.joined[:, None] < ends) & (np.where(reps.left == NEVER, NEVER, reps.left)[:, None] > starts)
    lived = present & (starts < calendar.last)
    worked = np.maximum(lived.sum(axis=1), 1)
    done = np.zeros((reps_count, len(months)), dtype=np.int64)
    done[:, : booked.shape[1]] = booked[:, : len(months)]
    usual = done.sum(axis=1) / worked
    usual = 0.6 * usual + 0.4 * usual.mean()

    growth = (1.0 + true.yearly_growth_rate) ** ((starts - (calendar.first + calendar.last) / 2) / 365.25)
    company = done[:, : true.months].sum(axis=0) / growth[: true.months]
    of_year = np.array([company[[m.month == at for m in months[: true.months]]].mean() for at in range(1, 13)])
    season = 0.4 + 0.6 * of_year / max(of_year.mean(), 1.0)
    ramp = np.where(starts - reps.joined[:, None] < 75, 0.5, 1.0)
    plan = usual[:, None] * growth * season[[month.month - 1 for month in months]] * ramp * present

    quarter = np.array([(month.year - months[0].year) * 4 + (month.month - 1) // 3 for month in months])
    quarter -= quarter[0]
    of_quarter = np.equal.outer(quarter, np.arange(quarter[-1] + 1)).astype(float)
    planned, won = plan @ of_quarter, done @ of_quarter
    over = np.array([ends[quarter == at].max() <= calendar.last + 1 for at in range(quarter[-1] + 1)])
    known = np.where(over & (planned > 0), 0.4 + 0.6 * won / np.maximum(planned, 1.0), 1.0)
    middle, spread = true.quota_attainment
    asked = np.clip(rng.normal(middle, spread, size=known.shape), 0.6, 1.3)
    owed = plan * (known / asked)[:, quarter]
    return np.where(present, np.maximum(np.rint(owed / _STEP), 1).astype(np.int64) * _STEP, 0)


def of_teams(cast: Cast, quotas: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the quota of each team: the sum over the reps in it and in the teams below it."""
    found = np.zeros((len(TEAMS), quotas.shape[1]), dtype=np.int64)
    np.add.at(found, cast.reps.team, quotas)
    for place, team in reversed(list(enumerate(TEAMS))):  # a team stands after its parent
        if team.parent is not None:
            found[team.parent] += found[place]
    return found
