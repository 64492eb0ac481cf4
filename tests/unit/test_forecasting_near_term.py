"""The near term: chances learned from replayed days, and the gate that leaves the pipeline out."""

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from core.forecasting.flow import Flow
from core.forecasting.near_term import NearTerm, gates, level, near_term
from core.forecasting.pipeline import KAPPA, WEEKS, Learned, Replay
from core.forecasting.season import calendar_columns, season_index

LAST = date(2026, 11, 22)
START = LAST - timedelta(days=7 * 90)


def stays(*rows: tuple) -> pd.DataFrame:
    """deal, stage, from, until, kind, value, probability, due."""
    made = []
    for deal, stage, since, until, kind, value, probability, due in rows:
        made.append(
            {
                "deal": deal, "stage": stage, "from_on": since, "until_on": until, "is_open": kind == "open",
                "is_won": kind == "won", "value": float(value), "probability": probability, "expected_close_on": due,
            }
        )  # fmt: skip
    frame = pd.DataFrame(made)
    for name in ("from_on", "until_on", "expected_close_on"):
        frame[name] = frame[name].to_numpy().astype("datetime64[D]").astype("datetime64[s]")
    return frame


FOREVER = date(2200, 1, 1)


def company(seed: int = 1, telling: bool = True) -> pd.DataFrame:
    """Deals that open each day, wait about four weeks and are won or lost; `telling`: by their stage."""
    random = np.random.default_rng(seed)
    rows = []
    for deal in range(1_800):
        opened = START + timedelta(days=int(random.integers(-60, 625)))
        good = random.random() < 0.5
        stage = 2 if good == telling or (not telling and random.random() < 0.5) else 1
        chance = (0.9 if good else 0.1) if telling else 0.5
        closed = opened + timedelta(days=int(random.integers(14, 42)))
        won = random.random() < chance
        value = 100 * float(np.exp(random.normal(0, 0.3)))
        due = opened + timedelta(days=30)
        if closed <= LAST:
            rows += [
                (deal, stage, opened, closed, "open", value, 0.5, due),
                (deal, 3, closed, FOREVER, "won" if won else "lost", value, 1.0 * won, due),
            ]
        elif opened <= LAST:
            rows.append((deal, stage, opened, FOREVER, "open", value, 0.5, due))
    return stays(*rows)


def test_a_snapshot_holds_the_deals_that_were_open_at_the_end_of_its_day():
    day = LAST - timedelta(days=14)
    frame = stays(
        (1, 1, LAST - timedelta(days=30), day, "open", 10, 0.2, LAST),
        (1, 1, day, LAST, "open", 12, 0.2, LAST),
        (1, 2, LAST, FOREVER, "won", 12, 1.0, LAST),
        (2, 1, day + timedelta(days=1), FOREVER, "open", 5, 0.2, LAST),
    )
    replay = Replay(frame, LAST)
    held = [
        [snapshot, *row]
        for snapshot in range(len(replay.days))
        for row in replay.open_at(snapshot)[["deal", "age", "value"]].to_numpy().tolist()
    ]
    last = len(replay.days) - 1
    assert held == [
        [last - 4, 1, 2, 10], [last - 3, 1, 9, 10], [last - 2, 1, 16, 12], [last - 1, 1, 23, 12],
        [last - 1, 2, 6, 5], [last, 2, 13, 5],
    ]  # fmt: skip
    assert replay.booked.tolist() == [0, 0, 0, 0, 12]


def test_the_chance_of_a_stage_is_its_share_shrunk_to_all():
    week = timedelta(days=7)
    frame = stays(
        (1, 1, LAST - 2 * week, LAST - week, "open", 10, 0.5, LAST),
        (1, 3, LAST - week, FOREVER, "won", 20, 1.0, LAST),
        (2, 1, LAST - 2 * week, FOREVER, "open", 10, 0.5, LAST),
        (3, 2, LAST - 2 * week, FOREVER, "open", 10, 0.5, LAST),
    )
    learned = Learned(Replay(frame, LAST))
    origin = len(learned.replay.days) - 1
    # ripe for week 1: snapshots 0 and 1 held 3 and 2 open deals, of which one was won a week later
    overall = 1 / 5
    stage = (1 + KAPPA * overall) / (3 + KAPPA)
    cell = (1 + KAPPA * stage) / (2 + KAPPA)  # fresh ones: two, a week later none is
    assert learned.chances(origin)[0, 0] == pytest.approx(cell)
    assert learned.value_ratio(origin) == 1.5  # 20 for 10, held within bounds
    assert learned.new_share(origin)[0] == 0.0


def test_nothing_known_later_changes_what_was_said_then():
    frame = company()
    whole = near_term(frame, last=LAST)
    assert whole is not None
    cut = LAST - timedelta(days=28)
    earlier = frame[frame["from_on"] <= pd.Timestamp(cut)].copy()
    gone = earlier["until_on"] > pd.Timestamp(cut)
    earlier.loc[gone, "until_on"] = pd.Timestamp(FOREVER)
    then = near_term(earlier, last=cut)
    assert then is not None
    said = whole.past[whole.past["origin"] == whole.past["origin"].max() - 3].set_index("week")
    for name in ("forecast", "pipeline", "series", "weighted", "open", "new_share", "weight"):
        assert said[name].to_numpy() == pytest.approx(then.at(name)[:4])


def test_stages_that_tell_better_beat_the_bookings_alone_and_the_weighted_pipeline():
    found = near_term(company(), last=LAST)
    assert found is not None
    assert found.helps
    assert found.off("forecast") <= found.off("series")
    assert found.off("forecast") < found.off("weighted")


def test_a_pipeline_that_does_not_help_is_left_out():
    random = np.random.default_rng(3)
    actual = random.normal(100, 10, (40, WEEKS))
    series, wild = np.full((40, WEEKS), 100.0), random.normal(100, 80, (40, WEEKS))
    assert not gates(wild, series, actual)[39].any()
    assert gates(actual, series, actual)[39].tolist() == [1.0] * WEEKS
    assert not gates(actual, series, actual)[1].any()


def test_a_gate_knows_only_what_had_come_true_by_its_day():
    random = np.random.default_rng(3)
    actual = random.normal(100, 10, (40, WEEKS))
    series, pipeline = np.full((40, WEEKS), 100.0), actual + random.normal(0, 12, (40, WEEKS))
    then = gates(pipeline, series, actual)[30]
    known = np.arange(40)[:, None] + np.arange(1, WEEKS + 1) <= 30
    assert gates(pipeline, series, np.where(known, actual, np.nan))[30].tolist() == then.tolist()
    assert then.any()


def test_too_little_history_says_nothing():
    assert near_term(stays((1, 1, LAST, FOREVER, "open", 5, 0.5, LAST)), last=LAST) is None
    assert near_term(company().iloc[:0], last=LAST) is None


def test_days_to_come_count_a_week_begun_by_its_days():
    found = near_term(company(), last=LAST)
    assert found is not None
    weeks = found.at("weighted")
    assert found.weighted_over(10) == pytest.approx(weeks[0] + weeks[1] * 3 / 7)
    assert level(np.full(20, 7.0)).tolist() == pytest.approx([7.0] * WEEKS)


def test_what_is_kept_as_json_says_the_same():
    found = near_term(company(), last=LAST)
    assert found is not None
    kept = NearTerm.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False)))
    assert kept.forecast == pytest.approx(found.forecast)
    assert kept.past["actual"].to_numpy() == pytest.approx(found.past["actual"].to_numpy())
    assert kept.off("forecast") == pytest.approx(found.off("forecast"))
    assert (kept.last, kept.season) == (found.last, found.season)


def test_a_december_twice_the_usual_is_expected_again_and_noise_is_not():
    until = _numbers(date(2023, 1, 8), 200)
    columns = calendar_columns(until)
    december = np.array([share == 1 for share in columns[:, 11]])
    booked = np.where(december, 200.0, 100.0)
    index = season_index(booked[:187], columns)
    late = np.flatnonzero(december & (np.arange(200) >= 187 - 52))
    assert index[late].mean() > 1.5 * index[~december].mean()
    flat = season_index(np.full(187, 100.0), columns)
    assert flat == pytest.approx(np.ones(200))
    assert season_index(booked[:40], columns).tolist() == [1.0] * 200  # less than a year says nothing


def _numbers(first: date, weeks: int) -> np.ndarray:
    return int(np.datetime64(first, "D").astype("int64")) + 7 * np.arange(weeks)


def test_past_misses_are_of_the_same_weeks_ahead():
    weeks = pd.DataFrame(
        [
            {"origin": origin, "week": week, "actual": 120.0 if week == 2 else 100.0, "open": 0.0, "new_share": 1.0,
             "series": 100.0, "weighted": 0.0, "weight": 1.0}
            for origin in range(10)
            for week in range(1, 5)
        ]
    )  # fmt: skip
    found = NearTerm(LAST, weeks, Flow.unknown(LAST))
    assert found.missed(1, 7) == 0.0
    assert found.missed(8, 14) == pytest.approx(0.2)
    assert found.missed(1, 14) == pytest.approx(0.1)
    assert found.missed(8, 11) == pytest.approx(0.2 * np.sqrt(7 / 4))  # half a week errs more
    assert np.isnan(found.missed(60, 91))
