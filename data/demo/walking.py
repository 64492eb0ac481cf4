"""Deals walking through the stages, many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.demo.calendar import DAY, Calendar
from data.demo.parameters import LOST, OPEN_STAGES, WON, TrueParameters
from data.demo.reference import LOST_REASON_SHARES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_MOST_STEPS = 24


@dataclass(frozen=True)
class Moves:
    """Steps of deals, by deal and time; `before` is -1 for a deal's first; `reason` -1 but for a loss."""

    deal: Ints
    before: Ints
    after: Ints
    at: Ints
    reason: Ints


def walk(
    rng: np.random.Generator, calendar: Calendar, opened: Ints, effect: Floats, pace: Floats
) -> tuple[Moves, Flags]:
    """Walk all deals stage by stage until each is decided or the calendar ends."""
    true, count = calendar.true, len(opened)
    rates = np.array(true.advance_rates)
    logits = np.log(rates / (1.0 - rates))
    medians, spreads = np.log(true.median_days), np.array(true.spread)
    reasons = np.cumsum(np.array(LOST_REASON_SHARES), axis=1)
    stage = rng.choice(len(OPEN_STAGES), count, p=true.first_stage_shares)
    now = opened.copy()
    backed, reopened = np.zeros(count, bool), np.zeros(count, bool)
    fell_from = np.zeros(count, np.int64)
    living = np.arange(count)
    steps = [(living, np.full(count, -1), stage.copy(), opened, np.full(count, -1))]
    for _turn in range(_MOST_STEPS):
        if not len(living):
            break
        at, size = stage[living], len(living)
        dormant = at == LOST
        place = np.where(dormant, 0, at)
        days = (
            np.exp(
                np.where(dormant, np.log(true.reopen_median_days), medians[place])
                + np.where(dormant, 0.6, spreads[place]) * rng.standard_normal(size)
            )
            * pace[living]
        )
        days *= np.where(~dormant & (rng.random(size) < true.stale_rate), true.stale_factor, 1.0)
        since = calendar.end - true.planted_days * DAY
        planted = np.where((at == true.planted_stage) & (now[living] >= since), true.planted_effect, 0.0)
        to, reason = _next(rng, true, at, logits[place] + effect[living] + planted, backed[living])
        to = np.where(dormant, fell_from[living], to)
        reason = np.where(to == LOST, (rng.random(size)[:, None] > reasons[place]).sum(axis=1).clip(max=7), reason)
        when = calendar.business(rng, now[living] + (days * DAY).astype(np.int64), now[living])
        won = np.flatnonzero(to == WON)
        when[won] = calendar.pulled(rng, when[won], now[living[won]])

        goes = when <= calendar.end
        living, at, to, when, reason, dormant = (v[goes] for v in (living, at, to, when, reason, dormant))
        steps.append((living, at, to, when, reason))
        backed[living] |= (to < at) & ~dormant
        fell_from[living] = np.where(to == LOST, at, fell_from[living])
        again = (to == LOST) & ~reopened[living] & (rng.random(len(living)) < true.reopen_rate)
        reopened[living] |= again
        stage[living], now[living] = to, when
        living = living[(to < WON) | again]
    deal, before, after, when, reason = (np.concatenate(parts) for parts in zip(*steps, strict=True))
    order = np.argsort(deal, kind="stable")
    return Moves(deal[order], before[order], after[order], when[order], reason[order]), reopened


def _next(rng: np.random.Generator, true: TrueParameters, at: Ints, logit: Floats, backed: Flags) -> tuple[Ints, Ints]:
    """Return where deals in the stages `at` go: a step on, two, one back, or lost."""
    size = len(at)
    ahead = rng.random(size) < 1.0 / (1.0 + np.exp(-logit))
    skips = (rng.random(size) < true.skip_rate) & (at < WON - 1)
    back = (rng.random(size) < true.back_rate) & (at > 0) & ~backed
    to = np.where(back, at - 1, np.where(ahead, at + 1 + skips, LOST))
    return to, np.full(size, -1)
