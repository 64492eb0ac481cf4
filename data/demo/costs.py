"""What winning customers cost the demo company, by month and channel: stated, not drawn."""

from __future__ import annotations

from datetime import date

from core.domain.periods import add_months
from core.domain.stages import STANDARD_CHANNELS
from data.demo.calendar import Calendar

STEP = 100
FAIRS = "exhibition"


def make_costs(calendar: Calendar, *, deals: int) -> list[tuple[int | None, date, int]]:
    """Return channel (its place among `STANDARD_CHANNELS`, None for none), month and cost in whole hundreds.

    Costs go with the deals that a usual month opens and with their yearly growth; each year spends on fairs what it
    would in equal months. From the history's start to the month of its last day.
    """
    true = calendar.true
    found: list[tuple[int | None, date, int]] = []
    fairs = [true.fair_weight if month in true.fair_months else 1.0 for month in range(1, 13)]
    month, place = calendar.start, 0
    while month <= calendar.until:
        growth = (1 + true.yearly_growth_rate) ** ((place - true.months / 2) / 12)
        spent = []
        for channel, (code, _en, _zh) in enumerate(STANDARD_CHANNELS):
            season = 12 * fairs[month.month - 1] / sum(fairs) if code == FAIRS else 1.0
            usual = deals / true.months * true.channel_shares[channel] * true.channel_costs[channel]
            spent.append(round(usual * growth * season / STEP) * STEP)
            found.append((channel, month, spent[-1]))
        found.append((None, month, round(sum(spent) * true.other_costs_rate / STEP) * STEP))
        month, place = add_months(month, 1), place + 1
    return found
