"""Deals living their lives, many at once: customers, owners, steps and what comes of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.demo.calendar import DAY, Calendar
from data.demo.cast import Cast
from data.demo.happenings import Changes, Meetings, change_amounts, expect, hand_over, meet
from data.demo.parameters import WON
from data.demo.reference import COMPETITORS, LOST_REASONS
from data.demo.walking import Moves, walk

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


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
    moves, reopened = walk(rng, calendar, opened, effect, pace)

    tail = np.searchsorted(moves.deal, np.arange(count), side="right") - 1
    stage, entered = moves.after[tail], moves.at[tail]
    closed = np.where(stage >= WON, entered, -1)
    last = np.where(closed >= 0, closed, calendar.end + 1)
    reason = moves.reason[tail]
    rival = np.where(reason == LOST_REASONS.index("competitor"), rng.integers(len(COMPETITORS), size=count), -1)
    owners, final_owner = hand_over(rng, calendar, cast, owner, opened, last)
    steady = (last - opened > 2 * DAY) & ~reopened
    first_expected, expected, pushes = expect(rng, calendar, opened, last, pace, steady)
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
        amount_changes=change_amounts(rng, calendar, opened, last, steady),
        meetings=meet(rng, calendar, opened, last, stage, owner, final_owner, owners),
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
