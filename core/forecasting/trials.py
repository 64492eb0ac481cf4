"""The combination from past cut-offs on each scale, and what they teach: the scale, and the members' weights.

Source: docs/methods/forecast.md, "The scale" and "Backtest".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

import numpy as np

from core.forecasting.backtest import Origin
from core.forecasting.combination import POWER, blended, learned_weights, library_members, own_members
from core.forecasting.far_off import limited
from core.forecasting.prophet_model import CHANGEPOINT_PRIORS, Features, ProphetFailed, prophet_components
from core.forecasting.transform import Transform

if TYPE_CHECKING:
    import pandas as pd

    from core.forecasting.combination import Members
    from core.forecasting.result import Components, Member
    from core.forecasting.steps import Frequency
    from core.forecasting.transform import Floats, Kind

PLAIN_WINS: Final = 0.95
"""The plain scale is taken where past forecasts on it were off by less than this share of those on the logarithm."""


@dataclass(frozen=True, eq=False)
class Tried:
    """A forecast of `ahead` steps from the first `known` ones: its parts and members on each scale tried."""

    known: int
    ahead: int
    parts: dict[Kind, Components]
    members: dict[Kind, Members]
    own: dict[Kind, Floats]
    """What the members that rest on Prophet say together."""


@dataclass(frozen=True)
class ScaleErrors:
    """WAPE of past forecasts by the members that rest on Prophet; `steps`: how many it was measured on."""

    suited: float
    plain: float
    steps: int

    @property
    def plain_wins(self) -> bool:
        """Whether the plain scale did clearly better."""
        return self.steps > 0 and self.plain < PLAIN_WINS * self.suited


@dataclass(frozen=True, eq=False)
class Trials:
    """A series, and how to forecast it from any of its steps.

    y in the series' unit; steps and features reach beyond it; suited: the scale by rule; bound: what is plausible at
    most; library: whether statsforecast's members are asked too.
    """

    y: Floats
    steps: pd.DatetimeIndex
    frequency: Frequency
    features: Features
    suited: Transform
    bound: float
    library: bool

    @cached_property
    def plain(self) -> Transform:
        """The other scale."""
        return Transform.plain(self.y)

    @cached_property
    def judged(self) -> Floats:
        """What past forecasts are held against: one step far off all others says little of the rest."""
        return limited(self.y, self.frequency)[0]

    @property
    def scales(self) -> tuple[Transform, ...]:
        """The scale by rule, and the plain one where the rule leaves a choice."""
        return (self.suited,) if self.suited.kind == "plain" else (self.suited, self.plain)

    def value(self, transform: Transform, z: Floats) -> Floats:
        """From a scale to the unit of the series, within what is plausible."""
        return np.clip(transform.inverse(z), -self.bound if (self.y < 0).any() else 0.0, self.bound)

    def moved(self, z: Floats, before: Transform, after: Transform) -> Floats:
        """From one scale to another; on a logarithm nothing falls below a fifth of the least value known."""
        if before == after:
            return z
        least = 0.0 if after.kind == "log1p" else float(self.y[self.y > 0].min()) / 5
        values = self.value(before, z)
        return after.forward(values if after.kind == "plain" else np.maximum(values, least))

    def tried(
        self, known: int, ahead: int, *, priors: Sequence[float] = CHANGEPOINT_PRIORS[:1], both: bool = True
    ) -> Tried | None:
        """Forecast from the first `known` steps alone; None where Prophet fails on the scale by rule."""
        parts: dict[Kind, Components] = {}
        members: dict[Kind, Members] = {}
        total = known + ahead
        y = limited(self.y[:known], self.frequency)[0]
        for transform in self.scales if both else self.scales[:1]:
            z = transform.forward(y)
            try:
                found = prophet_components(
                    z, self.steps[:total], self.frequency, self.features.head(total), priors=priors
                )
            except ProphetFailed:
                continue
            parts[transform.kind] = found
            members[transform.kind] = own_members(z, found)
        if self.suited.kind not in parts:
            return None
        own = {kind: blended(found) for kind, found in members.items()}
        if self.library:
            z = self.suited.forward(y)
            more = library_members(z, parts[self.suited.kind], self.suited, self.frequency)
            for transform in self.scales[: len(members)]:
                for name, line in more.items():
                    members[transform.kind][name] = self.moved(line, self.suited, transform)
        return Tried(known, ahead, parts, members, own)

    def errors(self, past: Sequence[Tried], *, until: int) -> ScaleErrors:
        """Compare the scales by what of the past forecasts was known when `until` steps were."""
        missed = np.zeros(2)
        size, steps = 0.0, 0
        for each in past:
            actual = self.judged[each.known : until][: each.ahead]
            if len(each.own) < 2 or not len(actual):
                continue
            lines = (self.value(scale, each.own[scale.kind])[: len(actual)] for scale in self.scales)
            missed += [float(np.abs(line - actual).sum()) for line in lines]
            size, steps = size + float(np.abs(actual).sum()), steps + len(actual)
        suited, plain = missed / size if size else (float("nan"),) * 2
        return ScaleErrors(float(suited), float(plain), steps)

    def scale(self, past: Sequence[Tried], *, until: int) -> Transform:
        """The scale that `past` speaks for, when `until` steps were known."""
        return self.plain if self.errors(past, until=until).plain_wins else self.suited

    def weights(self, past: Sequence[Tried], transform: Transform, *, until: int) -> dict[Member, float]:
        """The members' weights that `past` speaks for on a scale, when `until` steps were known."""
        there = [
            Origin(each.known, each.own[transform.kind], np.empty(0), each.members[transform.kind])
            for each in past
            if transform.kind in each.members and each.known < until
        ]
        value: Callable[[Floats], Floats] = partial(self.value, transform)
        return learned_weights(there, self.judged[:until], value, power=POWER[self.frequency])

    def origins(self, past: Sequence[Tried], transform: Transform) -> list[Origin]:
        """Past forecasts on the scale `transform`, each made as the ones before it had taught by then.

        The scale and the weights of each come from what was known on its day, so that its error is an honest one.
        """
        z = transform.forward(self.judged)
        made = []
        for place, each in enumerate(past):
            earlier = past[:place]
            then = self.scale(earlier, until=each.known)
            if then.kind not in each.members:
                then = self.suited
            weights = self.weights(earlier, then, until=each.known)
            forecast = self.moved(blended(each.members[then.kind], weights), then, transform)
            members = {name: self.moved(line, then, transform) for name, line in each.members[then.kind].items()}
            errors = z[each.known :][: each.ahead] - forecast
            made.append(Origin(each.known, forecast, errors, members))
        return made
