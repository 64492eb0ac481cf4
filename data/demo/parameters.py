"""The truth behind the demo company: every rate, length and weight that its histories follow."""

from __future__ import annotations

import math
from dataclasses import dataclass

OPEN_STAGES = ("identified", "contacted", "needs", "demo", "negotiation")
WON, LOST = len(OPEN_STAGES), len(OPEN_STAGES) + 1


@dataclass(frozen=True)
class TrueParameters:
    """What the generator draws from; analytics should find these figures again.

    `channel_costs`: spent on winning customers for each deal that opens through a channel, in major units; in
    `fair_months` exhibitions cost `fair_weight` times as much as in others. What belongs to no channel is
    `other_costs_rate` of the rest.

    A piece costs `cost_rates` of its list price, over `data.demo.reference.CATEGORIES`, in whole units; of the first
    `costed_skus` SKUs, nobody said what the others cost. `split_rate` of the won deals are split: `split_share` of
    the credit is a colleague's of the winner's team.

    Tuples over stages follow `OPEN_STAGES`, over channels `core.domain.stages.STANDARD_CHANNELS`,
    over segments `data.demo.reference.SEGMENTS`. Effects are added to the logit of advancing.

    Of `late_rate` of the deals the end was entered one to `late_days` days after it came.

    Something went wrong `planted_days` days before the end: whoever came to the open stage `planted_stage` since then
    has `planted_effect` added. `conversion` and `win_rate` are those of the time before.
    """

    months: int = 36
    earlier_days: int = 270
    yearly_growth_rate: float = 0.18
    month_weights: tuple[float, ...] = (
        0.92,
        0.82,
        1.10,
        1.05,
        1.02,
        1.05,
        0.98,
        0.95,
        1.10,
        0.98,
        1.06,
        1.00,
    )
    weekend_weight: float = 0.12
    spring_festival_weight: float = 0.20
    spring_festival_days: tuple[int, int] = (-7, 8)
    national_day_weight: float = 0.25

    first_stage_shares: tuple[float, ...] = (0.90, 0.08, 0.02, 0.0, 0.0)
    advance_rates: tuple[float, ...] = (0.80, 0.78, 0.77, 0.78, 0.68)
    skip_rate: float = 0.05
    back_rate: float = 0.04
    reopen_rate: float = 0.03
    reopen_median_days: float = 45.0
    median_days: tuple[float, ...] = (7.0, 11.0, 18.0, 16.0, 20.0)
    spread: tuple[float, ...] = (0.75, 0.70, 0.65, 0.65, 0.70)
    stale_rate: float = 0.03
    stale_factor: float = 6.0

    planted_stage: int = 2
    planted_days: int = 240
    planted_effect: float = -0.80

    quarter_end_pull_rate: float = 0.30
    year_end_pull_rate: float = 0.45
    pull_window_days: int = 20

    skill_spread: float = 0.30
    activity_spread: float = 0.30
    channel_shares: tuple[float, ...] = (0.22, 0.15, 0.18, 0.20, 0.15, 0.10)
    channel_effects: tuple[float, ...] = (0.0, -0.05, 0.45, -0.35, 0.25, -0.20)
    segment_shares: tuple[float, ...] = (0.15, 0.40, 0.45)
    segment_effects: tuple[float, ...] = (-0.15, 0.0, 0.10)
    segment_amount_factors: tuple[float, ...] = (2.6, 1.0, 0.45)
    segment_duration_factors: tuple[float, ...] = (1.3, 1.0, 0.8)
    amount_spread: float = 0.50

    line_shares: tuple[float, ...] = (0.80, 0.15, 0.05)
    amount_change_rates: tuple[float, ...] = (0.75, 0.20, 0.05)
    amount_change_spread: float = 0.20
    late_rate: float = 0.06
    late_days: int = 5
    expected_close_spread: float = 0.35
    push_rate: float = 0.75
    reassign_rate: float = 0.02
    foreign_currency_rate: float = 0.03
    activities_a_deal: float = 2.4
    quota_attainment: tuple[float, float] = (0.92, 0.16)
    cost_rates: tuple[float, ...] = (0.28, 0.64, 0.47)
    costed_skus: int = 22
    split_rate: float = 0.04
    split_share: float = 0.30
    channel_costs: tuple[int, ...] = (1_300, 4_200, 550, 1_900, 2_300, 5_100)
    fair_months: tuple[int, ...] = (3, 4, 9, 10, 11)
    fair_weight: float = 2.0
    other_costs_rate: float = 0.15

    def advance_rate(self, stage: int, effect: float = 0.0) -> float:
        """Return the chance to advance from open stage `stage` for a deal with this logit effect."""
        rate = self.advance_rates[stage]
        return 1.0 / (1.0 + math.exp(-(math.log(rate / (1.0 - rate)) + effect)))

    def conversion(self, effects: dict[float, float] | None = None) -> tuple[float, ...]:
        """Return the share of the deals that reached each open stage and reached a later one.

        `effects` gives the shares of the logit effects among the deals; none is effect 0 for all.
        Follows every path: skips, one step back at most, one reopening at most.
        """
        reached = [0.0] * (WON + 1)
        for effect, share in (effects or {0.0: 1.0}).items():
            rates = [self.advance_rate(stage, effect) for stage in range(WON)]
            for first, first_share in enumerate(self.first_stage_shares):
                for furthest, chance in _furthest(first, rates, self).items():
                    for stage in range(furthest + 1):
                        reached[stage] += share * first_share * chance
        return tuple(reached[stage + 1] / reached[stage] for stage in range(WON))

    def win_rate(self, effects: dict[float, float] | None = None) -> float:
        """Return the share of all deals that are won in the end."""
        return math.prod(self.conversion(effects))


def _furthest(first: int, rates: list[float], true: TrueParameters) -> dict[int, float]:
    """Return the chances of each furthest stage for a deal that begins in `first`."""
    living = {(first, first, False, False): 1.0}
    ended: dict[int, float] = {}
    while living:
        following: dict[tuple[int, int, bool, bool], float] = {}
        for (stage, furthest, backed, reopened), chance in living.items():
            back = true.back_rate if stage and not backed else 0.0
            skip = true.skip_rate if stage < WON - 1 else 0.0
            ahead = chance * (1.0 - back) * rates[stage]
            lost = chance * (1.0 - back) * (1.0 - rates[stage])
            again = 0.0 if reopened else lost * true.reopen_rate
            steps = [
                (stage - 1, True, reopened, chance * back),
                (stage + 1, backed, reopened, ahead * (1.0 - skip)),
                (stage + 2, backed, reopened, ahead * skip),
                (stage, backed, True, again),
            ]
            ended[furthest] = ended.get(furthest, 0.0) + lost - again
            for to, has_backed, has_reopened, weight in steps:
                if weight <= 0.0:
                    continue
                most = max(furthest, to)
                if to == WON:
                    ended[WON] = ended.get(WON, 0.0) + weight
                else:
                    key = (to, most, has_backed, has_reopened)
                    following[key] = following.get(key, 0.0) + weight
        living = following
    return ended
