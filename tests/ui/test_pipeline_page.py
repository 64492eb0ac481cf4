"""Pipeline's page shows the numbers that the factories' deals give: now, on past days, and between two days."""

from __future__ import annotations

from datetime import date

import pytest

from tests.factories import Company
from tests.ui.test_analysis_pages import captions, held, large, link, opened, world

_shared = (world,)  # the fixture
pytestmark = pytest.mark.usefixtures("reading_small_company")


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


def test_the_page_says_what_is_open_now_and_what_it_was(world: Company) -> None:
    app = opened(world, "pipeline", period="this-quarter", since="2026-06-30")
    assert not app.exception
    assert metrics(app)["Pipeline"] == "¥8K"
    assert metrics(app)["Booked"] == "¥11K"
    assert "Compared with the end of Jun 30, 2026." in captions(app)


def test_a_past_day_in_the_address_shows_that_day(world: Company) -> None:
    english = opened(world, "pipeline", **{"as-of": "2026-07-05", "period": "this-quarter"})
    assert not english.exception
    assert metrics(english)["Pipeline"] == "¥22K", "a, b, c and d; e was won on the 3rd"
    assert metrics(english)["Booked"] == "¥1K"
    assert "How things stood at the end of Jul 5, 2026" in english.info[0].value.replace("\\", "")
    chinese = opened(world, "pipeline", language="zh", **{"as-of": "2026-07-05", "known": "then"})
    assert "结束时的情况。按当时所知" in chinese.info[0].value


def test_a_day_that_is_not_over_is_now_and_the_page_says_so(world: Company) -> None:
    now = opened(world, "pipeline")
    assert not now.info
    for said in ("2026-07-15", "nonsense"):
        page = opened(world, "pipeline", **{"as-of": said})
        (told,) = page.info
        assert told.value.startswith("The day in this address is not over yet, or is no day")
        assert [metric.value for metric in page.metric] == [metric.value for metric in now.metric]


def test_the_waterfalls_numbers_stand_in_a_table_and_add_up(world: Company) -> None:
    app = opened(world, "pipeline", since="2026-06-30")
    app.query_params["open"] = "pipeline-changes"
    table = app.run().dataframe[0].value
    by_name = dict(zip(table["name"], table["value"], strict=True))
    assert by_name["Open at the start"] == 2_000
    assert (by_name["Entered"], by_name["Won"], by_name["Lost"]) == (21_000, -11_000, -4_000)
    assert by_name["Open at the end"] == 8_000


def test_overview_shows_the_same_past_day(world: Company) -> None:
    app = opened(world, "overview", **{"as-of": "2026-07-05", "period": "this-quarter"})
    assert not app.exception
    found = metrics(app)
    assert (found["Booked"], found["Pipeline"], found["Won deals"]) == ("¥1K", "¥22K", "1")


@pytest.mark.parametrize("since", ["week", "month", "quarter", "year", "2026-05-01", "nonsense"])
def test_every_comparison_opens(world: Company, since: str) -> None:
    app = opened(world, "pipeline", since=since, due="1")
    assert not app.exception
    assert metrics(app)["Pipeline"] == "¥8K"


def test_a_shared_pipeline_is_read_only_and_keeps_its_day(world: Company) -> None:
    app = held(link(world, "pipeline", "leader", query={"as-of": ["2026-07-05"], "period": ["this-quarter"]}))
    assert not app.error
    assert not app.button
    assert large(app)["Pipeline"] == "¥22K"


def test_without_deals_the_page_invites_to_log_one(small_company: Company) -> None:
    app = opened(small_company, "pipeline")
    assert not app.exception
    assert "There are no deals yet" in app.info[0].value


def test_relative_days_stay_before_the_day_looked_at() -> None:
    from core.ui.screens.pipeline import since_of

    end = date(2026, 3, 31)
    assert [since_of(code, end) for code in ("week", "month", "quarter", "year")] == [
        date(2026, 3, 24), date(2026, 2, 28), date(2025, 12, 31), date(2025, 3, 31),
    ]  # fmt: skip
    assert since_of("2026-05-01", end) == date(2026, 3, 30)
