"""How a sales plan (销售计划) is spread over the people who sell."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from core.domain.money import allocate, from_minor, to_minor
from core.domain.periods import add_months

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

MONTH_DAYS = 365.25 / 12
PARTS = 1_000_000
"""Weights are counted in millionths, so that the split itself is exact."""


class PlanSpread(StrEnum):
    """By what a plan's months are spread: what each rep booked in the past, or who is there to sell."""

    SHARE = "share"
    CAPACITY = "capacity"


def spread(amount: Decimal, weights: Sequence[float]) -> list[Decimal]:
    """Split an amount by weights, to the cent, by largest remainder; evenly where all weights are zero."""
    return [from_minor(part) for part in allocate(to_minor(amount), [round(weight * PARTS) for weight in weights])]


def present_share(month: date, *, joined_on: date | None, left_on: date | None) -> float:
    """Return the share of a month's days on which somebody sells; `left_on` is the first day without them."""
    end = add_months(month, 1)
    first, last = max(joined_on or month, month), min(left_on or end, end)
    return max((last - first).days, 0) / (end - month).days


def capacity(month: date, *, joined_on: date | None, left_on: date | None, ramp_months: float) -> float:
    """Return what somebody can sell in a month, 1 being a whole month at full output.

    New people reach full output in a straight line over the ramp; counted is the middle of the days they are there.
    """
    there = present_share(month, joined_on=joined_on, left_on=left_on)
    if not there or joined_on is None or ramp_months == 0:
        return there
    end = min(left_on or add_months(month, 1), add_months(month, 1))
    begin = max(joined_on, month)
    middle = begin + timedelta(days=(end - begin).days / 2)
    return there * min((middle - joined_on).days / MONTH_DAYS / ramp_months, 1.0)


def line_of(team: int | None, parents: Mapping[int, int | None]) -> list[int]:
    """Return a team with all those above it, the lowest first; nothing for the whole company."""
    found: list[int] = []
    while team is not None and team not in found:
        found.append(team)
        team = parents.get(team)
    return found


def level_of(teams: Iterable[int | None], parents: Mapping[int, int | None]) -> int | None:
    """Return the lowest team that holds all of `teams`; None where only the whole company does."""
    lines = [line_of(team, parents) for team in set(teams)]
    return next((team for team in lines[0] if all(team in line for line in lines)), None) if lines else None


def counting(
    level: int | None, in_force: Mapping[int | None, Mapping[date, int]], parents: Mapping[int, int | None]
) -> dict[date, int]:
    """Return the plan that counts for each month at a level: its own, else the nearest one's above it.

    `in_force`: team (None: the whole company, above all teams) -> month -> plan.
    """
    found: dict[date, int] = {}
    for team in (*line_of(level, parents), None):
        found = {**in_force.get(team, {}), **found}
    return found
