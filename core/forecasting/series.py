"""From rows to a regular series, saying what was found on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.forecasting.far_off import far_off
from core.forecasting.sentences import Sentence
from core.forecasting.steps import PANDAS, SEASON, Frequency, step_start
from core.i18n import N_

IssueCode = Literal[
    "empty",
    "unusable",
    "duplicates",
    "future",
    "running",
    "early",
    "gaps",
    "stopped",
    "late",
    "short",
    "all_zero",
    "constant",
    "negative",
    "level",
    "outlier",
    "masked",
]

ENOUGH: Final[dict[Frequency, int]] = {"day": 28, "week": 26, "month": 24}
"""Steps below which a series is called short."""

QUIET: Final[dict[Frequency, int]] = {"day": 90, "week": 26, "month": 6}
"""Empty steps at the end after which a series counts as stopped rather than as zero."""

LISTED = 5
LEAST_KNOWN, HARDLY = 12, 0.01
"""Steps from which on empty ones at the end can be told to be unusual, and how unlikely they then are."""
SHIFT: Final[dict[Frequency, int]] = {"day": 28, "week": 13, "month": 6}
"""Steps on either side of a level shift that are compared."""
SHIFT_SIZE, SHIFT_SURE, SHIFT_SUDDEN = 0.4, 6.0, 0.6


@dataclass(frozen=True)
class Issue:
    """One thing found in the rows; `dates` are the days it is about, soonest first."""

    code: IssueCode
    sentence: Sentence
    severity: Literal["info", "warning"]
    dates: tuple[date, ...] = ()

    def __str__(self) -> str:
        """The sentence in the reader's language."""
        return str(self.sentence)


@dataclass(frozen=True, eq=False)
class PreparedSeries:
    """A gapless series of complete steps; `points`: ds datetime64 step start, y float64.

    `masked`: the step starts whose values were replaced, as somebody asked.
    """

    frequency: Frequency
    points: pd.DataFrame
    issues: tuple[Issue, ...]
    masked: tuple[date, ...] = ()

    def __len__(self) -> int:
        """The number of steps."""
        return len(self.points)

    @property
    def fingerprint(self) -> str:
        """Name the data: the same steps and values have the same name, whoever changed what else."""
        found = hashlib.sha256(self.points["ds"].to_numpy().astype("int64").tobytes())
        found.update(self.points["y"].to_numpy(dtype="float64").tobytes())
        return found.hexdigest()

    def has(self, code: IssueCode) -> bool:
        """Whether an issue of that kind was found."""
        return any(issue.code == code for issue in self.issues)

    def days_of(self, code: IssueCode) -> tuple[date, ...]:
        """Return the days that issues of that kind are about, soonest first."""
        return tuple(sorted(day for issue in self.issues if issue.code == code for day in issue.dates))


def prepare(rows: pd.DataFrame, *, frequency: Frequency, today: date, masked: Collection[date] = ()) -> PreparedSeries:
    """Sum rows into complete steps, zero where nothing happened, and name what was found.

    rows: on (date in the company's time zone), value (number, any unit; several a day allowed), and where a row stands
    for several, count (how many). The running step and later days are left out. Returns no points where nothing is
    left. Steps that begin on a day of `masked` count as those around them do, and are named.
    Source: docs/methods/forecast.md, "The series".
    """
    found: list[Issue] = []
    values = _usable(rows, found)
    values = _complete(values, frequency=frequency, today=today, found=found)
    values = _without_strays(values, found=found)
    if values.empty:
        found.append(_issue("empty", N_("There is no complete period with data yet.")))
        return PreparedSeries(frequency, _points(pd.Series(dtype="float64")), tuple(found))
    series = _regular(values, frequency=frequency, today=today, found=found)
    found.extend(_judgements(series, frequency))
    left_out = tuple(sorted(day for day in masked if pd.Timestamp(day) in series.index))
    if left_out and len(left_out) < len(series):
        series = _masked(series, left_out, frequency)
        found.extend(
            _issue(
                "masked",
                N_("The period from {day} counts as the periods around it do, as chosen."),
                severity="info",
                dates=(day,),
                day=day.isoformat(),
            )
            for day in left_out
        )
    return PreparedSeries(frequency, _points(series), tuple(found), left_out)


def _masked(series: pd.Series[float], days: tuple[date, ...], frequency: Frequency) -> pd.Series[float]:
    """Put the median of the step's neighbours, times the same step's usual swing, in its place."""
    season = SEASON[frequency]
    gone = series.index.isin([pd.Timestamp(day) for day in days])
    known = series.where(~gone)
    around = known.rolling(2 * season + 1, center=True, min_periods=1).median().interpolate(limit_direction="both")
    swing = (known / around.where(around != 0)).to_numpy()
    places = np.arange(len(series))
    values = series.to_numpy(dtype="float64").copy()
    for place in np.flatnonzero(gone):
        same = swing[(places % season == place % season) & ~gone]
        usual = float(np.nanmedian(same)) if np.isfinite(same).any() else 1.0
        values[place] = float(around.iloc[place]) * usual
    return pd.Series(values, index=series.index)


def _usable(rows: pd.DataFrame, found: list[Issue]) -> pd.Series[float]:
    """The readable values, indexed by day."""
    days = pd.to_datetime(rows["on"], errors="coerce")
    numbers = pd.to_numeric(rows["value"], errors="coerce").astype("float64")
    good = days.notna() & np.isfinite(numbers)
    counts = rows["count"] if "count" in rows else pd.Series(1, index=rows.index)
    if dropped := int((~good).sum()):
        found.append(
            _issue(
                "unusable",
                N_("{count} rows without a date or a number were left out."),
                count=dropped,
            )
        )
    index = pd.DatetimeIndex(days[good]).normalize()
    values = pd.Series(numbers[good].to_numpy(), index=index, dtype="float64").sort_index()
    if (doubled := int(counts[good].sum()) - values.index.nunique()) > 0:
        found.append(
            _issue(
                "duplicates",
                N_("{count} rows share a day with another row and were added to it."),
                severity="info",
                count=doubled,
            )
        )
    return values


def _complete(values: pd.Series[float], *, frequency: Frequency, today: date, found: list[Issue]) -> pd.Series[float]:
    """Without the running step and the future."""
    future = values.index > pd.Timestamp(today)
    if future.any():
        days = _days(values.index[future])
        found.append(
            _issue(
                "future",
                N_("{count} rows dated after today were left out, the first on {day}."),
                dates=days[:LISTED],
                count=int(future.sum()),
                day=days[0].isoformat(),
            )
        )
    start = step_start(today, frequency)
    running = (values.index >= pd.Timestamp(start)) & ~future
    if running.any():
        found.append(
            _issue(
                "running",
                N_(
                    "The running period from {day} is not complete: it was left out of the history, and the forecast "
                    "begins with its expected total."
                ),
                severity="info",
                dates=(start,),
                day=start.isoformat(),
            )
        )
    return values.loc[~future & ~running]


def _without_strays(values: pd.Series[float], *, found: list[Issue]) -> pd.Series[float]:
    """Without a few early rows that stand years before all others."""
    days = values.index.unique()
    if len(days) < 3:
        return values
    jumps = np.flatnonzero(np.diff(days.to_numpy()) > np.timedelta64(730, "D"))
    if not len(jumps):
        return values
    begin = days[jumps[-1] + 1]
    early = values.index < begin
    if early.mean() > 0.05:
        return values
    gone = _days(values.index[early].unique())
    found.append(
        _issue(
            "early",
            N_("{count} rows long before all others were left out, the first on {day}."),
            dates=gone[:LISTED],
            count=int(early.sum()),
            day=gone[0].isoformat(),
        )
    )
    kept: pd.Series[float] = values.loc[~early]
    return kept


def _regular(values: pd.Series[float], *, frequency: Frequency, today: date, found: list[Issue]) -> pd.Series[float]:
    """One value a step, from the first row to the last complete step."""
    sums = _settled(values.groupby(_step_starts(values.index, frequency)).sum())
    last = pd.Timestamp(step_start(today, frequency)) - pd.Timedelta(days=1)
    steps = pd.date_range(sums.index[0], last, freq=PANDAS[frequency])
    if int((steps > sums.index[-1]).sum()) > QUIET[frequency]:
        steps = steps[steps <= sums.index[-1]]
        ended = sums.index[-1].date()
        found.append(
            _issue(
                "stopped",
                N_("The data end with the period from {day}; the forecast starts after it."),
                dates=(ended,),
                day=ended.isoformat(),
            )
        )
    elif quiet := _unusually_quiet(steps, sums.index):
        found.append(
            _issue(
                "late",
                N_(
                    "The last {count} periods, from {day} on, are empty, as never before: if data are still to come, "
                    "the forecast is too low."
                ),
                dates=(quiet[0],),
                count=len(quiet),
                day=quiet[0].isoformat(),
            )
        )
    gaps = steps[~steps.isin(sums.index)]
    if len(gaps):
        found.append(
            _issue(
                "gaps",
                N_("{count} periods without a row count as zero."),
                severity="info",
                dates=_days(gaps)[:LISTED],
                count=len(gaps),
            )
        )
    return sums.reindex(steps, fill_value=0.0)


def _unusually_quiet(steps: pd.DatetimeIndex, known: pd.Index) -> tuple[date, ...]:
    """The empty steps at the end, where so many have never been empty together and chance hardly makes it so."""
    empty = ~steps.isin(known)
    last = int(np.flatnonzero(~empty)[-1])
    count, before = len(steps) - 1 - last, empty[:last]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], before, [0]])))
    longest = int((edges[1::2] - edges[::2]).max()) if len(edges) else 0
    usual = (before.sum() + 1) / (len(before) + 2)
    if len(before) < LEAST_KNOWN or count <= longest or usual**count > HARDLY:
        return ()
    return _days(steps[last + 1 :])


def _settled(sums: pd.Series[float]) -> pd.Series[float]:
    """To twelve digits of the largest: the same rows give the same sums, in whatever order they were added."""
    largest = float(sums.abs().max())
    return sums.round(12 - int(np.ceil(np.log10(largest)))) if largest > 0 else sums


def _step_starts(days: pd.Index, frequency: Frequency) -> pd.DatetimeIndex:
    """The first day of each day's step."""
    stamps = pd.DatetimeIndex(days).to_numpy().astype("datetime64[D]")
    if frequency == "month":
        stamps = stamps.astype("datetime64[M]").astype("datetime64[D]")
    elif frequency == "week":
        stamps = stamps - (stamps.astype("int64") + 3) % 7
    return pd.DatetimeIndex(stamps)


def _judgements(series: pd.Series[float], frequency: Frequency) -> list[Issue]:
    """What the finished series itself shows."""
    found: list[Issue] = []
    y = np.asarray(series, dtype="float64")
    if len(y) < ENOUGH[frequency]:
        found.append(
            _issue(
                "short",
                N_("The history is short: {count} periods, where {enough} would be better."),
                count=len(y),
                enough=ENOUGH[frequency],
            )
        )
    if not y.any():
        found.append(_issue("all_zero", N_("All values are zero.")))
    elif len(y) > 1 and np.ptp(y) == 0:
        found.append(_issue("constant", N_("All values are the same.")))
    if (y < 0).any():
        below = _days(series.index[y < 0])
        found.append(
            _issue(
                "negative",
                N_("{count} periods are below zero (refunds or corrections)."),
                dates=below[:LISTED],
                count=int((y < 0).sum()),
            )
        )
    if (shift := _level_shift(series, frequency)) is not None:
        day, change = shift
        found.append(
            _issue(
                "level",
                N_("From {day} on the level is {change} % of what it was before; check what changed."),
                dates=(day,),
                day=day.isoformat(),
                change=round(100 * change),
            )
        )
    far = N_("The period from {day} lies far off all others; check it.")
    outliers = _days(series.index[far_off(y, frequency)])
    found.extend(_issue("outlier", far, dates=(day,), day=day.isoformat()) for day in outliers)
    return found


def _level_shift(series: pd.Series[float], frequency: Frequency) -> tuple[date, float] | None:
    """The step from which the level differs most from before, and its share of the earlier level.

    Medians of the steps on either side are compared. They must differ by 40 % and by 6 standard
    errors, and most of the change must come between the three steps before and after: a trend or a
    season does not. Where two years are known, each step is first divided by its season's median.
    """
    y = series.to_numpy(dtype="float64")
    width = SHIFT[frequency]
    if len(y) < 2 * width or (y < 0).any():
        return None
    season = SEASON[frequency]
    if len(y) >= 3 * season:
        usual = np.array([np.median(y[place::season]) for place in range(season)])
        if (usual > 0).all():
            y = y / usual[np.arange(len(y)) % season] * float(np.median(usual))
    sides = np.lib.stride_tricks.sliding_window_view(y, width)
    before, after = sides[:-width], sides[width:]
    middle, later = np.median(before, axis=1), np.median(after, axis=1)
    spread = 1.4826 * np.median(np.abs(np.hstack([before - middle[:, None], after - later[:, None]])), axis=1)
    error = np.maximum(spread, 0.02 * np.maximum(middle, later)) * np.sqrt(np.pi / width)
    change = later - middle
    near = np.median(after[:, :3], axis=1) - np.median(before[:, -3:], axis=1)
    sure = (np.abs(change) > SHIFT_SURE * error) & (np.abs(change) > SHIFT_SIZE * np.maximum(middle, later))
    sure &= (middle > 0) & (near * np.sign(change) > SHIFT_SUDDEN * np.abs(change))
    if not sure.any():
        return None
    apart = np.abs(np.log1p(after).mean(axis=1) - np.log1p(before).mean(axis=1))
    place = int(np.argmax(np.where(sure, apart, -1.0)))
    return series.index[place + width].date(), float(later[place] / middle[place])


def _points(series: pd.Series[float]) -> pd.DataFrame:
    steps = pd.to_datetime(series.index).as_unit("ns")
    return pd.DataFrame({"ds": steps, "y": series.to_numpy(dtype="float64")})


def _days(index: pd.Index | NDArray[np.datetime64]) -> tuple[date, ...]:
    return tuple(pd.Timestamp(day).date() for day in index)


def _issue(
    code: IssueCode,
    text: str,
    *,
    severity: Literal["info", "warning"] = "warning",
    dates: tuple[date, ...] = (),
    **values: str | int,
) -> Issue:
    return Issue(code, Sentence(text, dict(values)), severity, dates)
