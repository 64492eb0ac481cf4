"""The sentence above the funnel says what the tests of the steps found, and no more; its figures hold their data."""

from __future__ import annotations

from math import nan

import pandas as pd
import pytest

from core.charts.funnel_flow import flow
from core.charts.funnel_months import cohort_months, standing
from core.charts.funnel_stays import time_in_stage
from core.charts.funnel_steps import step_differences, step_trend
from core.charts.theme import look
from core.i18n import speaking, use_language
from core.ui.screens.funnel_words import finding, joined, p_figure, p_said

DAYS = pd.Timestamp("2026-04-01").date(), pd.Timestamp("2026-07-01").date()


def step(stage="Needs", following="Demo", **more):
    values = {
        "stage_key": "3", "stage": stage, "next_stage": following, "entered": 200, "went_on": 96, "rate": 0.48,
        "entered_before": 200, "went_on_before": 124, "rate_before": 0.62, "difference": -0.14, "low": -0.234,
        "high": -0.042, "p_value": 0.005, "p_adjusted": 0.024, "is_change": True, "detectable": 0.17,
        "deals_a_quarter": -21.0, "value_a_quarter": -1_200_000.0, "start": DAYS[0], "end": DAYS[1],
        "start_before": pd.Timestamp("2026-01-01").date(), "end_before": DAYS[0],
    }  # fmt: skip
    return values | more


def said(*steps, **more):
    return finding(pd.DataFrame(steps), days=30, currency="CNY", **more)


def test_a_fall_is_said_with_what_it_is_worth():
    found = said(step(), step("Demo", "Quote", is_change=False, p_adjusted=0.4, stage_key="4"))
    fell = "Needs → Demo fell from 62% (Jan 1, 2026 to Mar 31, 2026) to 48% within 30 days: about 21 deals"
    assert found.sentence == f"{fell} or ¥1.2M a quarter."
    assert found.below.startswith("Difference -14.0 pp (95% interval -23.4 pp to -4.2 pp); p = 0.024")
    assert found.step["stage_key"] == "3"
    unknown = said(step(value_a_quarter=nan))
    assert unknown.sentence == f"{fell} a quarter."
    use_language("zh")
    chinese = said(step("需求分析", "方案演示")).sentence
    assert chinese.startswith("需求分析 → 方案演示的 30 天内转化率从 62%（2026年1月1日至2026年3月31日）降到 48%：")
    assert chinese.endswith("每季度约少 21 个商机、¥120万。")


def test_the_costliest_fall_comes_first_whatever_rose():
    small = step("Lead", "Contact", stage_key="1", deals_a_quarter=-90.0, value_a_quarter=-10_000.0)
    rise = step("Demo", "Quote", stage_key="4", difference=0.3, value_a_quarter=9e9, deals_a_quarter=50.0)
    assert said(small, rise, step()).step["stage_key"] == "3"
    alone = said(rise)
    assert "rose from 62% (Jan 1, 2026 to Mar 31, 2026) to 48% within 30 days" in alone.sentence
    assert alone.below.startswith("No step fell.")


def test_no_evidence_is_an_answer_and_names_what_would_have_been_seen():
    found = said(step(is_change=False, p_value=0.03, p_adjusted=0.15))
    assert found.sentence == "Not enough evidence that any step changed against the period before."
    assert found.step is None
    assert "p = 0.15" in found.below
    assert "a fall of 17.0 pp or more would be found four times in five" in found.below
    group = said(step(is_change=False, p_adjusted=0.15), group="West")
    assert group.sentence == "Not enough evidence that West differs from the rest in any step."


@pytest.mark.parametrize(
    ("p", "figure", "said"),
    [
        (0.0, "< 0.001", "p < 0.001"),
        (0.00099, "< 0.001", "p < 0.001"),
        (0.0241, "0.024", "p = 0.024"),
        (nan, "–", "p = –"),
    ],
)
def test_a_p_value_too_small_for_its_digits_is_not_nought(p, figure, said):
    use_language("en")
    assert (p_figure(p), p_said(p)) == (figure, said)
    assert p_figure(nan) == "–"


@pytest.mark.parametrize(
    ("end", "words"), [(DAYS[0], "Too young to compare"), (DAYS[1], "Too few deals to compare the steps.")]
)
def test_too_young_and_too_few_are_told_apart(end, words):
    assert said(step(p_value=nan, p_adjusted=nan, is_change=False, end=end)).sentence.startswith(words)
    assert finding(pd.DataFrame(), days=30, currency="CNY").sentence.startswith("Too young")


def links():
    rows = [("0", "", 0, "1", "Lead", 1, "entered", 9), ("1", "Lead", 1, "2", "Needs", 2, "forward", 6),
            ("2", "Needs", 2, "1", "Lead", 1, "back", 2), ("1", "Lead", 1, "7", "Lost", 7, "lost", 3)]  # fmt: skip
    names = ["from_key", "from_stage", "from_position", "to_key", "to_stage", "to_position", "kind", "deals"]
    return pd.DataFrame(rows, columns=names).assign(moves=lambda f: f["deals"], value=1000.0)


def test_each_ribbon_of_the_flow_can_be_clicked_and_is_as_thick_as_its_deals():
    figure = flow(links(), dark=False)
    marks = next(trace for trace in figure.data if trace.customdata is not None)
    assert {tuple(pair) for pair in marks.customdata} == {("0", "1"), ("1", "2"), ("2", "1"), ("1", "7")}
    thick = {trace.name: trace.y[0] - trace.y[-1] for trace in figure.data if trace.fill == "toself"}
    assert thick["Forward"] == pytest.approx(3 * thick["Fell back"]) == pytest.approx(2 * thick["Lost"])
    assert {"<b>9</b>" in note.text for note in figure.layout.annotations} == {True, False}


def test_a_stages_name_stands_whole_beside_the_flow_in_two_lines_where_one_is_too_short():
    long = links().replace("Lead", "Quote and negotiation")
    texts = [note.text for note in flow(long, dark=False).layout.annotations]
    assert "<b>9</b> Quote and<br>negotiation" in texts
    assert "<b>3</b> Lost" in texts


def test_what_is_not_reached_yet_is_said_so_and_no_stay_is_a_dash():
    frame = pd.DataFrame({
        "stage_key": ["1", "2", "3"], "stage": ["A", "B", "C"], "median_days": [4.0, nan, nan],
        "p90_days": [nan, nan, nan], "expected_days": [7.0, 7.0, nan], "stays": [5, 3, 0],
        "ended_median_days": [3.0, 2.0, nan], "ended_p90_days": [6.0, 2.5, nan],
    })  # fmt: skip
    texts = [note.text for note in time_in_stage(frame, dark=False).layout.annotations]
    assert "<b>4 days</b> · 9 in 10: not reached yet" in texts
    assert "<b>not reached yet</b>" in texts
    assert "–" in texts


def test_only_proven_changes_are_coloured():
    frame = pd.DataFrame([step(), step(stage_key="4", is_change=False), step(stage_key="5", difference=nan)])
    figure = step_differences(frame, dark=False, now="now", before="before")
    dots = [trace for trace in figure.data if trace.type == "scatter"]
    said = {trace.name: (trace.customdata[0][0], trace.marker.color) for trace in dots}
    assert {name: key for name, (key, _colour) in said.items()} == {"Fell": "3", "Not enough evidence": "4"}
    assert said["Fell"][1] == look(dark=False).lost
    assert figure.layout.showlegend
    assert {"-20.0 pp", "0", "+20.0 pp"} <= set(figure.layout.xaxis.ticktext)


def test_empty_frames_give_a_calm_sentence():
    for figure in (
        flow(links().head(0), dark=True), step_trend(pd.DataFrame(), dark=True),
        cohort_months(pd.DataFrame(), dark=True), standing(pd.DataFrame(), dark=True),
    ):  # fmt: skip
        assert "No data in this period" in [note.text for note in figure.layout.annotations]


def test_sentences_follow_each_other_with_the_space_that_their_script_has():
    assert joined("One.", "", "Two.") == "One. Two."
    assert joined("一。", "二。") == "一。二。"
    with speaking("zh"):
        for found in (said(step(is_change=False, p_adjusted=0.4)), said(step(difference=0.14, p_adjusted=0.01))):
            assert "。" in found.below[:-1]
            assert "。 " not in found.below


def test_a_group_is_compared_with_the_rest_and_not_with_a_time_before():
    """Neither the sentence nor the chart speaks of a change: both sides are of one period."""
    unproven = said(step(is_change=False, p_adjusted=0.15), group="West")
    assert unproven.below.startswith("Closest to it: Needs → Demo, 48.0% and elsewhere 62.0% (p = 0.150")
    assert "a difference of 17.0 pp or more" in unproven.below
    higher = said(step(difference=0.14, low=0.042, high=0.234, deals_a_quarter=21.0), group="West")
    assert higher.below.startswith("It is lower in no step.")
    frame = pd.DataFrame([step(), step(difference=0.1, stage_key="4"), step(is_change=False, stage_key="5")])
    for beside, words in ((True, ["Lower", "Higher"]), (False, ["Fell", "Rose"])):
        figure = step_differences(frame, dark=False, now="West", before="The rest", beside=beside)
        named = [trace.name for trace in figure.data if trace.name]
        assert named == [*words, "Not enough evidence"]
        assert ("Change" in figure.layout.title.text) is not beside
