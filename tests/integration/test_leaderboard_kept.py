"""What leaderboards keep of a state of the data: for whom, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pandas as pd
import pytest

from core import gate
from core.access.board_sight import BoardSight
from core.analytics.filters import Filters
from core.db.mirror import ScopedMirror
from core.domain.periods import Period
from core.i18n import language, use_language
from core.queries import leaderboard_kept
from core.queries.leaderboard import leaderboard
from core.queries.leaderboard_fair import fair_leaderboard
from core.services.company import change_settings
from tests.conftest import actor
from tests.factories import NOW, Company

Q3 = Period(date(2026, 7, 1), date(2026, 10, 1))
DAY = timedelta(days=1)
PEOPLE = ("leader", "eastern manager", "eastern rep")


def won(make: Company, rep: str, amount: int) -> None:
    make.deal(owner=rep, amount=amount, path=(("identified", NOW - 7 * DAY), ("won", NOW - 3 * DAY)))
    make.database.mirror.refresh()


@pytest.fixture
def make(company: Company) -> Company:
    for rep, amount in (("alice", 30_000), ("bob", 10_000), ("charlie", 40_000)):
        won(company, rep, amount)
    return company


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that the mirror was asked."""
    found: list[str] = []
    columns = ScopedMirror.columns

    def counting(mirror: ScopedMirror, statement: object) -> object:
        found.append(str(statement))
        return columns(mirror, statement)  # type: ignore[arg-type]

    monkeypatch.setattr(ScopedMirror, "columns", counting)
    return found


@pytest.fixture(autouse=True)
def _speaking() -> Iterator[None]:
    before = language()
    yield
    use_language(before)


def board(make: Company, who: str = "leader", **values: object) -> pd.DataFrame:
    asked: dict[str, object] = {"period": Q3, **values}
    return gate.answer(make.database, actor(make, who), fair_leaderboard, NOW, **asked)  # type: ignore[arg-type]


def test_another_measure_of_the_same_people_and_days_asks_the_data_nothing(make: Company, asked: list[str]) -> None:
    board(make)
    assert asked
    asked.clear()

    found = board(make, measure="won_count", adjust=("splits", "range"))

    assert asked == []
    assert found["won_count"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("splits", [False, True])
def test_all_of_an_answer_is_of_one_state(make: Company, monkeypatch: pytest.MonkeyPatch, splits: bool) -> None:
    """A deal that is won between two statements is wholly in the answer, or not at all."""
    leaderboard_kept._made.clear()
    columns, versions = ScopedMirror.columns, set()

    def meanwhile(mirror: ScopedMirror, statement: object) -> object:
        versions.add(mirror.version)
        found = columns(mirror, statement)  # type: ignore[arg-type]
        if len(versions) == 1:
            won(make, "bob", 5_000)
        return found

    monkeypatch.setattr(ScopedMirror, "columns", meanwhile)

    found = board(make, adjust=("splits",) if splits else ()).set_index("name")

    assert len(versions) == 1
    assert (found["booked"] / found["won_count"]).tolist() == found["average_deal"].tolist()


def test_a_deal_that_is_won_counts_at_once(make: Company) -> None:
    before = board(make).set_index("name")["booked"]
    won(make, "bob", 5_000)

    assert (board(make).set_index("name")["booked"] - before).to_dict() == {"Alice": 0, "Bob": 5_000, "Charlie": 0}


def test_other_days_filters_and_words_have_their_own(make: Company) -> None:
    august = Period(date(2026, 8, 1), date(2026, 9, 1))
    of_bob = Filters(rep_ids=(make.reps["bob"],))

    def booked(period: Period, filters: Filters) -> float:
        return float(board(make, period=period, filters=filters)["booked"].sum())

    found = [booked(period, filters) for period in (Q3, august) for filters in (Filters(), of_bob)]
    teams = []
    for code in ("en", "zh"):
        use_language(code)
        teams.append({*board(make)["team"]})

    assert found == [80_000, 10_000, 0, 0]
    assert teams == [{"East", "West"}, {"东区", "西区"}]


@pytest.mark.parametrize("sight", [*BoardSight])
def test_nobody_is_shown_what_was_kept_for_somebody_else(make: Company, sight: BoardSight) -> None:
    gate.perform(make.database, actor(make, "administrator"), change_settings, NOW, values={"board_sight": sight.value})
    make.database.mirror.refresh()
    questions = (fair_leaderboard, leaderboard)
    alone = {}
    for who in PEOPLE:
        for question in questions:
            leaderboard_kept._made.clear()
            alone[who, question] = gate.answer(make.database, actor(make, who), question, NOW, period=Q3)

    for who in (*PEOPLE, *reversed(PEOPLE)):
        for question in questions:
            found = gate.answer(make.database, actor(make, who), question, NOW, period=Q3)
            pd.testing.assert_frame_equal(found, alone[who, question])


def test_few_states_are_kept(make: Company) -> None:
    leaderboard_kept._made.clear()
    for days in range(1, 3 * leaderboard_kept.KEPT):
        board(make, period=Period(date(2026, 7, 1), date(2026, 7, 1) + days * DAY))

    (kept,) = leaderboard_kept._made.values()
    assert len(kept) == leaderboard_kept.KEPT
