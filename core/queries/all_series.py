"""Every series at once, for forecasts that add up, and the run that is kept. Columns: docs/queries.md."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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
from core.forecasting.many import SeriesName, Sums
from core.gate import query
from core.model import ForecastRun
from core.queries.overview import HUNDREDTHS, quotas_by
from core.queries.series import EVER

if TYPE_CHECKING:
    from core.analytics.dimensions import Dimension
    from core.db.mirror import ScopedMirror
    from core.db.work import Work
    from core.domain.periods import Period

COMPANY: Final = "company"
SERIES_OF: Final[tuple[Dimension, ...]] = ("team", "territory", "product", "channel")


@dataclass(frozen=True, eq=False)
class SeriesTree:
    """The months of every series in the scope, and which add up to which.

    rows: dimension, key str; on date, a month's first day; value float64, major units; count int. `sums`: a whole
    and its parts, the company's first. `version` changes with the complete months or the sums.
    """

    rows: pd.DataFrame
    sums: Sums
    version: str

    @property
    def names(self) -> tuple[SeriesName, ...]:
        """Every series: the company, then the parts in the order of the sums."""
        found = dict.fromkeys([SeriesName(COMPANY, "")])
        for whole, parts in self.sums:
            found |= dict.fromkeys((whole, *parts))
        return tuple(found)


@query(Action.FORECAST_VIEW, mirrored=True)
def all_series(work: Work) -> SeriesTree:
    """Return the booked value by month of the scope, and of its teams, territories, products and channels."""
    frames, sums = [], []
    whole = SeriesName(COMPANY, "")
    for by in SERIES_OF:
        rows = _months_by(work, by)
        if by == "team":
            frames.append(_named(rows.groupby("on", as_index=False)[["value", "count"]].sum(), whole))
            rows, made = _teams(work.mirror, rows)
            sums += made
        elif len(rows):
            sums.append((whole, tuple(SeriesName(by, key) for key in sorted(rows["key"].unique()))))
        frames.append(rows.assign(dimension=by))
    table = pd.concat(frames, ignore_index=True)[["dimension", "key", "on", "value", "count"]]
    complete = table[table["on"] < work.today.replace(day=1)]
    said = hashlib.sha256(repr(sums).encode())
    said.update(complete.to_csv(index=False).encode())
    said.update(work.today.replace(day=1).isoformat().encode())
    return SeriesTree(table, tuple(sums), said.hexdigest())


@query(Action.FORECAST_VIEW, mirrored=True)
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


@query(Action.FORECAST_VIEW)
def forecast_run(work: Work) -> ForecastRun | None:
    """Return the scope's newest finished run, None where there is none."""
    rows = select_rows(ForecastRun).where(ForecastRun.scope_key == work.actor.scope.named)
    return work.session.exec(rows.order_by(col(ForecastRun.made_at).desc()).limit(1)).first()


def _months_by(work: Work, by: Dimension) -> pd.DataFrame:
    statement = kpis.booked_by(work.mirror.facts, period=EVER, filters=Filters(), today=work.today, by=by)
    rows = [(row.key, row.on, row.booked / HUNDREDTHS, row.won) for row in work.mirror.rows(statement)]
    return pd.DataFrame(rows, columns=["key", "on", "value", "count"])


def _named(rows: pd.DataFrame, name: SeriesName) -> pd.DataFrame:
    return rows.assign(dimension=name.dimension, key=name.key)


def _teams(
    mirror: ScopedMirror, rows: pd.DataFrame
) -> tuple[pd.DataFrame, list[tuple[SeriesName, tuple[SeriesName, ...]]]]:
    """Turn each team's own months into those of every team with its subtree, and say what adds up to what.

    A team that alone holds everything, above others, is the scope itself and no series of its own.
    """
    below, parents = _below(mirror), _parents(mirror.facts, mirror)
    own = {str(key).removesuffix(OWN): part for key, part in rows.groupby("key")}
    live = {team for team, trees in below.items() if any(str(each) in own for each in trees)}
    frames: list[pd.DataFrame] = []
    sums: list[tuple[SeriesName, tuple[SeriesName, ...]]] = []

    def parts_of(team: int) -> list[SeriesName]:
        """What a team with teams below it falls into."""
        lower = sorted(each for each in live if parents.get(each) == team)
        found = [SeriesName("team", str(each)) for each in lower]
        for each in lower:
            add(each)
        if str(team) in own:
            found.append(SeriesName("team", f"{team}{OWN}"))
            frames.append(own[str(team)].assign(key=f"{team}{OWN}"))
        return found

    def add(team: int) -> None:
        inside = pd.concat([own[str(each)] for each in sorted(below[team]) if str(each) in own])
        frames.append(inside.groupby("on", as_index=False)[["value", "count"]].sum().assign(key=str(team)))
        if any(parents.get(each) == team for each in live):
            sums.append((SeriesName("team", str(team)), tuple(parts_of(team))))

    tops = sorted(team for team in live if parents.get(team) not in live)
    top: list[SeriesName] = []
    if len(tops) == 1 and NONE not in own and any(parents.get(each) == tops[0] for each in live):
        top = parts_of(tops[0])
    else:
        for team in tops:
            top.append(SeriesName("team", str(team)))
            add(team)
    if NONE in own:
        top.append(SeriesName("team", NONE))
        frames.append(own[NONE].assign(key=NONE))
    if top:
        sums.insert(0, (SeriesName(COMPANY, ""), tuple(top)))
    return (pd.concat(frames, ignore_index=True) if frames else rows), sums


def _below(mirror: ScopedMirror) -> dict[int, set[int]]:
    trees = mirror.facts.subtrees.c
    found: dict[int, set[int]] = {}
    for row in mirror.rows(select(trees.top_id, trees.team_id)):
        found.setdefault(row.top_id, set()).add(row.team_id)
    return found


def _parents(facts: Facts, mirror: ScopedMirror) -> dict[int, int | None]:
    teams = facts.teams.c
    return {row.id: row.parent_id for row in mirror.rows(select(teams.id, teams.parent_id))}
