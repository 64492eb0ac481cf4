"""Funnel and Leaderboard as of any day: what a slow replay of the events up to that day says, in both readings."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import literal

from core.analytics import drill, funnel, funnel_flow, funnel_losses, funnel_stays, funnel_steps, leaderboard
from core.analytics.as_of import AsOf
from core.analytics.filters import Filters
from core.analytics.flow_ways import Flow, steps_between
from core.analytics.past_facts import standpoint
from core.analytics.selection import Selection
from core.analytics.standings import Standings
from core.domain.periods import Period, add_months
from tests.event_lists import FIRST, KINDS, TEAM_OF, ZONE, Oracle, day_of, mirror_of
from tests.integration.test_as_of import ALL, DAYS, filters, readings, some_histories

some_days = some.integers(10, DAYS).map(lambda n: FIRST + timedelta(days=n))
WHOLE = Period(date(2025, 1, 1), date(2028, 1, 1))
periods = some.just(WHOLE) | some.tuples(some.integers(-5, DAYS), some.integers(1, 90)).map(
    lambda drawn: Period(FIRST + timedelta(days=drawn[0]), FIRST + timedelta(days=drawn[0] + drawn[1]))
)
quickly = settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def _written_late(histories):
    """The same events, every second one of a deal written down forty days later."""
    for history in histories:
        told = [
            replace(event, recorded=max(event.recorded, event.at + timedelta(days=40 * (place % 2))))
            for place, event in enumerate(history.events)
        ]
        told.sort(key=lambda event: event.recorded)
        history.events = [replace(e, number=history.number * 100 + place) for place, e in enumerate(told)]
    return histories


late_histories = some.one_of(some_histories(), some_histories().map(_written_late))


class Replayed:
    """The company at the end of a day, by plain Python: each deal's state and its known path of (stage, instant)."""

    def __init__(self, histories, on, known, reps):
        self.on, self.next_day = on, on + timedelta(days=1)
        self.until = datetime.combine(self.next_day, time.min, tzinfo=ZONE)
        self.states = Oracle(histories).states(on, then=known == "then", reps=reps)
        self.paths = {}
        for history in histories:
            if history.number in self.states:
                seen = [
                    e for e in history.events
                    if e.field == "stage" and day_of(e.at) <= on and (known == "now" or day_of(e.recorded) <= on)
                ]  # fmt: skip
                self.paths[history.number] = sorted(seen, key=lambda e: (e.at, e.recorded, e.number))

    def furthest(self, deal):
        return max([1, *(e.value for e in self.paths[deal] if KINDS[e.value] != "lost")])

    def opened_in(self, period):
        return [deal for deal, path in self.paths.items() if day_of(path[0].at) in period]

    def cohort(self, period):
        found = defaultdict(lambda: [0, 0])
        for deal in self.opened_in(period):
            at = found[self.furthest(deal), self.states[deal].kind]
            at[0] += 1
            at[1] += self.states[deal].value(self.on)
        return dict(found)

    def step(self, stage, period, days):
        entered, went_on = set(), set()
        for deal, path in self.paths.items():
            reached = [(1 if KINDS[e.value] == "lost" else e.value, e.at) for e in path]
            arrived = next((at for place, at in reached if place >= stage), None)
            beyond = next((at for place, at in reached if place > stage), None)
            followed = arrived and day_of(arrived) < self.next_day - timedelta(days=days)
            if not followed or day_of(arrived) not in period:
                continue
            entered.add(deal)
            if beyond and beyond <= arrived + timedelta(days=days):
                went_on.add(deal)
        return entered, went_on

    def stays(self, period):
        """Every stay in an open stage, as (stage, deal, begun, left or None)."""
        for deal in self.opened_in(period):
            path = self.paths[deal]
            for place, event in enumerate(path):
                left = path[place + 1].at if place + 1 < len(path) else None
                if KINDS[event.value] == "open":
                    yield event.value, deal, event.at, left


def _look(histories, on, known):
    mirror = mirror_of(histories)
    until = datetime.combine(on + timedelta(days=1), time.min, tzinfo=ZONE).astimezone(UTC)
    facts, today = standpoint(mirror.facts, AsOf(on, known), today=date(2027, 1, 1), until=until)
    assert today == on + timedelta(days=1)
    return mirror, facts, until


@quickly
@given(late_histories, some_days, readings, filters, periods, some.sampled_from((3, 10, 30)))
def test_the_funnel_of_a_past_day_is_what_the_events_up_to_it_say(histories, on, known, narrowed, period, days):
    chosen, reps = narrowed
    truth = Replayed(histories, on, known, reps)
    mirror, facts, until = _look(histories, on, known)
    asked = {"period": period, "filters": chosen, "pipeline_id": 1, "today": truth.next_day}

    cohort = mirror.rows(funnel.cohort(facts, **asked))
    assert {(r.furthest, r.state): [r.count, r.value] for r in cohort} == truth.cohort(period)
    months = mirror.rows(funnel.cohorts_by_month(facts, **asked))
    assert sum(r.entered for r in months) == len(truth.opened_in(period))

    steps = funnel_steps.Steps(1, chosen, days, truth.next_day)
    arrivals = funnel_steps.by_period(facts, steps, funnel_steps.Compared(period, period))
    rows = funnel_steps.alike(*map(mirror.columns, arrivals))
    arrived = funnel_steps.counted(rows, (1, 2, 3))
    found = {place: (here.entered, here.went_on) for (side, place), here in arrived.items() if side == funnel_steps.NOW}
    for stage in (1, 2, 3):
        entered, went_on = truth.step(stage, period, days)
        assert found.get(stage, (0, 0)) == (len(entered), len(went_on)), stage
        for measure, members in (("entered", entered), ("went_on", went_on), ("stuck", entered - went_on)):
            _opens(mirror, facts, truth, Selection(f"{measure}:{stage}:{days}", period, chosen, as_of=AsOf(on, known)),
                   members)  # fmt: skip

    lasting = list(truth.stays(period))
    how = literal(until.replace(tzinfo=None))
    for row in mirror.rows(funnel_stays.stays(facts, until=how, **asked)):
        here = [stay for stay in lasting if stay[0] == int(row.stage_key)]
        assert row.completed == sum(left is not None for *_rest, left in here)
        assert (row.still_inside, row.deals) == (len(here) - row.completed, len({deal for _s, deal, *_at in here}))
        ended = [(left - begun).total_seconds() / 86_400 for _s, _d, begun, left in here if left]
        assert abs((row.median_days or 0) - (median(ended) if ended else 0)) < 1e-6


@quickly
@given(late_histories, some_days, readings, filters, periods)
def test_flow_snapshot_and_losses_of_a_past_day_are_those_of_its_events(histories, on, known, narrowed, period):
    chosen, reps = narrowed
    truth = Replayed(histories, on, known, reps)
    mirror, facts, _until = _look(histories, on, known)
    asked = {"period": period, "filters": chosen, "pipeline_id": 1, "today": truth.next_day}

    before = {h.number: {} for h in histories}
    for history in histories:
        whole = sorted((e for e in history.events if e.field == "stage"), key=lambda e: (e.at, e.recorded, e.number))
        for place, event in enumerate(whole):
            before[history.number][event.number] = whole[place - 1].value if place else 0
    moved = Counter()
    for deal, path in truth.paths.items():
        moved.update(
            {(before[deal][e.number], e.value) for e in path
             if day_of(e.at) in period and before[deal][e.number] != e.value}
        )  # fmt: skip
    ways = steps_between(mirror.rows(funnel_flow.stages_met(facts, pipeline_id=1)))
    taken = [(way.from_id, way.to_id) for way in ways]
    moves = mirror.columns(funnel_flow.moved(facts, period=period, pipeline_id=1))
    movers = funnel_flow.movers(facts, period=period, filters=chosen, pipeline_id=1)
    flow = Flow(taken, moves, mirror.columns(movers))
    assert {way: found.deals for way in taken if (found := flow.of([way])).deals} == moved

    inside = defaultdict(list)
    for deal, state in truth.states.items():
        if state.is_open:
            inside[state.stage].append((deal, (truth.next_day - day_of(truth.paths[deal][-1].at)).days))
    for row in mirror.rows(funnel_flow.standing(facts, filters=chosen, pipeline_id=1, today=truth.next_day)):
        here = inside[int(row.stage_key)]
        assert row.count == len(here)
        assert row.value == sum(truth.states[deal].value(on) for deal, _days in here)
        assert (row.median_days or 0) == (median(days for _deal, days in here) if here else 0)

    lost = defaultdict(set)
    for deal, state in truth.states.items():
        if state.kind == "lost" and state.closed_on in period:
            reason = next(e.number % 3 + 1 for e in reversed(truth.paths[deal]) if e.at == state.closed_at)
            lost[state.closed_on.replace(day=1), str(reason)].add(deal)
    months = mirror.rows(funnel_losses.lost_by_month(facts, **asked))
    assert {(r.month, r.reason_key): r.count for r in months} == {key: len(deals) for key, deals in lost.items()}
    for (month, reason), deals in lost.items():
        cut = Period(max(month, period.start), min(add_months(month, 1), period.end))
        _opens(mirror, facts, truth, Selection("lost", cut, chosen, "lost_reason", reason, as_of=AsOf(on, known)),
               deals)  # fmt: skip


@quickly
@given(late_histories, some_days, readings, periods)
def test_the_leaderboard_of_a_past_day_credits_who_had_won_by_then(histories, on, known, period):
    truth = Replayed(histories, on, known, ALL)
    mirror, facts, _until = _look(histories, on, known)
    contest = leaderboard.Contest(period, "rep", Filters(), 1, truth.next_day)
    found = Standings(lambda build: mirror.columns(build(facts)), contest).columns()
    rows = pd.DataFrame(found).set_index("id")
    for rep in TEAM_OF:
        closed = [s for s in truth.states.values() if s.credit == rep and s.closed_on and s.closed_on in period]
        won = [s for s in closed if s.kind == "won"]
        row = rows.loc[rep]
        assert (row.booked, row.won_count) == (sum(s.value(on) for s in won), len(won))
        assert row.decided_count == len(closed)
        _opens(mirror, facts, truth, Selection("booked", period, Filters(), "rep", str(rep), as_of=AsOf(on, known)),
               {s.deal for s in won})  # fmt: skip


def _opens(mirror, facts, truth, selection, members):
    """The drill holds exactly the expected deals; count and sum agree."""
    assert selection.is_known, selection.measure
    assert Selection.from_params(selection.to_params()) == selection
    how = {"today": truth.next_day, "idle_days": 14}
    behind = mirror.rows(drill.rows(facts, selection, limit=None, **how))
    assert {row.deal_id: row.value for row in behind} == {deal: truth.states[deal].value(truth.on) for deal in members}
    total = mirror.rows(drill.total(facts, selection, **how))[0]
    assert tuple(total) == (len(members), sum(truth.states[deal].value(truth.on) for deal in members))
