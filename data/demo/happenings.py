"""What happens to deals besides their stages: owners, expected closes, amounts, activities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.demo.calendar import DAY, Calendar
from data.demo.cast import NEVER, Cast
from data.demo.parameters import WON
from data.demo.reference import ACTIVITY_SHARES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Changes:
    """Changes of one field, sorted by deal and time, without the values that deals begin with."""

    deal: Ints
    at: Ints
    before: Ints
    after: Ints


@dataclass(frozen=True)
class Meetings:
    """Activities: `kind` is a place in ACTIVITY_SHARES; done at `at`, or due on `due` where `at` is -1."""

    deal: Ints
    kind: Ints
    rep: Ints
    at: Ints
    due: Ints
    subject: Floats


def _within(rng: np.random.Generator, calendar: Calendar, start: Ints, end: Ints) -> Ints:
    """Draw an instant in business hours strictly between two that lie more than a day apart."""
    drawn = start + 60 + ((end - start - 120) * rng.uniform(0.05, 0.95, size=len(start))).astype(np.int64)
    found: Ints = np.minimum(calendar.business(rng, drawn, start), end - rng.integers(60, 3600, size=len(start)))
    return found


def hand_over(
    rng: np.random.Generator,
    calendar: Calendar,
    cast: Cast,
    owner: Ints,
    opened: Ints,
    last: Ints,
) -> tuple[Changes, Ints]:
    """Hand leavers' unfinished deals to their heirs; give a few deals to a colleague for other reasons."""
    reps = cast.reps
    left = reps.left[owner]
    leaves = np.where(left == NEVER, NEVER, left * DAY + 17 * 3600 - calendar.offset)
    handed = (leaves > opened) & (leaves < last)
    after = np.where(handed, reps.heir[owner], owner)
    moved_at = np.where(handed, leaves, -1)

    given = ~handed & (rng.random(len(owner)) < calendar.true.reassign_rate) & (last - opened > 2 * DAY)
    place = np.flatnonzero(given)
    pick = rng.random(len(place))
    widths = np.array([len(stayers) for stayers in cast.colleagues])
    table = np.zeros((len(widths), widths.max()), dtype=np.int64)
    for row, stayers in enumerate(cast.colleagues):
        table[row, : len(stayers)] = stayers
    team = reps.team[owner[place]]
    after[place] = table[team, (pick * widths[team]).astype(np.int64)]
    moved_at[place] = _within(rng, calendar, opened[place], last[place])
    changed = np.flatnonzero(after != owner)
    return Changes(changed, moved_at[changed], owner[changed], after[changed]), after


def expect(
    rng: np.random.Generator,
    calendar: Calendar,
    opened: Ints,
    last: Ints,
    pace: Floats,
    steady: Flags,
) -> tuple[Ints, Ints, Changes]:
    """Expect a close at first, and push it (three times at most) as it draws near unfulfilled."""
    true, count = calendar.true, len(opened)
    usual = 1.25 * sum(true.median_days) * pace
    latest = calendar.last + 700
    first = (
        calendar.day_of(opened)
        + 3
        + (usual * np.exp(true.expected_close_spread * rng.standard_normal(count))).astype(np.int64)
    )
    first = np.minimum(first, latest)
    expected, pushing = first.copy(), steady.copy()
    found = []
    previous = opened
    for _turn in range(3):
        when = (
            (expected + rng.integers(-4, 2, size=count)) * DAY
            + 9 * 3600
            + rng.integers(9 * 3600, size=count)
            - calendar.offset
        )
        when = np.maximum(when, previous + 3600)
        pushing &= (when < last) & (rng.random(count) < true.push_rate)
        place = np.flatnonzero(pushing)
        later = calendar.day_of(when[place]) + 5 + (25 * np.exp(0.5 * rng.standard_normal(len(place)))).astype(np.int64)
        found.append((place, when[place], expected[place], np.minimum(later, latest)))
        expected[place] = np.minimum(later, latest)
        previous = np.where(pushing, when, previous)
    deal, when, before, after = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(deal, kind="stable")
    return first, expected, Changes(deal[order], when[order], before[order], after[order])


def change_amounts(
    rng: np.random.Generator,
    calendar: Calendar,
    opened: Ints,
    last: Ints,
    steady: Flags,
) -> tuple[Ints, Ints]:
    """Return the deals and instants of amount changes, sorted by deal and time."""
    counts = np.where(steady, rng.choice(3, len(opened), p=calendar.true.amount_change_rates), 0)
    deal = np.repeat(np.arange(len(opened)), counts)
    when = _within(rng, calendar, opened[deal], last[deal])
    order = np.lexsort((when, deal))
    deal, when = deal[order], when[order]
    same = np.flatnonzero((deal[1:] == deal[:-1]) & (when[1:] <= when[:-1])) + 1
    keep = np.setdiff1d(np.arange(len(deal)), same)
    return deal[keep], when[keep]


def meet(
    rng: np.random.Generator,
    calendar: Calendar,
    opened: Ints,
    last: Ints,
    stage: Ints,
    owner: Ints,
    final: Ints,
    owners: Changes,
) -> Meetings:
    """Meet the customers, more often of late; forget half of the long-lived deals; plan the next."""
    true, count = calendar.true, len(opened)
    recent = opened > calendar.end - 120 * DAY
    mean = np.where(recent, true.activities_a_deal + 0.8, true.activities_a_deal)
    numbers = rng.poisson(mean * np.minimum(1.0, 0.35 + (last - opened) / (30 * DAY)))
    deal = np.repeat(np.arange(count), numbers)
    is_open = stage < WON
    forgotten = is_open & (last - opened > 120 * DAY) & (rng.random(count) < 0.5)
    span = np.where(forgotten, 0.4, 1.0)[deal] * (last - opened)[deal]
    when = opened[deal] + (span * rng.random(len(deal))).astype(np.int64)
    when = np.clip(calendar.business(rng, when, opened[deal]), opened[deal], np.minimum(last, calendar.end)[deal])
    moved = np.full(count, NEVER * DAY)
    moved[owners.deal] = owners.at
    rep = np.where(when < moved[deal], owner[deal], final[deal])

    planned = np.flatnonzero(is_open & ~forgotten & (rng.random(count) < 0.6))
    due = calendar.last + np.clip(np.rint(rng.normal(4.0, 7.0, size=len(planned))), -12, 30).astype(np.int64)
    due = np.maximum(due, calendar.day_of(opened[planned]))
    deal = np.concatenate([deal, planned])
    at = np.concatenate([when, np.full(len(planned), -1)])
    shares = list(ACTIVITY_SHARES.values())
    return Meetings(
        deal=deal,
        kind=rng.choice(len(shares), len(deal), p=shares),
        rep=np.concatenate([rep, final[planned]]),
        at=at,
        due=np.concatenate([np.full(len(when), -1), due]),
        subject=rng.random(len(deal)),
    )
