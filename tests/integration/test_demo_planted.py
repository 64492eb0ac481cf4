"""The bottleneck's test finds the change that is planted in the demo company, and none there without it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from core import gate
from core.access.actors import SYSTEM
from core.db.migrate import migrate
from core.db.work import Database
from core.domain.periods import Period, day_start
from core.queries.funnel_steps import step_changes
from core.ui.screens.funnel_words import finding
from data.demo import load_demo
from data.demo.parameters import TrueParameters

ZONE = ZoneInfo("Asia/Shanghai")
UNTIL = date(2026, 10, 31)
YEAR = Period(date(2026, 1, 1), date(2027, 1, 1))
SINCE = UNTIL - timedelta(days=TrueParameters().planted_days)
BEFORE = Period(date(2025, 4, 1), date(2025, 12, 1))


@pytest.fixture(scope="module", params=[TrueParameters(), TrueParameters(planted_effect=0.0)], ids=["planted", "even"])
def company(request, tmp_path_factory) -> Iterator[tuple[Database, bool]]:
    path: Path = tmp_path_factory.mktemp("planted") / "demo.db"
    migrate(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}", zone=ZONE)
    load_demo(database, deals=12_000, until=UNTIL, parameters=request.param)
    yield database, request.param.planted_effect != 0
    database.close()


def ask(database: Database, period: Period) -> pd.DataFrame:
    now = day_start(UNTIL + timedelta(days=1), ZONE)
    return gate.answer(database, SYSTEM, step_changes, now, period=period)


def test_this_year_against_the_last_names_the_planted_step_and_nothing_where_none_is(company) -> None:
    database, planted = company
    changes = ask(database, YEAR)
    step = changes.iloc[TrueParameters().planted_stage]
    assert (step["stage"], step["next_stage"]) == ("Needs analysis", "Demo")
    assert bool(step["is_change"]) is planted
    if planted:
        found = finding(changes, days=30, currency="CNY")
        assert found.step is not None
        assert found.step["stage_key"] == step["stage_key"]
        assert found.sentence.startswith("Needs analysis → Demo fell from ")
        assert step["high"] < 0
        assert (
            not changes[changes["is_change"] & (changes.index != TrueParameters().planted_stage)]["difference"]
            .lt(0)
            .any()
        )


def test_the_fall_is_as_large_as_the_effect_says(company) -> None:
    database, planted = company
    now, before = (
        ask(database, period).iloc[TrueParameters().planted_stage]
        for period in (Period(SINCE, UNTIL - timedelta(days=31)), BEFORE)
    )
    ratio = now["rate"] / before["rate"]
    true = TrueParameters()
    expected = true.advance_rate(2, true.planted_effect) / true.advance_rate(2) if planted else 1.0
    assert ratio == pytest.approx(expected, abs=0.07)
