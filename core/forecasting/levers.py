"""The levers of a scenario: what each is called in the code, its neutral value and its bounds.

Source: docs/methods/scenarios.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from core.errors import SalesError
from core.forecasting.calendar import Event
from core.i18n import N_

BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "growth": (-0.95, 10.0),
    "win_rate": (-1.0, 10.0),
    "average_deal": (-1.0, 10.0),
    "headcount": (-1.0, 10.0),
    "ramp_months": (0.0, 60.0),
    "leads": (-1.0, 10.0),
    "cycle": (-0.9, 10.0),
    "price": (-0.95, 10.0),
    "elasticity": (-10.0, 1.0),
    "seasonality": (-1.0, 3.0),
    "flexibility": (-5.0, 5.0),
}
"""Lever -> the least and the most that its formula allows."""


class LeverOutOfRange(SalesError):
    """A lever stands where its formula has no meaning."""

    text = N_("The lever {lever} must lie between {least} and {most}.")


@dataclass(frozen=True)
class Levers:
    """Changes against the base; every default is neutral. 0.1 is ten percent more.

    growth: a year, compounding from the first step; win_rate, average_deal, price, leads (new
    deals), cycle (the time that a deal takes): of the rate, value, number and time themselves;
    elasticity: per cent of wins gained by a price one per cent higher; headcount: of the people
    who sell, hires reaching full output in a straight line over `ramp_months`, leavers gone at
    once; seasonality: of the seasonal swing's size (-1 is flat); flexibility: of the part that
    the trend's latest slope has in the trend ahead (-1: the whole history's slope instead);
    capacity: the most that can be booked in a month, in the series' unit; events: planned ones
    with a stated uplift.
    """

    growth: float = 0.0
    win_rate: float = 0.0
    average_deal: float = 0.0
    headcount: float = 0.0
    ramp_months: float = 6.0
    leads: float = 0.0
    cycle: float = 0.0
    price: float = 0.0
    elasticity: float = 0.0
    seasonality: float = 0.0
    flexibility: float = 0.0
    capacity: float | None = None
    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        """Raise LeverOutOfRange where a formula would have no meaning."""
        for lever, (least, most) in BOUNDS.items():
            if not least <= getattr(self, lever) <= most:
                raise LeverOutOfRange(lever=lever, least=least, most=most)
        if self.capacity is not None and not 0 <= self.capacity < float("inf"):
            raise LeverOutOfRange(lever="capacity", least=0, most="∞")

    @property
    def wins(self) -> float:
        """What the chance of winning is multiplied by: the win rate's change and the price's effect on it."""
        return float((1 + self.win_rate) * (1 + self.price) ** self.elasticity)

    @property
    def moves_pipeline(self) -> bool:
        """Whether a lever is moved that acts through open and new deals."""
        return self.wins != 1 or self.leads != 0 or self.cycle != 0

    @property
    def neutral(self) -> bool:
        """Whether nothing is moved; the ramp and the elasticity alone move no number."""
        return replace(self, ramp_months=NEUTRAL.ramp_months, elasticity=NEUTRAL.elasticity) == NEUTRAL

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as a saved scenario keeps them."""
        return {**vars(self), "events": [event.to_dict() for event in self.events]}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Levers:
        """The inverse of `to_dict`; levers that were not kept are neutral."""
        known = {field.name: kept[field.name] for field in fields(cls) if field.name in kept}
        return cls(**{**known, "events": tuple(map(Event.from_dict, kept.get("events", ())))})


NEUTRAL: Final = Levers()
