"""Who sold how much: what each rep or team decided, booked, owed and met, in each period of a contest.

A few flat statements (`core.analytics.leaderboard_rows`) are asked and put together here: some thousand people are
added up faster than one statement that joins everything is planned. Source: docs/methods/credit.md, credit-splits.md.
"""

from __future__ import annotations

from functools import cached_property
from math import nan
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from core.access.actors import Reach
from core.analytics import leaderboard_rows as rows
from core.analytics.credited import shares, shares_of_won
from core.analytics.credited_parts import Parts
from core.analytics.numbers import days, is_among, number, places_among, whole
from core.analytics.team_parts import part_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from core.access.actors import Scope
    from core.analytics.facts import Facts, Statement
    from core.analytics.leaderboard import Contest
    from core.domain.periods import Period

    Ask: TypeAlias = Callable[[Callable[[Facts], Statement]], Mapping[str, NDArray[Any]]]
    """Asks a statement about some facts and returns its columns."""
    Columns: TypeAlias = dict[str, NDArray[Any]]
    """A place in each array a row."""


class Standings:
    """What people or teams have in a contest's periods, and the deals that this rests on.

    `history`: a further period, of which `booked_in` is asked.
    """

    def __init__(self, ask: Ask, contest: Contest, *, history: Period | None = None) -> None:
        self.contest, self.history = contest, history
        self._scope: Scope | None = None
        self._answer = ask
        self.members = self._people() if contest.by == "rep" else self._teams()
        self._of_team = {
            team: place
            for place, key in enumerate(self.members["id"].tolist() if contest.by == "team" else ())
            for part in contest.parts
            if part.key == key
            for team in part.team_ids
        }

    def complete(self) -> Standings:
        """Return these standings with everything asked for, so that they can be kept."""
        for name in ("won", "parts", "_lost", "_met", "_quotas"):
            getattr(self, name)
        self._answer = _told_all
        return self

    def ask(self, build: Callable[[Facts], Statement]) -> Mapping[str, NDArray[Any]]:
        """Return the columns of a statement about the facts that all of this is about."""

        def noted(facts: Facts) -> Statement:
            self._scope = facts.scope
            return build(facts)

        return self._answer(noted)

    @cached_property
    def won(self) -> Columns:
        """The deals won in the periods and the history; `whose`: the number of a rep or a team, -1 for nobody's."""
        found = self.ask(lambda facts: rows.won(facts, self.contest, self.history))
        numbers = {name: number(found[name]) for name in ("cost", "cycle_days")}
        wholes = {name: whole(found[name]) for name in found if name not in {*numbers, "closed_on"}}
        return wholes | numbers | {"closed_on": days(found["closed_on"])}

    @cached_property
    def parts(self) -> Parts | None:
        """The parts of the split deals that were won in the periods or the history, None where nothing is split."""
        if not self.contest.splits:
            return None
        contest, history, filters = self.contest, self.history, self.contest.filters
        everybody = self._scope is not None and self._scope.reach is Reach.ALL
        if everybody and contest.by == "rep" and not (filters.team_ids or filters.rep_ids):
            won = {name: values for name, values in self.won.items() if name not in ("whose", "cycle_days")}
            none = np.full(won["id"].shape, -1)
            found = self.ask(shares)
            return Parts.among(
                won | {"holder": self.won["whose"], "holder_team": none},
                {name: whole(found[name]) for name in ("deal", "person", "share")},
            )
        return Parts.of(self.ask(lambda facts: shares_of_won(facts, filters, lambda day: contest.within(day, history))))

    def columns(self, place: int = 0) -> Columns:
        """Return a row for each rep or team that was there in a period or sold in it; money in hundredths.

        Columns: id, name, team, booked, won_count, decided_count, cycle_days, activities, quota, win_rate (NaN under
        the minimum), average_deal, attainment, margin and margin_of (of deals with a known cost), margin_rate; NaN
        where there is no such number; whole (booked without splits) and received (booked of deals that others won).
        Booked, margins and attainment are split, what counts deals is not. Teams are the contest's parts: their ids
        are the parts' keys, and `team` is "".
        """
        period = self.contest.periods[place]
        won, at = self._won_in(place)
        amount, cost = won["amount"], won["cost"]
        known = ~np.isnan(cost)
        margins = amount[known] - cost[known].astype(np.int64)
        whole_of, won_count = self._sum(at, amount), self._count(at)
        margin, margin_of = self._sum(at[known], margins), self._sum(at[known], amount[known])
        costed = self._count(at[known])
        booked, received, split = whole_of, np.zeros_like(whole_of), np.zeros(whole_of.shape, np.bool_)
        if self.parts is not None:
            moved, who = self._moved_in(self.parts, period)
            priced = ~np.isnan(moved["cost"])
            booked = whole_of + self._sum(who, moved["amount"])
            received = self._sum(who, moved["received"])
            more = moved["amount"][priced]
            margin = margin + self._sum(who[priced], more - moved["cost"][priced].astype(np.int64))
            margin_of = margin_of + self._sum(who[priced], more)
            costed = costed + self._sum(who[priced], moved["times"][priced])
            split = self._count(who) > 0
        decided = won_count + self._lost[place]
        quota, months = self._owed[place]
        owes = months > 0
        enough = decided >= max(self.contest.minimum_decided, 1)
        margin, margin_of = (np.where(costed > 0, sums, nan) for sums in (margin, margin_of))
        found: Columns = {
            "id": self.members["id"], "name": self.members["name"], "team": self.members["team"], "booked": booked,
            "won_count": won_count, "decided_count": decided, "cycle_days": self._medians(at, won["cycle_days"]),
            "activities": self._met[place], "quota": np.where(owes, quota, nan),
            "win_rate": _over(won_count, decided, where=enough),
            "average_deal": _over(whole_of, won_count, where=won_count > 0),
            "attainment": _over(booked, quota, where=quota > 0), "margin": margin, "margin_of": margin_of,
            "margin_rate": _over(margin, margin_of, where=margin_of > 0), "whole": whole_of, "received": received,
        }  # fmt: skip
        there = self.members[rows.PRESENCES[place]] | (decided > 0) | owes | split
        return {name: values[there] for name, values in found.items()}

    def decided_again(self, *, margins: bool, splits: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return whose (reps' numbers) each deal won in the first period is, or each part, and what it counts.

        For margins those with a known cost alone, with what is left of their amount.
        """
        won, at = self._won_in(0)
        amount, cost = won["amount"], won["cost"]
        if splits and self.parts is not None:
            alone = ~is_among(won["id"], self.parts.deal)
            parts = self.parts.held(self.contest.period)
            at = np.concatenate((at[alone], self.places(parts["person"])))
            amount = np.concatenate((amount[alone], parts["amount"]))
            cost = np.concatenate((cost[alone], parts["cost"]))
        counted = (at >= 0) & (~np.isnan(cost) if margins else True)
        spent = np.where(np.isnan(cost) if margins else True, 0, cost).astype(np.int64)
        return self.members["id"][at[counted]], (amount - spent)[counted]

    def booked_in(self, period: Period) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return whose (reps' numbers) and how much (hundredths) was booked in a period, to be added up."""
        here = _inside(self.won["closed_on"], period)
        whose, amount = self.won["whose"][here], self.won["amount"][here]
        if self.parts is not None:
            moved = self.parts.moved(period)
            whose, amount = np.append(whose, moved["person"]), np.append(amount, moved["amount"])
        return whose, amount

    def places(self, numbers: NDArray[Any]) -> NDArray[np.int64]:
        """Return the places among the members of reps or teams by their numbers, -1 for who is none."""
        if self.contest.by == "rep":
            return places_among(self.members["id"], whole(numbers))
        teams = np.array(sorted(self._of_team), np.int64)
        parts = np.array([*(self._of_team[team] for team in teams.tolist()), -1], np.int64)
        return parts[places_among(teams, whole(numbers))]

    def _won_in(self, place: int) -> tuple[Columns, NDArray[np.int64]]:
        """Return the deals won in a period by members, and the members' places."""
        here = np.flatnonzero(_inside(self.won["closed_on"], self.contest.periods[place]))
        at = self.places(self.won["whose"][here])
        here, at = here[at >= 0], at[at >= 0]
        return {name: self.won[name][here] for name in ("id", "amount", "cost", "cycle_days")}, at

    def _moved_in(self, parts: Parts, period: Period) -> tuple[Columns, NDArray[np.int64]]:
        moved = parts.moved(period)
        at = self.places(moved["person" if self.contest.by == "rep" else "team"])
        there = at >= 0
        return {name: values[there] for name, values in moved.items()}, at[there]

    @cached_property
    def _lost(self) -> list[NDArray[np.int64]]:
        return self._counted(self.ask(lambda facts: rows.lost(facts, self.contest)))

    @cached_property
    def _met(self) -> list[NDArray[np.int64]]:
        return self._counted(self.ask(lambda facts: rows.met(facts, self.contest)))

    @cached_property
    def _owed(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """What each owes in each of the periods, and in how many months of it."""
        nothing = np.zeros(self.members["id"].shape, np.int64)
        if not self.contest.filters.by_people_alone:
            return [(nothing, nothing)] * len(self.contest.periods)
        found = []
        for period in self.contest.periods:
            owed = self.owed_in(period)
            at = self.places(owed["whose"])
            found.append((self._sum(at[at >= 0], owed["part"][at >= 0]), self._count(at[at >= 0])))
        return found

    @cached_property
    def _quotas(self) -> Columns:
        found = self.ask(lambda facts: rows.owed(facts, self.contest))
        return {"whose": whole(found["whose"]), "month": days(found["month"]), "amount": whole(found["amount"])}

    def owed_in(self, period: Period) -> Columns:
        """Return the quotas that count in one of the periods: `whose`, `month`, `amount`, and the `part` owed in it."""
        month = self._quotas["month"]
        following = (month.astype("datetime64[M]") + 1).astype(month.dtype)
        start, end = _ends(period)
        here = (month < end) & (following > start)
        found = {name: values[here] for name, values in self._quotas.items()}
        month, following = month[here], following[here]
        owing = (np.minimum(following, end) - np.maximum(month, start)).astype(np.int64)
        part = (found["amount"] * owing).astype(np.float64) / (following - month).astype(np.int64)
        return found | {"part": np.floor(part + 0.5).astype(np.int64)}

    def _counted(self, found: Mapping[str, NDArray[Any]]) -> list[NDArray[np.int64]]:
        at, place, count = self.places(found["whose"]), whole(found["place"]), whole(found["count"])
        return [
            self._sum(at[here], count[here])
            for here in ((at >= 0) & (place == each) for each in range(len(self.contest.periods)))
        ]

    def _sum(self, at: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
        sums = np.zeros(self.members["id"].shape, np.int64)
        np.add.at(sums, at, values)
        return sums

    def _count(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.bincount(at, minlength=self.members["id"].size)

    def _medians(self, at: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
        there = ~np.isnan(values)
        at, values = at[there], values[there]
        counts = self._count(at)
        by_value = np.argsort(values)
        whose = at[by_value].astype(np.min_scalar_type(counts.size))  # small numbers are sorted by their digits
        ordered = values[by_value[np.argsort(whose, kind="stable")]]
        some, first = counts > 0, np.cumsum(counts) - counts
        found = np.full(counts.shape, nan)
        low, high = (ordered[(first + halves // 2)[some]] for halves in (counts - 1, counts))
        found[some] = low / 2 + high / 2
        return found

    def _people(self) -> Columns:
        found = self.ask(lambda facts: rows.people(facts, self.contest))
        flags = {name: found[name].astype(np.bool_) for name in rows.PRESENCES[: len(self.contest.periods)]}
        return {"id": whole(found["id"]), **{name: found[name] for name in ("name", "team")}, **flags}

    def _teams(self) -> Columns:
        """Return the contest's parts that lie in the scope, by key; somebody was there where one of its reps was."""
        found, scope = self.ask(rows.teams), self._scope
        if scope is None:
            message = "nobody said in whose scope these standings are"
            raise RuntimeError(message)
        names = dict(zip(whole(found["id"]).tolist(), found["name"].tolist(), strict=True))
        seen = [
            part
            for part in sorted(self.contest.parts, key=lambda part: part.key)
            if part.team_id in names and (scope.reach is Reach.ALL or part.team_id in scope.team_ids)
        ]
        staff = self.ask(lambda facts: rows.staff(facts, self.contest))
        team = whole(staff["team_id"])
        flags = {}
        for name in rows.PRESENCES[: len(self.contest.periods)]:
            manned = {*team[staff[name].astype(np.bool_)].tolist()}
            flags[name] = np.array([not manned.isdisjoint(part.team_ids) for part in seen], np.bool_)
        return {
            "id": np.array([part.key for part in seen], object),
            "name": np.array([part_name(part, names[part.team_id]) for part in seen], object),
            "team": np.array([""] * len(seen), object),
            **flags,
        }


def _told_all(_build: Callable[[Facts], Statement]) -> Mapping[str, NDArray[Any]]:
    message = "these standings are complete and ask no more"
    raise RuntimeError(message)


def _inside(days: NDArray[np.datetime64], period: Period) -> NDArray[np.bool_]:
    start, end = _ends(period)
    return (days >= start) & (days < end)


def _ends(period: Period) -> tuple[np.datetime64, np.datetime64]:
    return np.datetime64(period.start, "D"), np.datetime64(period.end, "D")


def _over(part: NDArray[Any], of: NDArray[Any], *, where: NDArray[np.bool_]) -> NDArray[np.float64]:
    found = np.full(part.shape, nan)
    np.divide(part, of, out=found, where=where)
    return found
