"""What open deals say of the weeks ahead, asked of a company that has sold for a year."""

from datetime import timedelta

import pytest

from core import gate
from core.forecasting.near_term import NearTerm
from core.queries.near_term import carrying_deals, near_outlook
from tests.conftest import actor
from tests.factories import NOW, Company


@pytest.fixture
def selling(small_company: Company) -> Company:
    """A deal a week in the east, open for three weeks and won; one more is open now."""
    for week in range(1, 53):
        won = NOW - timedelta(days=7 * week)
        small_company.deal(owner="alice", amount=1_000, path=(("identified", won - timedelta(days=21)), ("won", won)))
    small_company.deal(owner="alice", amount=3_000, path=(("identified", NOW - timedelta(days=10)),))
    return small_company


def _ask(company: Company, who: str, question, **values):
    return gate.answer(company.database, actor(company, who), question, NOW, **values)


def test_the_weeks_ahead_are_told_and_the_deals_that_carry_them_are_named(selling):
    found = NearTerm.from_dict(_ask(selling, "leader", near_outlook))
    assert len(found.forecast) == 13
    assert found.forecast.sum() > 0
    carried = _ask(selling, "leader", carrying_deals)
    assert carried["value"].tolist() == [3_000.0]
    assert 0 < carried["chance"].iloc[0] <= 1
    assert carried["brings"].iloc[0] == pytest.approx(found.at("open").sum())


def test_the_east_is_told_nothing_of_what_the_west_has_open(selling):
    asks = [(near_outlook, {}), (carrying_deals, {})]
    before = [str(_ask(selling, "eastern rep", question, **values)) for question, values in asks]
    leader = str(_ask(selling, "leader", near_outlook))
    selling.deal(owner="charlie", amount=90_000, path=(("identified", NOW - timedelta(days=9)),))
    assert [str(_ask(selling, "eastern rep", question, **values)) for question, values in asks] == before
    assert str(_ask(selling, "leader", near_outlook)) != leader
    assert len(_ask(selling, "leader", carrying_deals)) == 2


def test_a_part_without_a_win_says_nothing(selling):
    assert _ask(selling, "western rep", near_outlook) == {}
    assert _ask(selling, "western rep", carrying_deals).empty
