"""As of any day: the mirror's states, numbers, waterfall and trend are what a slow replay of the events says."""

from __future__ import annotations

from datetime import date, timedelta
from math import isnan

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from core.analytics import as_of as statements
from core.analytics import kpis, past_deals, trend
from core.analytics.as_of import AsOf
from core.analytics.filters import Filters
from core.analytics.pipeline_health import (
    AGES,
    Calibration,
    Health,
    ages,
    brier,
    concentration,
    outcomes,
    velocity,
)
from core.analytics.selection import Selection
from core.analytics.waterfall import BARS, KINDS, bars, totals
from core.domain.periods import Period
from tests.event_lists import (
    FIRST,
    PROBABILITY,
    TEAM_OF,
    Happened,
    History,
    Oracle,
    day_of,
    instant,
    mirror_of,
)
from tests.event_lists import (
    KINDS as STAGE_KINDS,
)

DAYS = 90
ALL = frozenset(TEAM_OF)


@some.composite
def a_history(draw, number):
    """One deal: any steps between any stages, changes of everything, some written down days later."""
    opened = draw(some.integers(0, DAYS - 20))
    amounts = some.integers(0, 9_999_999)
    currency = draw(some.sampled_from(("CNY", "CNY", "USD")))
    history = History(
        number, draw(some.sampled_from(sorted(ALL))), draw(amounts), currency,
        FIRST + timedelta(days=opened + draw(some.integers(0, 60))),
    )  # fmt: skip
    late = draw(some.booleans())
    day, hour, stage = opened, draw(some.integers(0, 23)), 0
    events = []
    for step in range(draw(some.integers(1, 9))):
        kind = (
            "stage" if step == 0 else draw(some.sampled_from(("stage", "stage", "amount", "owner", "expected_close")))
        )
        if step:
            day += draw(some.integers(0, 15))
            hour = draw(some.integers(hour if day == opened else 0, 23))
        if kind == "stage":
            stage = draw(some.sampled_from([s for s in STAGE_KINDS if s != stage]))
            value = stage
        elif kind == "amount":
            value = (draw(amounts), draw(some.sampled_from((currency, currency, "USD", "CNY"))))
        elif kind == "owner":
            value = draw(some.sampled_from(sorted(ALL)))
        else:
            value = FIRST + timedelta(days=draw(some.integers(0, 150)))
        recorded = instant(day + (draw(some.sampled_from((0, 0, 3, 30))) if late else 0), hour)
        events.append((kind, value, instant(day, hour), recorded))
    events.sort(key=lambda event: event[3])  # numbers are given as things are written down
    first_stage = next(e for e in events if e[0] == "stage")
    history.events = [
        Happened(kind, value, at, recorded, number * 100 + place)
        for place, (kind, value, at, recorded) in enumerate(events)
    ]
    assert first_stage
    return history


@some.composite
def some_histories(draw):
    return [draw(a_history(number)) for number in range(1, draw(some.integers(1, 8)) + 1)]


some_days = some.integers(-3, DAYS + 90).map(lambda n: FIRST + timedelta(days=n))
readings = some.sampled_from(("now", "then"))
filters = some.sampled_from((
    (Filters(), ALL), (Filters(rep_ids=(1,)), frozenset({1})), (Filters(team_ids=(1,)), frozenset({1, 2})),
))  # fmt: skip
quickly = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@quickly
@given(some_histories(), some_days, readings, filters)
def test_a_past_day_is_what_a_replay_of_the_events_says(histories, on, known, narrowed):
    chosen, reps = narrowed
    expected = Oracle(histories).states(on, then=known == "then", reps=reps)
    mirror = mirror_of(histories)
    found = mirror.rows(_all(mirror, AsOf(on, known), chosen))
    assert {row.deal_id: row[1:] for row in found} == {
        deal: (
            s.stage, s.credit, s.is_open, s.kind == "won", s.value(on), s.expected, s.first_on,
            None if s.is_open else s.since_on, s.closed_on,
        )
        for deal, s in expected.items()
    }  # fmt: skip


def _all(mirror, as_of, chosen):
    from sqlalchemy import select

    c = statements.states_on(mirror.facts, as_of, chosen, name="stood").c
    return select(
        c.deal_id, c.stage_id, c.credit_id, c.is_open, c.is_won, c.value, c.expected_close_on, c.first_on, c.since_on,
        c.closed_on,
    )  # fmt: skip


@quickly
@given(some_histories(), some_days, some.integers(0, 120), readings, filters, some.booleans())
def test_the_waterfall_balances_to_the_cent_and_each_bar_opens_its_deals(histories, start, days, known, narrowed, due):
    chosen, reps = narrowed
    end = start + timedelta(days=days)
    closing = Period(date(2026, 2, 1), date(2026, 4, 1)) if due else None
    mirror = mirror_of(histories)
    rows = mirror.rows(bars(mirror.facts, start=start, end=AsOf(end, known), filters=chosen, closing=closing))
    told = totals(rows)
    expected = Oracle(histories).bars(
        start, end, then=known == "then", reps=reps, closing=(closing.start, closing.end) if closing else None
    )
    for kind in KINDS:
        parts = expected.get(kind, {})
        assert told[kind] == (len(parts), sum(parts.values())), kind
        selection = Selection(f"change:{kind}", closing, chosen, as_of=AsOf(end, known), since=start)
        assert selection.is_known
        opened = mirror.rows(past_deals.rows(mirror.facts, selection, limit=None))
        assert {deal.deal_id: deal.value for deal in opened} == parts, kind
        assert tuple(mirror.rows(past_deals.total(mirror.facts, selection))[0]) == (len(parts), sum(parts.values()))
    assert sum(told[kind][1] for kind in BARS[:-1]) == told["end"][1]


@quickly
@given(some_histories(), some.integers(0, 6), readings, filters)
def test_the_trend_is_the_pipeline_at_each_weeks_end(histories, weekday, known, narrowed):
    chosen, reps = narrowed
    until, weeks = FIRST + timedelta(days=DAYS + weekday), 20
    ends = trend.week_ends(until, weeks)
    mirror = mirror_of(histories)
    asked = {"first": ends[0], "weeks": weeks, "filters": chosen, "known": known}
    steps = mirror.columns(trend.steps_by_week(mirror.facts, **asked))
    stays = mirror.columns(trend.stays_by_week(mirror.facts, **asked))
    rates = mirror.rows(trend.rates_by_week(mirror.facts, first=ends[0], weeks=weeks))
    total = {
        (week, stage): [count[week], value[week]]
        for stage, (count, value) in trend.standing(steps, stays, rates, weeks=weeks).items()
        for week in range(weeks)
    }
    expected: dict[tuple[int, int], list[int]] = {}
    for week, on in enumerate(ends):
        assert on.weekday() == 6
        for state in Oracle(histories).states(on, then=known == "then", reps=reps).values():
            if state.is_open:
                at = expected.setdefault((week, state.stage), [0, 0])
                at[0] += 1
                at[1] += state.value(on)
    assert {key: value for key, value in total.items() if value != [0, 0]} == {
        key: value for key, value in expected.items() if value != [0, 0]
    }


@quickly
@given(some_histories(), some_days, readings, filters)
def test_the_totals_of_a_past_day_are_sums_over_its_deals(histories, on, known, narrowed):
    chosen, reps = narrowed
    period, as_of = Period(date(2026, 1, 15), date(2026, 3, 15)), AsOf(on, known)
    states = list(Oracle(histories).states(on, then=known == "then", reps=reps).values())
    mirror = mirror_of(histories)
    row = mirror.rows(statements.totals(mirror.facts, period=period, filters=chosen, as_of=as_of))[0]
    closed = [s for s in states if s.closed_on is not None and s.closed_on in period]
    open_ones = [s for s in states if s.is_open]
    assert row.booked == sum(s.value(on) for s in closed if s.kind == "won")
    assert (row.won_count, row.lost_count) == tuple(sum(s.kind == k for s in closed) for k in ("won", "lost"))
    assert (row.open_count, row.pipeline) == (len(open_ones), sum(s.value(on) for s in open_ones))
    assert row.weighted_pipeline == sum(_weighted(s.value(on), s.stage) for s in open_ones)
    assert row.overdue_value == sum(s.value(on) for s in open_ones if s.expected < on)
    assert row.closing_value == sum(s.value(on) for s in open_ones if s.expected in period)
    by_stage = mirror.rows(statements.by_stage(mirror.facts, filters=chosen, pipeline_id=1, as_of=as_of))
    assert {r.stage_key: (r.count, r.value) for r in by_stage} == {
        stage: (
            sum(s.stage == stage for s in open_ones), sum(s.value(on) for s in open_ones if s.stage == stage),
        )
        for stage in (1, 2, 3)
    }  # fmt: skip


@quickly
@given(some_histories(), filters)
def test_the_totals_of_today_are_those_of_the_deals_as_they_are(histories, narrowed):
    chosen, _reps = narrowed
    today = FIRST + timedelta(days=DAYS + 90)
    period, before = Period(date(2026, 1, 15), date(2026, 3, 15)), Period(date(2025, 11, 15), date(2026, 1, 15))
    mirror = mirror_of(histories)
    asked = {"period": period, "earlier": {"before": before}, "filters": chosen}
    past = mirror.rows(statements.totals(mirror.facts, **asked, as_of=AsOf(today)))[0]._asdict()
    now = mirror.rows(kpis.totals(mirror.facts, **asked, today=today))[0]._asdict()
    assert {name: past[name] for name in now if name in past} == now


def _weighted(value, stage):
    from decimal import ROUND_HALF_UP, Decimal

    return int((Decimal(value) * Decimal(str(PROBABILITY[stage]))).quantize(Decimal(1), rounding=ROUND_HALF_UP))


@quickly
@given(some_histories(), some_days, readings, filters)
def test_ages_and_the_largest_are_counted_over_the_open_deals_of_the_day(histories, on, known, narrowed):
    chosen, reps = narrowed
    states = [s for s in Oracle(histories).states(on, then=known == "then", reps=reps).values() if s.is_open]
    opened = {h.number: day_of(min(e.at for e in h.events if e.field == "stage")) for h in histories}
    mirror, health = mirror_of(histories), Health(AsOf(on, known), chosen)
    expected: dict[int, list[int]] = {}
    for state in states:
        place = sum((on - opened[state.deal]).days > limit for limit in AGES)
        at = expected.setdefault(place, [0, 0])
        at[0] += 1
        at[1] += state.value(on)
    assert {row.age: [row.count, row.value] for row in mirror.rows(ages(mirror.facts, health))} == expected
    for place, numbers in expected.items():
        selection = Selection(f"aged:{place}", None, chosen, as_of=health.as_of)
        assert list(mirror.rows(past_deals.total(mirror.facts, selection))[0]) == numbers
    row = mirror.rows(concentration(mirror.facts, health))[0]
    values = sorted((s.value(on) for s in states), reverse=True)
    customers = {s.deal % 3 for s in states}
    assert (row.total, row.deals_value) == (sum(values), sum(values[:10]))
    assert (row.deals_count, row.customers_count) == (min(len(values), 10), len(values))
    assert row.customers_value == sum(values), f"{len(customers)} customers are fewer than ten"


@quickly
@given(some_histories(), readings, filters)
def test_a_stages_outcomes_are_those_of_the_decided_deals_that_stood_in_it(histories, known, narrowed):
    chosen, reps = narrowed
    on, period = FIRST + timedelta(days=DAYS), Period(date(2026, 1, 10), date(2026, 3, 20))
    states = Oracle(histories).states(on, then=known == "then", reps=reps)
    stood = {h.number: {e.value for e in h.events if e.field == "stage"} for h in histories}
    mirror, health = mirror_of(histories), Health(AsOf(on, known), chosen, period)
    for row in mirror.rows(outcomes(mirror.facts, health, pipeline_id=1)):
        found = [
            s for s in states.values()
            if s.closed_on is not None and s.closed_on in period and row.stage_key in stood[s.deal]
        ]  # fmt: skip
        assert (row.decided, row.won) == (len(found), sum(s.kind == "won" for s in found))
        selection = Selection(f"stood:{row.stage_key}", period, chosen, as_of=health.as_of)
        total = mirror.rows(past_deals.total(mirror.facts, selection))[0]
        assert tuple(total) == (len(found), sum(s.value(on) for s in found))


def test_brier_is_the_mean_squared_distance_and_a_verdict_needs_ten():
    stages = [Calibration(0.5, 4, 1), Calibration(0.25, 40, 30)]
    assert brier(stages) == (1 * 0.25 + 3 * 0.25 + 30 * 0.5625 + 10 * 0.0625) / 44
    assert [stage.verdict for stage in stages] == ["too_few", "low"]
    assert Calibration(0.75, 40, 30).verdict == "fits"
    assert Calibration(0.95, 40, 30).verdict == "high"
    assert isnan(brier([]))
    assert velocity(open_count=100, win_rate=0.25, average_deal=1000.0, cycle_days=50.0) == 500.0
