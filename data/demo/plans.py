"""What the demo company planned: its year, a team's quarter beside it, and two scenarios with their outlook.

Made through the program's own services and formulas from what was booked; docs/methods/demo.md states the rates.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from sqlmodel import select

from core import gate
from core.access.actors import SYSTEM
from core.db.actors import actor_named
from core.domain.periods import add_months
from core.domain.plans import PlanSpread
from core.forecasting.fit import fallback_fit
from core.forecasting.levers import Levers
from core.forecasting.scenarios import apply
from core.forecasting.series import prepare
from core.model import Scenario, Team, User
from core.services.plans import adopt_plan
from data.demo.quotas import of_teams
from data.demo.reference import TEAMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.db.work import Database
    from data.demo.calendar import Calendar
    from data.demo.cast import Cast

PLANNED_GROWTH, STRETCH = 0.08, 0.15
"""What the company, and the eastern team for itself, plan above the same month of the last year."""
EAST: Final = 1
"""The place among `TEAMS` of the team with a plan of its own."""
MONTHS_AGO, AHEAD = 4, 6
"""How long ago the scenarios were saved, and how many months they look ahead."""
THOUSAND: Final = 100_000
SCENARIOS: Final = (
    ("稳健情景 · Steady", "维持现有团队 · The team as it is", Levers(growth=0.03)),
    ("冲刺情景 · Push", "赢单率和客单价都提高 · More wins, larger deals", Levers(win_rate=0.1, average_deal=0.05)),
)


def make_plans(
    database: Database, calendar: Calendar, cast: Cast, booked: NDArray[np.int64], *, now: datetime
) -> dict[str, int]:
    """Adopt the plans and keep the scenarios; return the rows written by table.

    booked: hundredths won, a row a rep and a column a month from the calendar's start. Nothing where nothing was won.
    """
    last_year = [_place(calendar, date(calendar.until.year - 1, month, 1)) for month in range(1, 13)]
    whole = booked.sum(axis=0)
    if not whole[last_year].any():
        return {}
    year = [date(calendar.until.year, month, 1) for month in range(1, 13)]
    adopted = min(_at(calendar, date(calendar.until.year, 1, 5)), now)
    _adopt(database, "leader", adopted, f"FY{calendar.until.year}",
           _grown(year, whole[last_year], PLANNED_GROWTH), None)  # fmt: skip
    quarter = (calendar.until.month - 1) // 3
    months = slice(3 * quarter, 3 * quarter + 3)
    with database.reading(SYSTEM, now=now) as work:
        east = work.session.exec(select(Team.id).where(Team.name == TEAMS[EAST].name)).one()
    team = of_teams(cast, booked)[EAST][last_year]
    begun = min(_at(calendar, year[months][0] + timedelta(days=1)), now)
    _adopt(database, "east.manager", begun, f"{calendar.until.year} Q{quarter + 1}",
           _grown(year[months], team[months], STRETCH), east)  # fmt: skip
    _keep_scenarios(database, calendar, whole)
    return {"sales_plan": 2, "scenario": len(SCENARIOS)}


def _place(calendar: Calendar, month: date) -> int:
    return (month.year - calendar.start.year) * 12 + month.month - calendar.start.month


def _at(calendar: Calendar, day: date) -> datetime:
    """Ten in the morning of a day."""
    return datetime.combine(day, time(10), tzinfo=calendar.zone).astimezone(UTC)


def _grown(months: list[date], before: NDArray[np.int64], rate: float) -> dict[date, Decimal]:
    """The amounts of a year ago and a rate more, in thousands."""
    thousands = np.rint(before * (1 + rate) / THOUSAND).astype(np.int64)
    return {month: Decimal(1_000 * int(amount)) for month, amount in zip(months, thousands, strict=True)}


def _adopt(
    database: Database, who: str, now: datetime, name: str, months: dict[date, Decimal], team_id: int | None
) -> None:
    actor = actor_named(database, who, now=now, origin="demo")
    gate.perform(
        database, actor, adopt_plan, now, key=f"demo-plan-{team_id}", name=name, months=months,
        spread_by=PlanSpread.CAPACITY, levers=Levers().to_dict(), team_id=team_id,
    )  # fmt: skip


def _keep_scenarios(database: Database, calendar: Calendar, whole: NDArray[np.int64]) -> None:
    """Keep what the simple method of that day forecast, with the levers on it."""
    saved = add_months(calendar.until.replace(day=1), -MONTHS_AGO) + timedelta(days=9)
    months = [add_months(calendar.start, place) for place in range(len(whole))]
    rows = pd.DataFrame({"on": months, "value": whole / 100})
    known = prepare(rows[rows["on"] < saved.replace(day=1)], frequency="month", today=saved)
    fit = fallback_fit(known, horizon=AHEAD, reason="")  # kept are the numbers alone
    base = apply(fit).frame
    series = {"dimension": "company", "key": "", "frequency": "month", "horizon": AHEAD, "china": True, "events": [],
              "measure": "booked", "masked": []}  # fmt: skip
    with database.writing(SYSTEM, now=_at(calendar, saved), action="scenario.save") as work:
        leader = work.session.exec(select(User.id).where(User.username == "leader")).one()
        for name, note, levers in SCENARIOS:
            frame = apply(fit, levers).frame
            outlook: dict[str, Any] = {
                "ds": [step.date().isoformat() for step in frame["ds"]], "base": base["yhat"].tolist(),
                "scenario": frame["yhat"].tolist(), "lo": frame["lo"].tolist(), "hi": frame["hi"].tolist(),
                "on": saved.isoformat(),
            }  # fmt: skip
            work.session.add(
                Scenario(
                    user_id=leader, name=name, note=note, series=dict(series), levers=levers.to_dict(), outlook=outlook
                )
            )
