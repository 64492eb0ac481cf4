"""The answer first: which step changed, by how much and what it is worth, in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any, cast

from core.analytics.bottleneck import LEAST
from core.domain.periods import Period
from core.i18n import _, _n, format_date, format_money, format_number, format_points, format_rate
from core.ui.screens.funnel_state import days_said

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
_LEAST_P = 0.001


@dataclass(frozen=True)
class Finding:
    """A sentence, what stands below it, and the step that it is about, None where it is about none."""

    sentence: str
    below: str = ""
    step: Row | None = None


def step_name(row: Row) -> str:
    """Return what a step is called."""
    return f"{row['stage']} → {row['next_stage']}"


def joined(*sentences: str) -> str:
    """Return sentences after each other; a Chinese full stop brings its own space."""
    told = ""
    for sentence in filter(None, sentences):
        told += sentence if not told or told.endswith("。") else f" {sentence}"
    return told


def finding(changes: pd.DataFrame, *, days: int, currency: str, group: str = "") -> Finding:
    """Return what the tests of the steps say: the costliest fall, else the best rise, else that nothing is proven.

    group: the name of the group that stands against the rest; "" where two periods are compared.
    """
    rows = cast("list[Row]", changes.to_dict("records"))
    tested = [row for row in rows if row["p_value"] == row["p_value"]]
    if not tested:
        return _too_few(rows, days)
    proven = [row for row in tested if row["is_change"]]
    falls = [row for row in proven if row["difference"] < 0]
    if falls:
        worst = min(falls, key=lambda row: (_worth(row), row["deals_a_quarter"]))
        return Finding(_said(worst, days, currency, group, fell=True), _proof(worst, len(tested)), worst)
    if proven:
        best = max(proven, key=lambda row: (_worth(row), row["deals_a_quarter"]))
        below = joined(_("It is lower in no step.") if group else _("No step fell."), _proof(best, len(tested)))
        return Finding(_said(best, days, currency, group, fell=False), below, best)
    return _unproven(tested, group)


def _worth(row: Row) -> float:
    value = float(row["value_a_quarter"])
    return 0.0 if isnan(value) else value


def _said(row: Row, days: int, currency: str, group: str, *, fell: bool) -> str:
    told = {
        "days": days_said(days),
        "step": step_name(row), "before": format_rate(row["rate_before"], 0), "now": format_rate(row["rate"], 0),
        "worth": _worth_said(row, currency), "group": group,
    }  # fmt: skip
    if group:
        return (
            _("{group}: {step} {now} within {days}, elsewhere {before}: about {worth} a quarter less.", **told)
            if fell
            else _("{group}: {step} {now} within {days}, elsewhere {before}: about {worth} a quarter more.", **told)
        )
    before = Period(row["start_before"], row["end_before"])
    told |= {"start": format_date(before.start), "end": format_date(before.last_day)}
    if fell:
        return _(
            "{step} fell from {before} ({start} to {end}) to {now} within {days}: about {worth} a quarter.", **told
        )
    return _(
        "{step} rose from {before} ({start} to {end}) to {now} within {days}: about {worth} more a quarter.", **told
    )


def _worth_said(row: Row, currency: str) -> str:
    """Return deals and money; the deals alone where none that went on is decided yet."""
    deals, value = max(1, round(abs(float(row["deals_a_quarter"])))), abs(_worth(row))
    counted = _n("{n} deal", "{n} deals", deals, n=format_number(deals))
    if not value:
        return counted
    return _("{deals} or {amount}", deals=counted, amount=format_money(value, currency, compact=True))


def p_said(p: float) -> str:
    """Return a p-value as readers know it, in a sentence."""
    return f"p {p_figure(p)}" if p < _LEAST_P else f"p = {p_figure(p)}"


def p_figure(p: float) -> str:
    """Return a p-value as readers know it, in a table: one too small for its digits is not nought."""
    if isnan(p):
        return "–"
    return f"< {format_number(_LEAST_P, 3)}" if p < _LEAST_P else format_number(p, 3)


def _proof(row: Row, tests: int) -> str:
    return _(
        "Difference {points} (95% interval {low} to {high}); {p}, corrected for {n} steps.",
        points=format_points(row["difference"]), low=format_points(row["low"]), high=format_points(row["high"]),
        p=p_said(row["p_adjusted"]), n=format_number(tests),
    )  # fmt: skip


def _unproven(tested: list[Row], group: str) -> Finding:
    least = min(tested, key=lambda row: row["p_value"])
    told = {
        "step": step_name(least), "before": format_rate(least["rate_before"]), "now": format_rate(least["rate"]),
        "p": p_said(least["p_adjusted"]), "n": format_number(len(tested)),
        "points": format_points(least["detectable"]).lstrip("+"),
    }  # fmt: skip
    if group:
        sentence = _("Not enough evidence that {group} differs from the rest in any step.", group=group)
        below = _("Closest to it: {step}, {now} and elsewhere {before} ({p}, corrected for {n} steps).", **told)
        found = _("With so many deals a difference of {points} or more would be found four times in five.", **told)
    else:
        sentence = _("Not enough evidence that any step changed against the period before.")
        below = _("Closest to it: {step}, {before} before and {now} now ({p}, corrected for {n} steps).", **told)
        found = _("With so many deals a fall of {points} or more would be found four times in five.", **told)
    return Finding(sentence, joined(below, "" if isnan(least["detectable"]) else found))


def _too_few(rows: list[Row], days: int) -> Finding:
    if not rows or rows[0]["end"] <= rows[0]["start"]:
        return Finding(
            _("Too young to compare: nothing in this period has been followed for {days} yet.", days=days_said(days)),
            _("Choose an earlier period, or follow the deals for fewer days."),
        )
    return Finding(
        _("Too few deals to compare the steps."),
        _("At least {n} must have reached a stage on either side and been followed for {days}.",
          n=LEAST, days=days_said(days)),
    )  # fmt: skip
