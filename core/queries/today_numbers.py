"""The numbers of Today, for each role. What the columns mean: docs/queries.md."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import pandas as pd

from core.access.actions import Action
from core.analytics import attention, changes, kpis
from core.analytics.filters import NO_FILTERS
from core.domain.periods import Preset, day_start
from core.gate import query
from core.queries.drill import tidy
from core.queries.overview import HUNDREDTHS, as_old, key_figures

if TYPE_CHECKING:
    from core.db.work import Work

SPANS: Final = {"month": Preset.THIS_MONTH, "quarter": Preset.THIS_QUARTER, "year": Preset.THIS_YEAR}
SIX: Final = (
    ("booked", "money", "more"),
    ("attainment", "rate", "more"),
    ("win_rate", "rate", "more"),
    ("won_count", "count", "more"),
    ("average_deal", "money", "more"),
    ("cycle_days", "days", "less"),
)
REASONS: Final = ("overdue", "idle", "slow")


@query(Action.TODAY_VIEW, mirrored=True, askable=True)
def attainment_now(work: Work) -> pd.DataFrame:
    """Return booked value against quota of the running month, quarter and year, and the time that is over."""
    mirror = work.mirror
    periods = {name: work.calendar.preset(preset, today=work.today) for name, preset in SPANS.items()}
    asked = {"current" if name == "year" else name: period for name, period in periods.items()}
    found = dict(zip(asked, key_figures(work, mirror, asked, asked, NO_FILTERS), strict=True))
    closing = mirror.rows(kpis.closing_values(mirror.facts, periods=periods, filters=NO_FILTERS))[0]._asdict()
    rows = []
    for (name, period), figures in zip(periods.items(), found.values(), strict=True):
        kept = {key: figures[key] for key in ("start", "end", "booked", "quota", "attainment")}
        rows.append({
            "row": name, **kept, "closing_value": closing[name] / HUNDREDTHS, "won_count": figures["won_count"],
            "elapsed_rate": period.elapsed_rate(work.today),
        })  # fmt: skip
    return pd.DataFrame(rows)


@query(Action.TODAY_VIEW, mirrored=True, askable=True)
def six_numbers(work: Work) -> pd.DataFrame:
    """Return six numbers of the running quarter beside as many days of the last one and of last year's."""
    mirror, calendar = work.mirror, work.calendar
    quarter = calendar.preset(Preset.THIS_QUARTER, today=work.today)
    earlier = {"previous": calendar.before(quarter), "year_before": calendar.year_before(quarter)}
    cut = {name: as_old(whole, quarter, today=work.today) for name, whole in earlier.items()}
    found = key_figures(work, mirror, {"current": quarter, **cut}, {"current": quarter, **earlier}, NO_FILTERS)
    figures = dict(zip(("value", *earlier), found, strict=True))
    rows = [
        {"name": name, "unit": unit, **{side: float(found[name]) for side, found in figures.items()}, "better": better}
        for name, unit, better in SIX
    ]  # fmt: skip
    return pd.DataFrame(rows)


@query(Action.TODAY_VIEW, mirrored=True, askable=True)
def deals_needing_attention(work: Work, *, limit: int = 20) -> pd.DataFrame:
    """Return the open deals that are past their expected close, without an activity, or slow.

    Those that became so last come first; the long dead are left out.
    """
    mirror = work.mirror
    idle_days = int(work.setting("idle_days"))
    frame = mirror.frame(attention.needing_attention(mirror.facts, today=work.today, idle_days=idle_days, limit=limit))
    flags = frame[list(REASONS)].to_numpy(dtype=bool)
    frame["reasons"] = pd.Series(
        [tuple(reason for reason, is_so in zip(REASONS, row, strict=True) if is_so) for row in flags],
        index=frame.index,
        dtype="object",
    )
    return tidy(frame, money=("amount",), days=("expected_close_on", "last_activity_on"))


@query(Action.TODAY_VIEW, mirrored=True, askable=True)
def attention_counts(work: Work) -> pd.DataFrame:
    """Return how many open deals need somebody and what they are worth, by reason, and how many are long dead."""
    mirror = work.mirror
    idle_days = int(work.setting("idle_days"))
    rows = mirror.rows(attention.counts(mirror.facts, today=work.today, idle_days=idle_days))
    found = {row.need: (row.need, int(row.count), int(row.value) / HUNDREDTHS) for row in rows}
    return pd.DataFrame([found[need] for need in attention.NEEDS], columns=["need", "count", "value"])


@query(Action.TODAY_VIEW, mirrored=True, askable=True)
def changes_since(work: Work, *, since: date) -> pd.DataFrame:
    """Return how many deals were created, advanced, won, lost and put off since the beginning of a day."""
    mirror = work.mirror
    start = day_start(since, work.zone).replace(tzinfo=None)
    found = {row.kind: row for row in mirror.rows(changes.summary(mirror.facts, since=start))}
    rows = [
        (kind, found[kind].count, found[kind].value / HUNDREDTHS) if kind in found else (kind, 0, 0.0)
        for kind in changes.KINDS
    ]
    return pd.DataFrame(rows, columns=["kind", "count", "value"])


@query(Action.TODAY_VIEW, mirrored=True, askable=True)
def events_since(work: Work, *, since: date, kind: str | None = None, limit: int = 50) -> pd.DataFrame:
    """Return what happened to the deals since the beginning of a day, newest first."""
    mirror = work.mirror
    start = day_start(since, work.zone).replace(tzinfo=None)
    frame = mirror.frame(changes.listed(mirror.facts, since=start, kind=kind, limit=limit))
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"]).dt.tz_localize("UTC")
    return tidy(frame, money=("amount",))
