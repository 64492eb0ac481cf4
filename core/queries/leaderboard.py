"""The questions of Leaderboard. What the columns mean: docs/queries.md."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from sqlalchemy import Date, cast, func, literal_column, select

from core.access.actions import Action
from core.access.margin_sight import sees_margin
from core.analytics import leaderboard as statements
from core.analytics.as_of import AsOf
from core.analytics.facts import spoken
from core.analytics.filters import NO_FILTERS, Filters, deal_conditions
from core.analytics.kpis import text_key
from core.analytics.rates import rate
from core.analytics.selection import inside, is_counted
from core.analytics.team_parts import whole_teams
from core.domain.periods import Period, add_months
from core.errors import NotAllowed, NotFound
from core.gate import query
from core.i18n import N_
from core.queries.leaderboard_kept import standings_of
from core.queries.overview import HUNDREDTHS, months_frame
from core.queries.standpoint import looked_at, splits_count
from core.queries.team_parts import parts_looked_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from core.analytics.team_parts import TeamPart
    from core.db.work import Work

REP_KIND = N_("rep")
COLUMNS = (
    "rank", "previous_rank", "rank_change", "key", "name", "team", "booked", "won_count", "decided_count", "win_rate",
    "too_few", "average_deal", "cycle_days", "activities", "quota", "attainment", "margin", "margin_of", "margin_rate",
    "whole", "received", "previous_value", "most_improved",
)  # fmt: skip


WHOLE = frozenset({"rank", "previous_rank", "plain_rank", "rank_low", "rank_high"})
_MONEY = ("booked", "average_deal", "quota", "whole", "received", "margin", "margin_of")
Columns: TypeAlias = "dict[str, NDArray[Any]]"
"""A board's columns, a place in each a row."""


class CostsNotShown(NotAllowed):
    """A number rests on costs that the asker may not see."""

    text = N_("Costs and margins are for those alone whom the company lets see them, and never in a share link.")


@query(Action.LEADERBOARD_VIEW, mirrored=True, askable=True)
def leaderboard(
    work: Work,
    *,
    period: Period,
    by: statements.By = "rep",
    measure: statements.Measure = "booked",
    filters: Filters = NO_FILTERS,
    minimum_decided: int | None = None,
    as_of: AsOf | None = None,
    splits: bool = False,
    whole: bool = False,
) -> pd.DataFrame:
    """Return the reps or teams of the actor's scope, ranked by a measure, with the rank of the period before.

    With `splits` the money of split deals counts for everybody credited with a part. With `whole` people directly in
    a team are no row beside its subteams.

    Raises CostsNotShown for a measure of costs that the actor may not see.
    """
    mirror, margins = work.mirror, margins_for(work, measure)
    parts = parts_looked_at(mirror, filters) if by == "team" else ()
    parts = whole_teams(parts) if whole else parts
    splits = splits_count(work, wanted=splits)
    contest = _contest(work, period, by, filters, minimum_decided, parts)
    contest = replace(contest, splits=splits, before=work.calendar.before(period))
    standings = standings_of(work, mirror, contest, as_of=as_of)
    now, before = (standing_columns(standings.columns(place), margins=margins) for place in (0, 1))
    return ranked(now, before, measure)


def ranked(now: Columns, before: Columns, measure: str) -> pd.DataFrame:
    """Return what `standing_columns` gives ranked by a measure, beside the ranks among those of the period before."""
    least_first = measure in statements.LEAST_FIRST
    board = now | {"rank": statements.ranks_of(now[measure], least_first=least_first)}
    ranks_before = statements.ranks_of(before[measure], least_first=least_first)
    board |= compared(now, measure, before, measure, ranks_before, least_first=least_first)
    return framed(board, in_order(board, "name"), COLUMNS)


def compared(
    now: Columns, measure: str, before: Columns, measure_before: str, ranks_before: NDArray[np.int64],
    *, least_first: bool,
) -> Columns:  # fmt: skip
    """Return `previous_rank`, `previous_value` and `most_improved` of the people of now."""
    at = {key: place for place, key in enumerate(before["key"].tolist())}
    same = np.array([at.get(key, -1) for key in now["key"].tolist()], np.int64)
    values = np.append(before[measure_before], nan)[same]
    improved = np.zeros(same.shape, np.bool_)
    if statements.holds_something(before[measure_before]):
        best = statements.greatest_gain(now[measure], values, least_first=least_first)
        improved[[] if best is None else [best]] = True
    return {
        "previous_rank": np.append(ranks_before, 0)[same], "previous_value": values, "most_improved": improved,
    }  # fmt: skip


def in_order(board: Columns, *names: str) -> NDArray[np.int64]:
    """Return the places of a board's rows by rank, what was booked and these columns; who has no rank comes last."""
    last = np.where(board["rank"] == 0, np.iinfo(np.int64).max, board["rank"])
    keys = [*zip(last.tolist(), (-board["booked"]).tolist(), *(board[name].tolist() for name in names), strict=True)]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)


def framed(board: Columns, order: NDArray[np.int64], columns: Sequence[str]) -> pd.DataFrame:
    """Return a board's rows in an order; ranks are whole numbers that may be missing (0), `rank_change` too."""
    rank, earlier = board["rank"][order], board["previous_rank"][order]
    found: dict[str, Any] = {}
    for name in columns:
        if name == "rank_change":
            found[name] = pd.array(earlier - rank, dtype="Int64")
            found[name][(earlier == 0) | (rank == 0)] = pd.NA
            continue
        values = board[name][order]
        if name in WHOLE:
            found[name] = pd.array(values, dtype="Int64")
            found[name][values == 0] = pd.NA
        else:
            found[name] = values.tolist() if values.dtype == object else values
    return pd.DataFrame(found)


def _contest(
    work: Work,
    period: Period,
    by: statements.By,
    filters: Filters,
    minimum_decided: int | None,
    parts: tuple[TeamPart, ...] = (),
) -> statements.Contest:
    minimum = int(work.setting("minimum_decided")) if minimum_decided is None else minimum_decided
    return statements.Contest(period, by, filters, minimum, work.today, parts)


def margins_for(work: Work, measure: str = "") -> bool:
    """Say whether the actor sees costs. Raises CostsNotShown where the measure is one."""
    seen = sees_margin(work.actor, work.setting("margin_sight"))
    if measure in statements.OF_COSTS and not seen:
        raise CostsNotShown
    return seen


@query(Action.LEADERBOARD_VIEW)
def margins_seen(work: Work) -> bool:
    """Say whether the actor may see what deals cost."""
    return margins_for(work)


def standing_columns(found: Mapping[str, NDArray[Any]], *, margins: bool = False) -> Columns:
    """Return `Standings.columns` in major units, NaN for what there is not; `margins`: with costs."""

    def number(name: str, unit: float = 1.0) -> NDArray[np.float64]:
        return np.asarray(found[name] / unit)

    def text(name: str) -> NDArray[Any]:
        return np.array([str(value) for value in found[name].tolist()], object)

    board = {name: text(column) for name, column in (("key", "id"), ("name", "name"), ("team", "team"))}
    board |= {name: number(name, HUNDREDTHS) for name in _MONEY}
    board |= {name: number(name) for name in ("win_rate", "cycle_days", "attainment", "margin_rate")}
    board |= {name: found[name] for name in ("won_count", "decided_count", "activities")}
    if not margins:
        board |= {name: np.full(board["key"].shape, nan) for name in ("margin", "margin_of", "margin_rate")}
    return board | {"too_few": np.isnan(board["win_rate"])}


@query(Action.LEADERBOARD_VIEW, mirrored=True, askable=True)
def rep_card(work: Work, *, rep_id: int) -> pd.DataFrame:
    """Return who a rep is. Raises NotFound outside the scope."""
    mirror = work.mirror
    reps, teams = mirror.facts.reps, mirror.facts.teams
    rows = mirror.rows(
        select(
            text_key(reps).label("key"),
            spoken(reps).label("name"),
            spoken(teams).label("team"),
            reps.c.joined_on,
        )
        .select_from(reps.outerjoin(teams, teams.c.id == reps.c.team_id))
        .where(reps.c.id == rep_id)
    )
    if not rows or not mirror.scope.allows_rep(rep_id):
        raise NotFound(kind=REP_KIND, number=rep_id)
    return pd.DataFrame(rows, columns=["key", "name", "team", "joined_on"])


@query(Action.LEADERBOARD_VIEW, mirrored=True, askable=True)
def rep_trend(work: Work, *, rep_id: int, months: int = 12, as_of: AsOf | None = None) -> pd.DataFrame:
    """Return a rep's last months, the running one included, as they stood then. Raises NotFound outside the scope."""
    mirror, seen = work.mirror, looked_at(work, as_of)
    facts = seen.facts
    known = mirror.value(select(mirror.facts.reps.c.id).where(mirror.facts.reps.c.id == rep_id))
    if known is None or not mirror.scope.allows_rep(rep_id):
        raise NotFound(kind=REP_KIND, number=rep_id)
    this_month = seen.today.replace(day=1)
    period = Period(add_months(this_month, 1 - months), add_months(this_month, 1))
    filters = Filters(rep_ids=(rep_id,))
    frame = months_frame(work, mirror, period, filters, as_of=as_of)
    lost_on = _month_of(facts.deals.c.closed_on)
    lost = select(lost_on.label("month"), func.count().label("n")).where(
        is_counted(facts, "lost", period=period, today=seen.today), *deal_conditions(facts, filters)
    )
    activities = facts.activities.c
    done_on = _month_of(activities.done_on)
    done = select(done_on.label("month"), func.count().label("n")).where(
        activities.rep_id == rep_id, inside(activities.done_on, period)
    )
    for name, statement in (("lost", lost.group_by(lost_on)), ("activities", done.group_by(done_on))):
        counts = {row.month: row.n for row in mirror.rows(statement)}
        frame[name] = [counts.get(month, 0) for month in frame["month"]]
    frame["win_rate"] = [rate(won, won + lost) for won, lost in zip(frame["won"], frame["lost"], strict=True)]
    return frame


def _month_of(column: Any) -> Any:
    return cast(func.date_trunc(literal_column("'month'"), column), Date)
