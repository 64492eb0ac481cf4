"""Every series at once, for forecasts that add up, and the run that is kept. Columns: docs/queries.md."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast, get_args

import pandas as pd
from sqlalchemy import select
from sqlmodel import col
from sqlmodel import select as select_rows

from core.access.actions import Action
from core.analytics import kpis
from core.analytics.dimensions import NONE
from core.analytics.facts import Facts
from core.analytics.filters import Filters
from core.analytics.team_parts import OWN
from core.forecasting.many import SeriesName, Sums, Together
from core.forecasting.steps import step_start
from core.gate import query
from core.model import ForecastRun
from core.queries.overview import quotas_by
from core.queries.series import EVER, Measure, value_of

if TYPE_CHECKING:
    from datetime import date

    from core.analytics.dimensions import Dimension
    from core.db.mirror import ScopedMirror
    from core.db.work import Work
    from core.domain.periods import Period

COMPANY: Final = "company"
SERIES_OF: Final[tuple[Dimension, ...]] = ("team", "territory", "product", "channel")


@dataclass(frozen=True, eq=False)
class SeriesTree:
    """The steps of every series in the scope, and which add up to which.

    rows: dimension, key str; on date, a step's first day; value float64, in the measure's unit (major units of money);
    count int. `sums`: a whole and its parts, the company's first. `version` changes with the complete steps, the sums.
    """

    rows: pd.DataFrame
    sums: Sums
    version: str
    measure: Measure = "booked"
    frequency: Together = "month"

    @property
    def names(self) -> tuple[SeriesName, ...]:
        """Every series: the company, then the parts in the order of the sums."""
        found = dict.fromkeys([SeriesName(COMPANY, "")])
        for whole, parts in self.sums:
            found |= dict.fromkeys((whole, *parts))
        return tuple(found)


@query(Action.FORECAST_VIEW, mirrored=True, askable=True)
def all_series(work: Work, *, measure: Measure = "booked", frequency: Together = "month") -> SeriesTree:
    """Return the measure by month or week of the scope, and of its teams, territories, products and channels."""
    if measure not in get_args(Measure) or frequency not in get_args(Together):
        message = f"no forecast of all series of {measure} by {frequency}"
        raise ValueError(message)
    frames, sums = [], []
    whole = SeriesName(COMPANY, "")
    steps = _steps(work, measure, frequency)
    for by in SERIES_OF:
        rows = steps[by]
        if by == "team":
            frames.append(_named(rows.groupby("on", as_index=False)[["value", "count"]].sum(), whole))
            rows, made = _teams(work.mirror, rows)
            sums += made
        elif len(rows):
            sums.append((whole, tuple(SeriesName(by, key) for key in sorted(rows["key"].unique()))))
        frames.append(rows.assign(dimension=by))
    table = pd.concat(frames, ignore_index=True)[["dimension", "key", "on", "value", "count"]]
    running = step_start(work.today, frequency)
    complete = table[table["on"] < running]
    said = hashlib.sha256(repr((sums, measure, frequency)).encode())
    said.update(complete.to_csv(index=False).encode())
    said.update(running.isoformat().encode())
    return SeriesTree(table, tuple(sums), said.hexdigest(), measure, frequency)


@query(Action.FORECAST_VIEW, mirrored=True, askable=True)
def series_quotas(work: Work, *, period: Period) -> dict[SeriesName, float]:
    """Return what the scope and each team's subtree owe in the period, major units; only those that owe anything."""
    mirror = work.mirror
    reps = quotas_by(mirror, period, Filters(), "team")
    found = {SeriesName(COMPANY, ""): sum(reps.values())} if reps else {}
    own = {key.removesuffix(OWN): owed for key, owed in reps.items()}
    for team, below in _below(mirror).items():
        inside = [own[str(each)] for each in below if str(each) in own]
        if inside:
            found[SeriesName("team", str(team))] = sum(inside)
        if len(below) > 1 and str(team) in own:
            found[SeriesName("team", f"{team}{OWN}")] = own[str(team)]
    return found


@query(Action.FORECAST_VIEW, askable=True)
def forecast_run(work: Work, *, measure: Measure = "booked", frequency: Together = "month") -> ForecastRun | None:
    """Return the scope's newest finished run of a measure and step, None where there is none."""
    rows = select_rows(ForecastRun).where(
        ForecastRun.scope_key == work.actor.scope.named, ForecastRun.measure == measure,
        ForecastRun.frequency == frequency,
    )  # fmt: skip
    return work.session.exec(rows.order_by(col(ForecastRun.made_at).desc()).limit(1)).first()


@query(Action.FORECAST_VIEW, askable=True)
def kept_forecasts(work: Work) -> list[tuple[Measure, Together]]:
    """Return the measures and steps of which the scope has a finished run."""
    rows = select_rows(ForecastRun.measure, ForecastRun.frequency)
    found = work.session.exec(rows.where(ForecastRun.scope_key == work.actor.scope.named)).all()
    return sorted((cast("Measure", measure), cast("Together", frequency)) for measure, frequency in found)


def _steps(work: Work, measure: Measure, frequency: Together) -> dict[Dimension, pd.DataFrame]:
    """Return each dimension's steps: key, on, value, count, in this order."""
    mirror = work.mirror
    asked = kpis.booked_by_each(mirror.facts, dimensions=SERIES_OF, period=EVER, today=work.today, step=frequency)
    found: list[list[tuple[str, date, float, int]]] = [[] for _by in SERIES_OF]
    for row in mirror.rows(asked):
        found[row.place].append((row.key, row.on, value_of(row, measure), row.won))
    columns = ["key", "on", "value", "count"]
    return {by: pd.DataFrame(rows, columns=columns) for by, rows in zip(SERIES_OF, found, strict=True)}


def _named(rows: pd.DataFrame, name: SeriesName) -> pd.DataFrame:
    return rows.assign(dimension=name.dimension, key=name.key)


@dataclass(frozen=True)
class _Teams:
    """Teams as series: `below` each with itself, `parents`, and the `own` months of each, by number or `none`.

    Grows `frames` and `sums` as teams are added.
    """

    below: dict[int, set[int]]
    parents: dict[int, int | None]
    own: dict[str, pd.DataFrame]
    frames: list[pd.DataFrame] = field(default_factory=list)
    sums: list[tuple[SeriesName, tuple[SeriesName, ...]]] = field(default_factory=list)

    @property
    def live(self) -> set[int]:
        """The teams in which, or below which, anything was won."""
        return {team for team, trees in self.below.items() if any(str(each) in self.own for each in trees)}

    def under(self, team: int) -> list[int]:
        """The live teams right below one."""
        return sorted(each for each in self.live if self.parents.get(each) == team)

    def tops(self) -> list[int]:
        """The teams that the whole falls into; one that is the whole and wins nothing itself is passed over."""
        found = sorted(team for team in self.live if self.parents.get(team) not in self.live)
        while len(found) == 1 and NONE not in self.own and str(found[0]) not in self.own:
            found = self.under(found[0])
        return found

    def parts_of(self, team: int) -> list[SeriesName]:
        """Add what a team with teams below it falls into."""
        lower = self.under(team)
        found = [SeriesName("team", str(each)) for each in lower]
        for each in lower:
            self.add(each)
        if str(team) in self.own:
            found.append(SeriesName("team", f"{team}{OWN}"))
            self.frames.append(self.own[str(team)].assign(key=f"{team}{OWN}"))
        return found

    def add(self, team: int) -> None:
        """Add a team with its subtree, and what adds up to it."""
        inside = pd.concat([self.own[str(each)] for each in sorted(self.below[team]) if str(each) in self.own])
        months = inside.groupby("on", as_index=False)[["value", "count"]].sum()
        self.frames.append(months.assign(key=str(team)))
        if self.under(team):
            self.sums.append((SeriesName("team", str(team)), tuple(self.parts_of(team))))

    def whole(self) -> list[SeriesName]:
        """Add everything, and return what the whole falls into."""
        tops = self.tops()
        if len(tops) == 1 and NONE not in self.own and self.under(tops[0]):
            return self.parts_of(tops[0])
        for team in tops:
            self.add(team)
        found = [SeriesName("team", str(team)) for team in tops]
        if NONE in self.own:
            found.append(SeriesName("team", NONE))
            self.frames.append(self.own[NONE].assign(key=NONE))
        return found


def _teams(
    mirror: ScopedMirror, rows: pd.DataFrame
) -> tuple[pd.DataFrame, list[tuple[SeriesName, tuple[SeriesName, ...]]]]:
    """Turn each team's own months into those of every team with its subtree, and say what adds up to what."""
    own = {str(key).removesuffix(OWN): part for key, part in rows.groupby("key")}
    teams = _Teams(_below(mirror), _parents(mirror.facts, mirror), own)
    parts = teams.whole()
    if not parts:
        return rows, []
    return pd.concat(teams.frames, ignore_index=True), [(SeriesName(COMPANY, ""), tuple(parts)), *teams.sums]


def _below(mirror: ScopedMirror) -> dict[int, set[int]]:
    trees = mirror.facts.subtrees.c
    found: dict[int, set[int]] = {}
    for row in mirror.rows(select(trees.top_id, trees.team_id)):
        found.setdefault(row.top_id, set()).add(row.team_id)
    return found


def _parents(facts: Facts, mirror: ScopedMirror) -> dict[int, int | None]:
    teams = facts.teams.c
    return {row.id: row.parent_id for row in mirror.rows(select(teams.id, teams.parent_id))}
