"""What the Forecast page shows, and how its address says it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import isfinite
from re import fullmatch
from typing import TYPE_CHECKING, Any, Final, cast

from core.errors import SalesError
from core.forecasting.calendar import Event
from core.forecasting.levers import NEUTRAL, Levers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.forecasting.steps import Frequency
    from core.queries.series import Measure

Params = dict[str, list[str]]

DIMENSIONS: Final = ("company", "team", "territory", "product", "channel")
MEASURES: Final[tuple[Measure, ...]] = ("booked", "won", "units")
FREQUENCIES: Final = ("month", "week", "day")
LONGEST: Final[dict[str, int]] = {"month": 12, "week": 52, "day": 90}
SHORTEST: Final[dict[str, int]] = {"month": 1, "week": 2, "day": 7}
USUAL: Final[dict[str, int]] = {"month": 6, "week": 13, "day": 30}
MOST_COMPARED: Final = 4
REDRAWN: Final = "luopan_forecast_redrawn"
"""Set in the session where the page runs by itself, since a fit is done: a dialog that is open then stays open."""
MOST_EVENTS: Final = 12
MOST_MASKED: Final = 12
LONGEST_NAME: Final = 80
CODES: Final[dict[str, str]] = {
    "growth": "growth",
    "win_rate": "win",
    "average_deal": "deal",
    "headcount": "heads",
    "seasonality": "season",
    "ramp_months": "ramp",
    "leads": "leads",
    "cycle": "cycle",
    "price": "price",
    "elasticity": "elastic",
    "flexibility": "flex",
    "capacity": "cap",
}
"""Lever -> its parameter in the address; per cent, but those of `AS_THEY_ARE`."""
AS_THEY_ARE: Final = frozenset({"ramp_months", "elasticity", "capacity"})
"""Levers in months, as an elasticity, and in the company's currency a month."""

STEPS: Final = (0.05, 0.1, 0.2)
"""How far each lever is moved to see which matters most."""
MOST_REACHED: Final = 1e13
_PERIOD: Final = r"[12]\d{3}(Q[1-4]|-(0[1-9]|1[0-2]))"

_SHORT: Final = dict(zip(CODES, "gwdhsrlcpefk", strict=True))


@dataclass(frozen=True)
class Asked:
    """What the page is asked beside the forecast itself.

    moved: how far each lever is moved. within: the quarter (`2027Q1`) or month (`2027-01`) in which an amount is to be
    reached, "" for all that is shown; reach: the amount, None for the usual one; likely: in 80 of 100 courses. totals:
    `month` or `quarter`, "" for the usual one.
    """

    moved: float = 0.1
    within: str = ""
    reach: float | None = None
    likely: bool = False
    totals: str = ""

    def to_params(self) -> Params:
        """Return the address's parameters; what stands as usual is empty."""
        return {
            "moved": [] if self.moved == 0.1 else [f"{self.moved * 100:g}"],
            "within": [self.within] if self.within else [],
            "reach": [] if self.reach is None else [f"{self.reach:.15g}"],
            "likely": ["80"] if self.likely else [],
            "totals": [self.totals] if self.totals else [],
        }

    @classmethod
    def from_params(cls, params: Mapping[str, Sequence[str]]) -> Asked:
        """Return what an address says; what cannot be read is left as usual."""
        within = _first(params, "within")
        return cls(
            moved=next((step for step in STEPS if f"{step * 100:g}" == _first(params, "moved")), 0.1),
            within=within if fullmatch(_PERIOD, within) else "",
            reach=_amount(_first(params, "reach")),
            likely=_first(params, "likely") == "80",
            totals=_one_of(params, "totals", ("", "month", "quarter")),
        )


@dataclass(frozen=True)
class Shown:
    """Everything that the page's address says.

    `levers.events` are planned ones with a stated uplift; `events` those whose effect is learned.
    `compared` are other scenarios laid on the same series, by name; `masked` the first days of steps that somebody
    chose to leave out of the series; `asked` what else the page answers.
    """

    dimension: str = "company"
    key: str = ""
    frequency: Frequency = "month"
    horizon: int = USUAL["month"]
    china: bool = True
    levers: Levers = NEUTRAL
    events: tuple[Event, ...] = ()
    compared: tuple[tuple[str, Levers], ...] = ()
    measure: Measure = "booked"
    masked: tuple[date, ...] = ()
    asked: Asked = Asked()

    @property
    def series(self) -> tuple[str, ...]:
        """What tells this series from others."""
        return (self.measure, self.dimension, self.key, self.frequency)

    @property
    def all_events(self) -> tuple[Event, ...]:
        """The learned and the stated events together."""
        return (*self.events, *self.levers.events)

    def with_events(self, events: Sequence[Event]) -> Shown:
        """Return the same with these events, each where it belongs."""
        stated = tuple(event for event in events if event.uplift is not None)
        learned = tuple(event for event in events if event.uplift is None)
        return replace(self, events=learned, levers=replace(self.levers, events=stated))

    def to_params(self) -> Params:
        """Return the address's parameters; what stands as usual is empty, so that it is taken out."""
        usual = self.horizon == USUAL[self.frequency]
        params: Params = {
            "of": [] if self.dimension == "company" else [self.dimension],
            "key": [] if self.dimension == "company" or not self.key else [self.key],
            "what": [] if self.measure == "booked" else [self.measure],
            "by": [] if self.frequency == "month" else [self.frequency],
            "mask": [day.isoformat() for day in self.masked],
            "ahead": [] if usual else [str(self.horizon)],
            "holidays": [] if self.china else ["off"],
            "event": [event_code(event) for event in self.all_events],
            "with": [scenario_code(name, levers) for name, levers in self.compared],
        }
        for lever, code in CODES.items():
            value = getattr(self.levers, lever)
            params[code] = [] if value == getattr(NEUTRAL, lever) else [_number(lever, value)]
        return params | self.asked.to_params()

    @classmethod
    def from_params(cls, params: Mapping[str, Sequence[str]]) -> Shown:
        """Return what an address says; what cannot be read is left as usual."""
        dimension = _one_of(params, "of", DIMENSIONS)
        frequency = cast("Frequency", _one_of(params, "by", FREQUENCIES))
        ahead = _first(params, "ahead")
        horizon = int(ahead) if ahead.isascii() and ahead.isdigit() else USUAL[frequency]
        shown = cls(
            dimension=dimension,
            key="" if dimension == "company" else _first(params, "key"),
            frequency=frequency,
            horizon=min(max(horizon, SHORTEST[frequency]), LONGEST[frequency]),
            china=_first(params, "holidays") != "off",
            levers=_levers({lever: _first(params, code) for lever, code in CODES.items()}),
            compared=tuple(_distinct(map(read_scenario, params.get("with") or ())))[:MOST_COMPARED],
            measure=cast("Measure", _one_of(params, "what", MEASURES)),
            masked=_days(params.get("mask") or ()),
            asked=Asked.from_params(params),
        )
        found = [read_event(code) for code in (params.get("event") or ())[:MOST_EVENTS]]
        return shown.with_events([event for event in found if event is not None])


def event_code(event: Event) -> str:
    """Return an event as `name~first day~last day~uplift in per cent`; nothing for a learned one."""
    uplift = "" if event.uplift is None else f"{event.uplift * 100:.6g}"
    return f"{event.name}~{event.starts_on}~{event.ends_on - timedelta(days=1)}~{uplift}"


def read_event(code: str) -> Event | None:
    """Return the event that a code says, None where it cannot be read."""
    parts = code.rsplit("~", 3)
    if len(parts) != 4 or not parts[0].strip():
        return None
    try:
        first, last = date.fromisoformat(parts[1]), date.fromisoformat(parts[2])
        uplift = float(parts[3]) / 100 if parts[3] else None
    except ValueError:
        return None
    if not first <= last < date(9000, 1, 1) or (uplift is not None and not -1 <= uplift <= 10):
        return None
    return Event(parts[0][:LONGEST_NAME], first, last + timedelta(days=1), uplift)


def scenario_code(name: str, levers: Levers) -> str:
    """Return a scenario as `name`, a line a planned event, and its levers: `Hire~g10_h20`."""
    said = [
        f"{short}{_number(lever, getattr(levers, lever))}"
        for lever, short in _SHORT.items()
        if getattr(levers, lever) != getattr(NEUTRAL, lever)
    ]
    return "\n".join([name, *map(event_code, levers.events), "_".join(said)])


def read_scenario(code: str) -> tuple[str, Levers] | None:
    """Return the name and the levers that a code says, None where it cannot be read."""
    lines = code.split("\n")
    if len(lines) < 2 or not lines[0].strip():
        return None
    by_short = {short: lever for lever, short in _SHORT.items()}
    said = {by_short[part[0]]: part[1:] for part in lines[-1].split("_") if part and part[0] in by_short}
    events = [read_event(line) for line in lines[1:-1][:MOST_EVENTS]]
    levers = replace(_levers(said), events=tuple(e for e in events if e is not None and e.uplift is not None))
    return lines[0][:LONGEST_NAME], levers


def series_of(shown: Shown) -> dict[str, Any]:
    """Return the series and settings as a saved scenario keeps them."""
    return {
        "dimension": shown.dimension,
        "key": shown.key,
        "frequency": shown.frequency,
        "horizon": shown.horizon,
        "china": shown.china,
        "events": [event.to_dict() for event in shown.events],
        "measure": shown.measure,
        "masked": [day.isoformat() for day in shown.masked],
    }


def from_saved(series: Mapping[str, Any], levers: Mapping[str, Any]) -> Shown:
    """Return the page as it was when a scenario was saved."""
    kept = Shown(
        dimension=str(series.get("dimension", "company")),
        key=str(series.get("key", "")),
        frequency=series.get("frequency", "month"),
        horizon=int(series.get("horizon", 0)),
        china=bool(series.get("china", True)),
        levers=Levers.from_dict(levers),
        events=tuple(Event.from_dict(event) for event in series.get("events", ())),
        measure=series.get("measure", "booked"),
        masked=_days(series.get("masked", ())),
    )
    return Shown.from_params(kept.to_params())


def _days(texts: Sequence[str]) -> tuple[date, ...]:
    found = set()
    for text in texts[:MOST_MASKED]:
        with suppress(ValueError):
            found.add(date.fromisoformat(text))
    return tuple(sorted(found))


def _amount(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if isfinite(found) and 0 <= found < MOST_REACHED else None


def _levers(said: Mapping[str, str]) -> Levers:
    found = NEUTRAL
    for lever, text in said.items():
        try:
            value = float(text) / (1 if lever in AS_THEY_ARE else 100)
            found = replace(found, **cast("Any", {lever: round(value, 8)}))
        except (ValueError, SalesError):
            continue
    return found


def _number(lever: str, value: float) -> str:
    return f"{value:.12g}" if lever in AS_THEY_ARE else f"{value * 100:.6g}"


def _distinct(found: Any) -> list[tuple[str, Levers]]:
    return list({name: (name, levers) for name, levers in filter(None, found)}.values())


def _one_of(params: Mapping[str, Sequence[str]], name: str, allowed: Sequence[str]) -> str:
    value = _first(params, name)
    return value if value in allowed else allowed[0]


def _first(params: Mapping[str, Sequence[str]], name: str) -> str:
    return str((params.get(name) or [""])[0])
