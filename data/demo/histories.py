"""Deals living their lives, many at once: steps, owners, amounts, expected closes, meetings."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.demo.calendar import DAY, Calendar
from data.demo.cast import NEVER, Cast
from data.demo.parameters import LOST, OPEN_STAGES, WON, TrueParameters
from data.demo.reference import ACTIVITY_SHARES, COMPETITORS, LOST_REASON_SHARES, LOST_REASONS

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


@dataclass(frozen=True)
class Histories:
    """A block of deals. Arrays over deals; places in the cast, the stages and the parameters' tuples."""

    opened: Ints
    customer: Ints
    channel: Ints
    first_owner: Ints
    owner: Ints
    stage: Ints
    entered: Ints
    closed: Ints
    reason: Ints
    competitor: Ints
    moves: Moves
    owners: Changes
    first_expected: Ints
    expected: Ints
    pushes: Changes
    amount_changes: tuple[Ints, Ints]
    meetings: Meetings

    def __len__(self) -> int:
        return len(self.opened)

    @property
    def is_open(self) -> Flags:
        """Whether each deal is open at the end."""
        return self.stage < WON


def openings(rng: np.random.Generator, calendar: Calendar, count: int, *, earlier: bool = False) -> Ints:
    """Return the instants at which `count` deals begin, in order, by the days' weights.

    earlier: in the days before the history instead of in it.
    """
    weights = calendar.earlier_weights if earlier else calendar.weights
    start = calendar.first - (len(weights) if earlier else 0)
    days = start + rng.choice(len(weights), count, p=weights / weights.sum())
    seconds = 9 * 3600 + rng.integers(int(9.4 * 3600), size=count)
    return np.sort(days * DAY + seconds - calendar.offset)


def live(rng: np.random.Generator, calendar: Calendar, cast: Cast, opened: Ints) -> Histories:
    """Return what becomes of the deals that begin at `opened`, up to the calendar's end."""
    true, count = calendar.true, len(opened)
    customer = _customers(rng, cast, opened)
    seat = cast.customers.seat[customer]
    owner = cast.holder[seat, np.maximum(calendar.day_of(opened) - calendar.first, 0)]
    channel = rng.choice(len(true.channel_shares), count, p=true.channel_shares)
    segment = cast.customers.segment[customer]
    effect = cast.reps.skill[owner] + np.array(true.channel_effects)[channel] + np.array(true.segment_effects)[segment]
    pace = np.array(true.segment_duration_factors)[segment]
    moves, reopened = _walk(rng, calendar, opened, effect, pace)

    tail = np.searchsorted(moves.deal, np.arange(count), side="right") - 1
    stage, entered = moves.after[tail], moves.at[tail]
    closed = np.where(stage >= WON, entered, -1)
    last = np.where(closed >= 0, closed, calendar.end + 1)
    reason = moves.reason[tail]
    rival = np.where(reason == LOST_REASONS.index("competitor"), rng.integers(len(COMPETITORS), size=count), -1)
    owners, final_owner = _handovers(rng, calendar, cast, owner, opened, last)
    steady = (last - opened > 2 * DAY) & ~reopened
    first_expected, expected, pushes = _expectations(rng, calendar, opened, last, pace, steady)
    return Histories(
        opened=opened,
        customer=customer,
        channel=channel,
        first_owner=owner,
        owner=final_owner,
        stage=stage,
        entered=entered,
        closed=closed,
        reason=reason,
        competitor=rival,
        moves=moves,
        owners=owners,
        first_expected=first_expected,
        expected=expected,
        pushes=pushes,
        amount_changes=_amount_changes(rng, calendar, opened, last, steady),
        meetings=_meetings(rng, calendar, opened, last, stage, owner, final_owner, owners),
    )


def kept(histories: Histories, which: Flags) -> Histories:
    """Return the histories of some deals alone."""
    place = np.cumsum(which) - 1

    def of(part: Any) -> Any:
        chosen = which[part.deal]
        cut = {each.name: getattr(part, each.name)[chosen] for each in fields(part)}
        return replace(part, **(cut | {"deal": place[cut["deal"]]}))

    chosen = which[histories.amount_changes[0]]
    deal, when = (values[chosen] for values in histories.amount_changes)
    parts = {name: of(getattr(histories, name)) for name in ("moves", "owners", "pushes", "meetings")}
    whole: dict[str, Any] = {each.name: getattr(histories, each.name) for each in fields(histories)}
    arrays: dict[str, Any] = {name: values[which] for name, values in whole.items() if isinstance(values, np.ndarray)}
    return replace(histories, **arrays, **parts, amount_changes=(place[deal], when))


def effects_of(cast: Cast, calendar: Calendar) -> dict[float, float]:
    """Return the logit effects among the deals, to a twentieth, with their shares.

    By the weights of customers, of the days on which each rep held the seat, and of the channels.
    """
    true, known = calendar.true, cast.customers
    segments = len(true.segment_shares)
    buying = np.bincount(
        known.seat * segments + known.segment, weights=known.weight, minlength=cast.holder.shape[0] * segments
    )
    by_rep = np.zeros((len(cast.reps), segments))
    for seat, holders in enumerate(cast.holder):
        days = np.bincount(holders, weights=calendar.weights, minlength=len(cast.reps))
        by_rep += np.outer(days, buying[seat * segments : (seat + 1) * segments])
    found: dict[float, float] = {}
    for channel, share in zip(true.channel_effects, true.channel_shares, strict=True):
        effects = cast.reps.skill[:, None] + np.array(true.segment_effects) + channel
        for effect, weight in zip(
            (np.rint(effects * 20) / 20).ravel().tolist(), (by_rep * share).ravel().tolist(), strict=True
        ):
            found[effect] = found.get(effect, 0.0) + weight
    whole = sum(found.values())
    return {effect: weight / whole for effect, weight in sorted(found.items()) if weight}


def _customers(rng: np.random.Generator, cast: Cast, opened: Ints) -> Ints:
    """Choose customers by weight."""
    shares = np.cumsum(cast.customers.weight)
    drawn = np.searchsorted(shares, rng.random(len(opened)) * shares[-1], side="right")
    found: Ints = np.minimum(drawn, len(shares) - 1)
    return found


def _walk(
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
        to, reason = _next(rng, true, at, logits[place] + effect[living], backed[living])
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


def _within(rng: np.random.Generator, calendar: Calendar, start: Ints, end: Ints) -> Ints:
    """Draw an instant in business hours strictly between two that lie more than a day apart."""
    drawn = start + 60 + ((end - start - 120) * rng.uniform(0.05, 0.95, size=len(start))).astype(np.int64)
    found: Ints = np.minimum(calendar.business(rng, drawn, start), end - rng.integers(60, 3600, size=len(start)))
    return found


def _handovers(
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


def _expectations(
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


def _amount_changes(
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


def _meetings(
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
