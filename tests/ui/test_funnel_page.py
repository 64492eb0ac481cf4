"""Funnel's parts: each asks for its own numbers alone, keeps its state in the address, and opens its deals."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from core.ui import page
from core.ui.screens import funnel_cohort
from tests.factories import NOW, Company
from tests.ui.test_analysis_pages import bold, captions, held, link, opened

pytestmark = pytest.mark.usefixtures("reading_small_company")

DAY = timedelta(days=1)
OWN = {
    "cohort": "cohorts_by_month", "steps": "step_trend", "flow": "funnel_flow", "now": "funnel_snapshot",
    "stays": "time_in_stage", "losses": "losses_by_month",
}  # fmt: skip


@pytest.fixture
def fallen(small_company: Company) -> Company:
    """Of 40 deals of the first quarter that reached needs all went on to the demo, of 40 of the second a quarter."""
    for number in range(80):
        late = number >= 40
        start = NOW - (90 if late else 180) * DAY + (number % 40) * DAY
        start -= 30 * DAY if late else 0 * DAY
        goes = not late or number % 4 == 0
        path = (("identified", start), ("needs", start + 2 * DAY), ("demo" if goes else "lost", start + 9 * DAY))
        small_company.deal(path=path, amount=1_000, competitor="" if goes else "Rival")
    return small_company


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("part", list(OWN))
def test_each_part_opens_and_asks_for_its_own_numbers_alone(fallen: Company, part: str, language: str) -> None:
    app = opened(fallen, "funnel", period="this-year", part=part, language=language)
    assert not app.error
    asked = " ".join(app.session_state[page.ANSWERS_KEY])
    assert {name for name, query in OWN.items() if query in asked} == {part}
    assert app.get("plotly_chart")
    if language == "zh":
        latin = re.findall(r"[A-Za-z]{3,}", captions(app) + bold(app))
        assert set(latin) <= {"Kaplan", "Meier", "Holm"}


@pytest.mark.parametrize("known", ["now", "then"])
@pytest.mark.parametrize("part", list(OWN))
def test_each_part_shows_a_past_day(fallen: Company, part: str, known: str) -> None:
    how = {"period": "all", "part": part, "as-of": "2026-04-01", "known": known}
    app = opened(fallen, "funnel", **how)
    assert not app.error
    assert not app.exception
    assert "How things stood at the end of Apr 1, 2026" in app.info[0].value.replace("\\", "")
    if part == "cohort":
        assert "Of 56 deals opened in this period" in bold(app), "40 of the first quarter, 16 of the second"


def test_the_fall_is_the_first_thing_said_and_opens_who_did_not_go_on(fallen: Company) -> None:
    app = opened(fallen, "funnel", period="2026Q2")
    (headline,) = [element.value.replace("\\", "") for element in app.subheader]
    before = r"\(Jan 1, 2026 to Mar 16, 2026\)"
    fell = rf"Needs analysis → Demo fell from 100% {before} to 2\d% within 30 days: about \d+ deals a quarter."
    assert re.fullmatch(fell, headline)
    app.button(key="funnel-bottleneck").click().run()
    counted = int(re.findall(r"\d+", app.button(key="funnel-bottleneck").label)[0])
    assert f"{counted} deals, ¥{counted},000.00" in [element.value for element in app.text]


def test_a_copied_address_says_what_its_open_list_counts(fallen: Company) -> None:
    stage = fallen.stages["identified"]
    named = f"measure=reached:{stage}&from=2026-04-01&to=2026-07-01&by=size&key=0"
    app = opened(fallen, "funnel", period="2026Q2", drill=named)
    assert not app.exception
    (dialog,) = app.get("dialog")
    assert dialog.proto.dialog.title.replace("\\", "") == "Reached Lead identified: Below 10K"
    assert "Opened from Apr 1, 2026 to Jun 30, 2026" in captions(app)


def test_the_window_and_the_part_stand_in_the_address(fallen: Company) -> None:
    app = opened(fallen, "funnel", period="this-year")
    app.selectbox(key="funnel-followed").select("60").run()
    assert app.query_params["followed"] in ("60", ["60"])
    assert "each followed for 60 days" in captions(app)
    app.button_group(key="funnel-part").set_value("now").run()
    assert app.query_params["part"] in ("now", ["now"])
    assert not app.exception


def test_one_group_stands_against_the_rest(fallen: Company) -> None:
    app = opened(fallen, "funnel", period="this-year", part="steps", against="competitor", one="Rival")
    assert not app.exception
    assert "Rival: Needs analysis → Demo 0% within 30 days, elsewhere" in bold(app)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_empty_company_is_told_what_to_do(small_company: Company, language: str) -> None:
    app = opened(small_company, "funnel", language=language)
    assert len(app.info) == 1
    assert not app.get("plotly_chart")


@pytest.mark.parametrize("part", list(OWN))
def test_a_link_shows_the_part_that_was_shared(fallen: Company, part: str) -> None:
    app = held(link(fallen, "funnel", "leader", query={"part": [part], "period": ["this-year"]}))
    assert not app.error
    assert app.get("plotly_chart")
    assert not [button for button in app.button if str(button.key).startswith("funnel")]


def test_how_many_groups_are_shown_is_said_only_where_the_largest_were_taken(
    fallen: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(funnel_cohort, "_GROUPS_SHOWN", 3)
    for owner in ("bob", "charlie"):
        fallen.deal(owner=owner, path=(("identified", NOW - 40 * DAY),))
    told = "The 3 largest groups are shown."
    assert told in captions(opened(fallen, "funnel", period="all", by="rep"))
    two = [str(fallen.reps[name]) for name in ("alice", "bob")]
    assert told not in captions(opened(fallen, "funnel", period="all", by="rep", group=two))
