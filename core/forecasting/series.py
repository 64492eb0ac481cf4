"""From rows to a regular series, saying what was found on the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
    "short",
    "all_zero",
    "constant",
    "negative",
    "outlier",
]

ENOUGH: Final[dict[Frequency, int]] = {"day": 28, "week": 26, "month": 24}
"""Steps below which a series is called short."""

QUIET: Final[dict[Frequency, int]] = {"day": 90, "week": 26, "month": 6}
"""Empty steps at the end after which a series counts as stopped rather than as zero."""

LISTED = 5


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
    """A gapless series of complete steps; `points`: ds datetime64 step start, y float64."""

    frequency: Frequency
    points: pd.DataFrame
    issues: tuple[Issue, ...]

    def __len__(self) -> int:
        """The number of steps."""
        return len(self.points)

    def has(self, code: IssueCode) -> bool:
        """Whether an issue of that kind was found."""
        return any(issue.code == code for issue in self.issues)


def prepare(rows: pd.DataFrame, *, frequency: Frequency, today: date) -> PreparedSeries:
    """Sum rows into complete steps, zero where nothing happened, and name what was found.

    rows: on (date in the company's time zone), value (number, any unit; several a day allowed).
    The running step and later days are left out. Returns no points where nothing is left.
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
    return PreparedSeries(frequency, _points(series), tuple(found))


def _usable(rows: pd.DataFrame, found: list[Issue]) -> pd.Series[float]:
    """The readable values, indexed by day."""
    days = pd.to_datetime(rows["on"], errors="coerce")
    numbers = pd.to_numeric(rows["value"], errors="coerce").astype("float64")
    good = days.notna() & np.isfinite(numbers)
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
    if doubled := int(values.index.duplicated().sum()):
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
                N_("The running period from {day} is not complete and was left out."),
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
    sums = values.groupby(_step_starts(values.index, frequency)).sum()
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
    y = series.to_numpy()
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
    far = N_("The period from {day} lies far off all others; check it.")
    found.extend(_issue("outlier", far, dates=(day,), day=day.isoformat()) for day in _outliers(series, frequency))
    return found


def _outliers(series: pd.Series[float], frequency: Frequency) -> list[date]:
    """Steps more than 6 robust deviations and 5 medians off the median around them."""
    y = series.to_numpy()
    if len(y) < 8:
        return []
    around = series.rolling(2 * SEASON[frequency] + 1, center=True, min_periods=4).median()
    off = np.abs(y - around.to_numpy())
    spread = 1.4826 * float(np.median(off))
    level = float(np.median(np.abs(y[y != 0]))) if y.any() else 0.0
    far = (off > 6 * spread) & (off > 5 * level) & (level > 0)
    ranked = [int(place) for place in np.argsort(-off) if far[place]]
    return sorted(series.index[place].date() for place in ranked[:3])


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
