"""Who is in the play: seats and the reps who hold them in turn, customers, contacts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.demo.calendar import Calendar
from data.demo.parameters import TrueParameters
from data.demo.reference import SEGMENTS, SIZES, TEAMS, TERRITORIES, TITLES
from data.names import INDUSTRIES, CompanyName, companies, people

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NEVER = 1 << 40


@dataclass(frozen=True)
class Reps:
    """Arrays over reps. Days are numbered; `left` is NEVER for those who stay; `heir` is a rep's place."""

    names: list[tuple[str, str]]
    team: Ints
    joined: Ints
    left: Ints
    heir: Ints
    skill: Floats
    seat: Ints

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Customers:
    """Arrays over customers; `seat` is whose they are, `weight` how much they buy."""

    names: list[CompanyName]
    city: list[tuple[str, str]]
    territory: Ints
    seat: Ints
    segment: Ints
    size: list[str]
    weight: Floats
    since: Ints
    contacts: list[list[tuple[str, str, str]]]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Cast:
    """Reps, customers, and `holder[seat, day]`: the rep who answers for a seat on a day of the history."""

    reps: Reps
    customers: Customers
    holder: Ints
    colleagues: list[Ints]


def make_cast(rng: np.random.Generator, calendar: Calendar, *, reps: int, customers: int) -> Cast:
    """Return a cast of `reps` reps, a fifth of whom left and were followed, and `customers` customers."""
    true, days = calendar.true, calendar.last - calendar.first + 1
    leavers = reps // 5
    seats = reps - leavers
    shares = np.array([team.reps for team in TEAMS], dtype=float)
    seat_team = np.floor(np.cumsum(np.full(seats, shares.sum() / seats)) - 1e-9)
    seat_team = np.searchsorted(np.cumsum(shares), seat_team, side="right").astype(np.int64)
    late, leaving = _who_changes(rng, seat_team, late=seats // 4, leaving=leavers)

    joined = np.full(seats, calendar.first) - rng.integers(true.earlier_days + 30, 2400, size=seats)
    joined[late] = calendar.first + rng.integers(90, days - 150, size=len(late))
    left = np.full(reps, NEVER)
    left_on = calendar.first + np.sort(rng.integers(120, days - 75, size=leavers))
    gone_for = np.where(
        rng.random(leavers) < 0.4, rng.integers(25, 60, size=leavers), -rng.integers(0, 10, size=leavers)
    )
    team = np.concatenate([seat_team, seat_team[leaving]])
    seat = np.concatenate([np.arange(seats), leaving])
    left[leaving] = left_on
    joined = np.concatenate([joined, left_on + gone_for])

    stayers = [np.setdiff1d(np.flatnonzero(seat_team == t), np.concatenate([late, leaving])) for t in range(len(TEAMS))]
    cover = np.array([stayers[t][place % len(stayers[t])] for place, t in enumerate(seat_team)])
    holder = np.repeat(np.arange(seats)[:, None], days, axis=1)
    for place in late:
        holder[place, : joined[place] - calendar.first] = cover[place]
    heir = np.full(reps, -1)
    for k, place in enumerate(leaving):
        follower, gone = seats + k, left_on[k] - calendar.first
        holder[place, gone:] = follower
        if gone_for[k] > 0:
            holder[place, gone : gone + gone_for[k]] = cover[place]
        heir[place] = cover[place] if gone_for[k] > 0 else follower
    skill = rng.normal(0.0, true.skill_spread, size=reps)
    found = Reps(people(rng, reps), team, joined, left, heir, skill, seat)
    return Cast(found, _customers(rng, calendar, seat_team, count=customers), holder, stayers)


def _who_changes(rng: np.random.Generator, seat_team: Ints, *, late: int, leaving: int) -> tuple[Ints, Ints]:
    """Choose the seats that start late and those whose first holder leaves; each team keeps its first two."""
    kept = [place for t in range(len(TEAMS)) for place in np.flatnonzero(seat_team == t)[:2]]
    free = rng.permutation(np.setdiff1d(np.arange(len(seat_team)), kept))
    return np.sort(free[:late]), np.sort(free[late : late + leaving])


def _customers(rng: np.random.Generator, calendar: Calendar, seat_team: Ints, *, count: int) -> Customers:
    true: TrueParameters = calendar.true
    seats = len(seat_team)
    pull = np.exp(rng.normal(0.0, true.activity_spread, size=seats))
    seat = rng.choice(seats, count, p=pull / pull.sum())
    territory = np.array([TEAMS[t].territory for t in seat_team])[seat]
    place = rng.random(count)
    city = []
    for t, share in zip(territory.tolist(), place.tolist(), strict=True):
        cities = TERRITORIES[t][3]
        city.append(cities[int(share**1.5 * len(cities))])
    segment = rng.choice(len(SEGMENTS), count, p=true.segment_shares)
    sizes = [SIZES[s][int(r < 0.55)] for s, r in zip(segment.tolist(), rng.random(count).tolist(), strict=True)]
    return Customers(
        names=companies(rng, city),
        city=city,
        territory=territory,
        seat=seat,
        segment=segment,
        size=sizes,
        weight=rng.gamma(1.6, size=count) + 0.15,
        since=calendar.first - true.earlier_days - rng.integers(1, 50, size=count),
        contacts=_contacts(rng, count),
    )


def _contacts(rng: np.random.Generator, customers: int) -> list[list[tuple[str, str, str]]]:
    """Return one to three contacts a customer: name, English name, title."""
    counts = rng.choice((1, 2, 3), customers, p=(0.45, 0.40, 0.15))
    known = iter(people(rng, int(counts.sum())))
    titles = iter(rng.integers(len(TITLES), size=int(counts.sum())).tolist())
    return [[(*next(known), TITLES[next(titles)]) for _ in range(count)] for count in counts.tolist()]


def industry_of(name: CompanyName) -> str:
    """Return the industry's Chinese name."""
    return INDUSTRIES[name.industry][0]
