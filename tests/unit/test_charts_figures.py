"""What each figure shows, says and gives back when it is clicked."""

import json
import math
from datetime import date, timedelta
from itertools import pairwise

import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from core import charts
from core.charts.expected import expected_weeks
from core.charts.figure import Figure
from core.charts.progress import changes, weekly
from core.charts.rows import add_row_bars, add_row_ticks, row_px
from core.charts.theme import sizes, text_width
from core.charts.trend import short_months
from core.i18n import LANGUAGES, _, speaking

NAN = math.nan
STAGES = ["lead", "demo", "won"]
MONTHS = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
FUNNEL = pd.DataFrame(
    {
        "stage_key": STAGES,
        "stage": ["Lead identified", "Demo", "Won"],
        "reached": [100, 60, 24],
        "value": [5e6, 3e6, 1.2e6],
        "rate_from_previous": [NAN, 0.6, 0.4],
        "rate_from_start": [NAN, 0.6, 0.24],
        "still_open": [10, 6, 0],
        "lost_here": [30, 30, 0],
    }
)
BOOKED = pd.DataFrame(
    {
        "month": MONTHS,
        "booked": [1e6, 2e6, 1.5e6],
        "previous": [9e5, NAN, 1.6e6],
        "quota": [2e6, 1e6, NAN],
        "won": [3, 5, 4],
    }
)
RANKED = pd.DataFrame({"key": [7, 3], "name": ["A <b>bold</b> name that is far too long", "B"], "value": [9e6, 5.0]})
STAYS = pd.DataFrame(
    {
        "stage_key": STAGES[:2],
        "stage": ["Lead identified", "Demo"],
        "median_days": [3.0, 12.0],
        "p90_days": [9.0, 40.0],
        "expected_days": [5.0, 10.0],
    }
)
LOST = pd.DataFrame(
    [
        {"stage_key": key, "stage": key.title(), "reason_key": f"{n}", "reason": f"Reason {n}", "count": 10 - n}
        for key in STAGES[:2]
        for n in range(9)
    ]
)
QUOTAS = pd.DataFrame(
    {
        "key": [1, 2, 3],
        "name": ["Li Wei", "Wang Fang", "Chen Jing"],
        "booked": [5e6, 2e6, 1e6],
        "quota": [4e6, 4e6, NAN],
        "attainment": [1.25, 0.5, NAN],
    }
)
PIPELINE = pd.DataFrame(
    {
        "stage_key": STAGES[:2],
        "stage": ["Lead identified", "Demo"],
        "count": [40, 1],
        "value": [3e6, 1e6],
        "weighted": [3e5, 5e5],
    }
)
GROUPS = pd.DataFrame(
    [
        {"stage_key": s, "stage": s, "group_key": g, "group": f"Team {g}", "value": 0.1 * g}
        for s in STAGES
        for g in (1, 2)
    ]
)
HISTORY = pd.DataFrame({"ds": MONTHS, "y": [1e6, 2e6, 3e6]})
BASE = pd.DataFrame(
    {
        "ds": [date(2026, 4, 1), date(2026, 5, 1)],
        "yhat": [3e6, 4e6],
        "lo": [2e6, 2.5e6],
        "hi": [4e6, 6e6],
    }
)
SCENARIO = {"R&D <b>": BASE.assign(yhat=[3.5e6, 5e6])[["ds", "yhat"]]}
TOTALS = pd.DataFrame({"key": ["base", "s1"], "name": ["Base", "More"], "value": [7e6, 8e6]})

EXPECTED = pd.DataFrame(
    {
        "week": [date(2026, 3, 30), date(2026, 4, 6), date(2026, 4, 13)],
        "value": [2e6, 0.0, NAN],
        "low": [NAN, 1e6, 1e6],
        "high": [NAN, 4e6, 4e6],
        "unusual": [False, True, False],
    }
)

FIGURES = {
    "booked_by_month": lambda **k: charts.booked_by_month(BOOKED, **k),
    "ranked_bars": lambda **k: charts.ranked_bars(RANKED, unit="money", title="T", **k),
    "grouped_bars": lambda **k: charts.grouped_bars(GROUPS, unit="rate", title="T", **k),
    "cohort_funnel": lambda **k: charts.cohort_funnel(FUNNEL, previous=FUNNEL, **k),
    "time_in_stage": lambda **k: charts.time_in_stage(STAYS, **k),
    "lost_by_stage": lambda **k: charts.lost_by_stage(LOST, **k),
    "forecast_chart": lambda **k: charts.forecast_chart(HISTORY, BASE, scenarios=SCENARIO, **k),
    "scenario_totals": lambda **k: charts.scenario_totals(TOTALS, quota=7.5e6, **k),
    "quota_bars": lambda **k: charts.quota_bars(QUOTAS, **k),
    "rep_trend": lambda **k: charts.rep_trend(BOOKED, **k),
    "by_stage": lambda **k: charts.by_stage(PIPELINE, **k),
    "expected_weeks": lambda **k: expected_weeks(EXPECTED, unit="money", title="T", **k),
}
EMPTY = {
    "booked_by_month": lambda **k: charts.booked_by_month(BOOKED[:0], **k),
    "ranked_bars": lambda **k: charts.ranked_bars(RANKED[:0], unit="money", title="T", **k),
    "grouped_bars": lambda **k: charts.grouped_bars(GROUPS[:0], unit="rate", title="T", **k),
    "cohort_funnel": lambda **k: charts.cohort_funnel(FUNNEL[:0], **k),
    "nobody entered": lambda **k: charts.cohort_funnel(FUNNEL.assign(reached=0), **k),
    "time_in_stage": lambda **k: charts.time_in_stage(STAYS[:0], **k),
    "no stay ended": lambda **k: charts.time_in_stage(STAYS.assign(median_days=NAN), **k),
    "lost_by_stage": lambda **k: charts.lost_by_stage(LOST[:0], **k),
    "forecast_chart": lambda **k: charts.forecast_chart(HISTORY[:0], BASE[:0], **k),
    "scenario_totals": lambda **k: charts.scenario_totals(TOTALS[:0], quota=1.0, **k),
    "quota_bars": lambda **k: charts.quota_bars(QUOTAS[:0], **k),
    "rep_trend": lambda **k: charts.rep_trend(BOOKED[:0], **k),
    "by_stage": lambda **k: charts.by_stage(PIPELINE[:0], **k),
    "expected_weeks": lambda **k: expected_weeks(EXPECTED[:0], unit="money", title="T", **k),
    "columnless": lambda **k: charts.booked_by_month(pd.DataFrame(columns=["month"]), **k),
}


def trace(figure: go.Figure, name: str) -> go.Bar:
    return next(t for t in figure.data if t.name == name)


def written(figure: go.Figure) -> list[str]:
    return [a.text for a in figure.layout.annotations]


@pytest.mark.parametrize("figure", [*FIGURES.values(), *EMPTY.values()], ids=[*FIGURES, *(f"no {n}" for n in EMPTY)])
def test_what_is_sent_is_what_plotly_would_send(figure):
    """Drawn without plotly's checks, and yet nothing in it that plotly does not know or would write in another way."""
    sent = figure(dark=False).to_dict()
    checked = json.loads(pio.to_json(go.Figure(sent).to_plotly_json(), validate=False))
    assert checked == sent


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_point_can_be_clicked_and_every_hover_is_ours(figure, large, code):
    with speaking(code):
        drawn, goals = figure(dark=large, large=large), {_("Quota"), _("Plan")}
    for t in drawn.data:
        if t.customdata is None:
            assert t.name in goals, "a goal counts no deals; all else opens those that it counts"
            continue
        assert len(t.customdata) == len(t.y)
        assert all(point[0] is not None for point in t.customdata)
        assert t.hoverinfo == "skip" or len(t.hovertext) == len(t.y)
    assert drawn.layout.margin.t < drawn.layout.height
    assert drawn.to_json()


@pytest.mark.parametrize("figure", EMPTY.values(), ids=EMPTY)
def test_an_empty_frame_is_a_calm_sentence_without_axes(figure):
    drawn = figure(dark=False)
    assert written(drawn) == ["No data in this period"]
    assert not drawn.data
    assert drawn.layout.xaxis.visible is drawn.layout.yaxis.visible is False


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_no_english_is_left_in_a_chinese_figure(figure):
    with speaking("zh"):
        drawn = figure(dark=False)
    names = [t.name for t in drawn.data if t.name and t.showlegend is not False]
    own = ("Team 1", "Team 2", "Reason")
    assert all(n.startswith(own) or not n.isascii() for n in names), names


def test_booked_months_keep_their_days_and_a_month_without_quota_has_no_mark():
    figure = charts.booked_by_month(BOOKED, dark=False)
    days = [["2026-01-01"], ["2026-02-01"], ["2026-03-01"]]
    assert [list(p) for p in trace(figure, "Booked").customdata] == days
    assert trace(figure, "Quota").x == ("2026-01-01", "2026-02-01")
    assert trace(figure, "Booked").hovertext == (
        "Booked ¥1M · 3 won · attainment 50.0%<br>Quota ¥2M<br>Last year ¥900K",
        "Booked ¥2M · 5 won · attainment 200.0%<br>Quota ¥1M",
        "Booked ¥1.5M · 4 won<br>Last year ¥1.6M",
    )


def middles(bars) -> dict[int, float]:
    """Return where the middle of each bar of a trace lies across, by its place, as plotly reckons it."""
    across = bars.y if bars.orientation == "h" else range(len(bars.x))
    offset = -bars.width / 2 if bars.offset is None else bars.offset
    return {at: at + offset + bars.width / 2 for at in across}


@pytest.mark.parametrize(
    "figure",
    [
        lambda: charts.ranked_bars(RANKED, unit="money", title="T", dark=False),
        lambda: charts.booked_by_month(BOOKED, dark=False),
        lambda: charts.by_stage(PIPELINE, dark=False),
        lambda: charts.quota_bars(QUOTAS, dark=False),
    ],
)
def test_bars_of_one_kind_are_rounded_alike_whatever_lies_over_them(figure):
    """Plotly rounds of the bars with one middle the longest alone."""
    drawn = [t for t in figure().data if t.type == "bar"]
    round_ones = [t for t in drawn if t.marker.cornerradius is None]
    for one in round_ones:
        for other in drawn:
            mine, theirs = middles(one), middles(other)
            assert (
                other is one
                or not any(mine[at] == theirs[at] for at in mine.keys() & theirs.keys())
                or (other.marker.cornerradius == 0 and other.width < one.width)
            )


def test_an_areas_marks_are_not_seen_in_its_legend_and_are_where_they_are_clicked():
    days = [date(2026, 6, 7), date(2026, 6, 14)]
    weeks = pd.DataFrame(
        {"week_on": days, "stage_key": "lead", "stage": "Lead identified", "count": [3, 4], "value": [1e6, 2e6]}
    )
    (area,) = weekly(weeks, dark=False).data
    assert (area.marker.opacity, area.marker.color) == (0, "rgba(0,0,0,0)")
    assert area.selected.marker.opacity > 0.5
    assert area.selected.marker.color != area.marker.color


def test_a_quota_is_a_line_in_the_legend_as_it_is_among_the_bars():
    figure = charts.booked_by_month(BOOKED, dark=False)
    (sign,) = [t for t in figure.data if t.name == "Quota" and t.showlegend is not False]
    assert (sign.type, sign.marker.symbol) == ("scatter", "line-ew")


def test_the_range_to_be_expected_is_named_beside_its_chart():
    weeks = pd.DataFrame(
        {"week": [date(2026, 6, 1), date(2026, 6, 8)], "value": [3.0, 4.0], "low": [NAN, 1.0], "high": [NAN, 6.0],
         "unusual": [False, False]}
    )  # fmt: skip
    figure = expected_weeks(weeks, unit="count", title="New deals", dark=False)
    assert figure.layout.showlegend
    assert [t.name for t in figure.data if t.showlegend is not False] == ["To be expected"]
    bare = expected_weeks(weeks.head(1), unit="count", title="New deals", dark=False)
    assert not bare.layout.showlegend


def test_a_mark_of_the_year_before_opens_that_years_month_and_a_goal_opens_nothing():
    figure = charts.booked_by_month(BOOKED, dark=False)
    earlier = [["2025-01-01"], ["2025-02-01"], ["2025-03-01"]]
    assert [list(p) for p in trace(figure, "A year earlier").customdata] == earlier
    assert trace(figure, "Quota").customdata is None


def test_booked_months_are_written_in_the_readers_words():
    figure = charts.booked_by_month(BOOKED, dark=False)
    assert figure.layout.yaxis.range[1] >= 2e6
    with speaking("zh"):
        chinese = charts.booked_by_month(BOOKED, dark=False)
    assert chinese.layout.yaxis.ticktext[-1] == "¥200万"
    assert chinese.layout.xaxis.ticktext == ("1月<br>2026", "2月", "3月")


@pytest.mark.parametrize("count", [1, 5, 12, 13, 36, 120])
def test_months_are_labelled_twelve_times_at_most_and_the_year_is_said(count):
    months = [date(2024 + i // 12, i % 12 + 1, 1) for i in range(count)]
    at, texts = short_months(months)
    assert 1 <= len(at) <= 12
    assert texts[0] == "Jan<br>2024"
    assert sum("<br>" in t for t in texts) == len({months[i].year for i in at})


@pytest.mark.parametrize("first", range(1, 13))
@pytest.mark.parametrize("count", [8, 9, 10, 12, 24])
def test_chinese_months_do_not_run_into_each_other_on_a_phone(count, first):
    months = [date(2025 + (first - 1 + i) // 12, (first - 1 + i) % 12 + 1, 1) for i in range(count)]
    with speaking("zh"):
        at, texts = short_months(months)
    wide = [text_width(text.split("<br>")[0], sizes(large=False).tick) for text in texts]
    apart = [290 / count * (right - left) for left, right in pairwise(at)]
    assert all(sum(both) / 2 + 4 < room for both, room in zip(pairwise(wide), apart, strict=True)), texts


def test_two_years_do_not_stand_side_by_side_under_the_axis():
    assert short_months([date(2025, 12, 1), date(2026, 1, 1)])[1] == ["Dec", "Jan<br>2026"]


def test_a_long_name_beside_a_bar_takes_two_lines_and_makes_room_for_them():
    names = ["Shanghai", "Directly in National Sales", "Shanghai Yingyuan Agricultural Technology LLC"]
    frame = pd.DataFrame({"key": ["1", "2", "3"], "name": names, "value": [3.0, 2.0, 1.0]})
    figure = charts.ranked_bars(frame, unit="count", title="T", dark=False)
    short = charts.ranked_bars(frame.assign(name="Shanghai"), unit="count", title="T", dark=False)
    written = [text.replace("<br>", "|").replace("  ", "") for text in figure.layout.yaxis.ticktext]
    assert written[:2] == ["Shanghai", "Directly in National|Sales"]
    assert written[2].startswith("Shanghai Yingyuan|Agri")
    assert written[2].endswith("…")
    assert figure.layout.height > short.layout.height


def test_ranked_bars_keep_the_order_and_show_a_name_as_it_stands():
    figure = charts.ranked_bars(RANKED, unit="money", title="T", dark=False)
    assert [list(p) for p in figure.data[0].customdata] == [[7], [3]]
    assert list(figure.layout.yaxis.range) == [1.5, -0.5]
    assert figure.layout.yaxis.ticktext[0] == "A &lt;b&gt;bold&lt;/b&gt; name  <br>that is far too long  "
    assert figure.data[0].hovertext[0] == ("<b>A &lt;b&gt;bold&lt;/b&gt; name that is far too long</b><br>¥9M")
    assert [t.strip() for t in figure.data[1].text] == ["¥9M", "¥5"]


def test_a_ranking_grows_by_its_rows():
    short = RANKED.assign(name="Short")
    one, two = (charts.ranked_bars(short[:n], unit="count", title="T", dark=False).layout.height for n in (1, 2))
    assert two - one == 32


def test_the_parts_of_a_funnel_stage_add_up_to_what_reached_it():
    figure = charts.cohort_funnel(FUNNEL, dark=False)
    parts = [trace(figure, n) for n in ("Went on or won", "Still open here", "Lost here")]
    assert [sum(values) for values in zip(*(p.x for p in parts), strict=True)] == [100, 60, 24]
    assert list(parts[0].x) == [60, 24, 24]
    assert list(parts[2].base) == [70, 30, 24]
    assert [list(p) for p in parts[2].customdata] == [[s, "lost_here"] for s in STAGES]


def test_a_funnel_says_count_value_and_both_conversions():
    texts = written(charts.cohort_funnel(FUNNEL, dark=False))
    assert "<b>100 deals</b> · ¥5M" in texts
    assert "<b>40.0%</b> of the stage before · 24.0% of all" in texts
    with speaking("zh"):
        texts = written(charts.cohort_funnel(FUNNEL, dark=False))
    assert "<b>100 个商机</b> · ¥500万" in texts
    assert "上一阶段的 <b>40.0%</b> · 全部的 24.0%" in texts


def test_the_previous_period_is_drawn_to_the_same_scale():
    before = pd.DataFrame({"stage_key": ["lead", "demo"], "reached": [200, 50]})
    figure = charts.cohort_funnel(FUNNEL, previous=before, dark=False)
    assert list(trace(figure, "Previous period").x) == [200, 50, 0]
    assert list(figure.layout.xaxis.range) == [0, 200]


def test_a_stage_that_takes_longer_than_expected_has_its_own_colour_and_name():
    figure = charts.time_in_stage(STAYS, dark=False)
    assert [list(p) for p in trace(figure, "Median").customdata] == [["lead"]]
    assert [list(p) for p in trace(figure, "Above expected").customdata] == [["demo"]]
    assert list(trace(figure, "Expected").x) == [5.0, 10.0]
    assert "<b>12 days</b> · 9 in 10: 40 days" in written(figure)


def test_rare_reasons_are_put_together_and_no_lost_deal_is_left_out():
    figure = charts.lost_by_stage(LOST, dark=False)
    assert len(figure.data) == 7
    assert sum(sum(t.x) for t in figure.data) == int(LOST["count"].sum())
    assert list(trace(figure, "Other reasons").x) == [4 + 3 + 2] * 2
    assert [list(p) for p in trace(figure, "Other reasons").customdata] == [
        ["lead", ""], ["demo", ""],
    ]  # fmt: skip


def test_a_reason_has_one_colour_and_the_rare_ones_are_the_same_in_both_charts_of_losses():
    """By stage the ninth reason is the most frequent, by month the first: together they are sorted once."""
    months = LOST[LOST["stage_key"] == "lead"].assign(month=MONTHS[0])
    stages = LOST.assign(count=[n + 1 for n in range(9)] * 2)
    shown = charts.reasons_shown(months, stages)
    assert shown == ["8", "7", "6", "5", "4", "3"]
    drawn = [
        charts.lost_by_month(months, dark=False, reasons=shown),
        charts.lost_by_stage(stages, dark=False, reasons=shown),
    ]
    coloured = [{t.name: t.marker.color for t in figure.data} for figure in drawn]
    assert coloured[0] == coloured[1]
    assert [t.name for t in drawn[0].data] == [*(f"Reason {key}" for key in shown), "Other reasons"]


def test_seven_reasons_all_have_a_colour_since_one_alone_is_not_put_together():
    seven = LOST[LOST["reason_key"] < "7"]
    assert "Other reasons" not in [t.name for t in charts.lost_by_stage(seven, dark=False).data]


def test_who_met_the_quota_stands_apart_from_who_did_not_and_who_has_none():
    figure = charts.quota_bars(QUOTAS, dark=False)
    for name, key in (("Quota met", 1), ("Below quota", 2), ("No quota", 3)):
        assert [list(p) for p in trace(figure, name).customdata] == [[key]]
    assert "¥5M / ¥4M · <b>125%</b>" in written(figure)


def test_the_pipeline_says_deals_and_value_and_draws_the_weighted_inside():
    figure = charts.by_stage(PIPELINE, dark=False)
    assert "40 deals · <b>¥3M</b>" in written(figure)
    assert "1 deal · <b>¥1M</b>" in written(figure)
    wide, narrow = trace(figure, "Open value"), trace(figure, "Weighted by probability")
    assert list(narrow.x) == [3e5, 5e5]
    assert narrow.width < wide.width


def test_groups_stand_side_by_side_under_their_stage():
    figure = charts.grouped_bars(GROUPS, unit="rate", title="T", dark=False)
    first, second = figure.data
    assert [list(p) for p in second.customdata] == [[s, 2] for s in STAGES]
    assert all(a < b for a, b in zip(first.y, second.y, strict=True))
    assert first.text == ("10.0%",) * 3


def test_a_forecast_names_its_lines_and_its_band_starts_at_the_last_actual_value():
    figure = charts.forecast_chart(HISTORY, BASE, scenarios=SCENARIO, dark=False)
    assert {"<b>Base</b>", "<b>R&amp;D &lt;b&gt;</b>", "Data end"} <= set(written(figure))
    now = charts.forecast_chart(HISTORY, BASE, scenarios=SCENARIO, dark=False, today=date(2026, 3, 20))
    assert "Today" in written(now)
    assert "Data end" not in written(now)
    band = trace(figure, "80% band")
    assert (band.y[0], band.y[-1]) == (3e6, 3e6)
    assert max(band.y) == 6e6
    assert trace(figure, "Base").hovertext[0] == "Base ¥3M (¥2M to ¥4M)"
    assert list(trace(figure, "Base").customdata[0]) == ["2026-04-01", "base"]
    assert figure.layout.shapes[0].x0 == MONTHS[-1]
    assert figure.layout.yaxis.range[1] >= 6e6


def test_the_names_of_lines_that_end_together_do_not_overlap():
    same = {f"S{n}": BASE[["ds", "yhat"]] for n in range(4)}
    figure = charts.forecast_chart(HISTORY, BASE, scenarios=same, dark=False)
    heights = sorted(a.y for a in figure.layout.annotations if a.text.startswith("<b>"))
    per_px = (figure.layout.yaxis.range[1] - figure.layout.yaxis.range[0]) / (32 * 10.5)
    assert all(b - a >= 12 * per_px for a, b in pairwise(heights))


def test_a_daily_forecast_names_days_and_a_history_alone_is_drawn():
    days = [date(2026, 5, 1) + timedelta(days=n) for n in range(40)]
    figure = charts.forecast_chart(pd.DataFrame({"ds": days, "y": [5.0] * 40}), BASE[:0], unit="count", dark=False)
    assert figure.layout.xaxis.hoverformat == "%b %-d, %Y"
    assert "Today" not in written(figure)
    with speaking("zh"):
        assert charts.forecast_chart(HISTORY, BASE, dark=False).layout.xaxis.hoverformat == ("%Y年%-m月")


def test_scenarios_are_measured_against_the_quota():
    figure = charts.scenario_totals(TOTALS, quota=7.5e6, dark=False)
    assert list(trace(figure, "Quota").x) == [7.5e6, 7.5e6]
    assert [list(p) for p in trace(figure, "Total").customdata] == [["base"], ["s1"]]


CHANGES = pd.DataFrame(
    {"kind": ["start", "grew", "end"], "name": ["Start", "Grew", "End"], "count": [40, 1, 41], "value": [1e9, 1, 1e9]}
)


@pytest.mark.parametrize(
    ("drawn", "keys"),
    [
        (lambda: changes(CHANGES, dark=False), ["start", "grew", "end"]),
        (lambda: charts.ranked_bars(RANKED, unit="money", title="T", dark=False), [7, 3]),
        (lambda: charts.by_stage(PIPELINE, dark=False), STAGES[:2]),
        (lambda: charts.quota_bars(QUOTAS, dark=False), [1, 2, 3]),
    ],
)
def test_a_row_opens_from_end_to_end_however_short_its_bar(drawn, keys):
    figure = drawn()
    rows, hits = figure.layout, figure.data[-1]
    assert [point[0] for point in hits.customdata] == keys
    assert hits.base == rows.xaxis.range[0]
    assert all(hits.base + width == pytest.approx(rows.xaxis.range[1]) for width in hits.x)
    assert (hits.y[0] + hits.offset, hits.y[-1] + hits.offset + hits.width) == pytest.approx(rows.yaxis.range[::-1])


def test_row_bars_pick_the_rows_that_they_are_asked_for_and_a_tick_stands_a_little_above_its_bar():
    """A part of the rows keeps its own places, keys and texts; a bar without a name is in no legend."""
    figure, s = Figure(), sizes(large=False)
    keys, tips = [["a"], ["b"], ["c"]], ["1", "2", "3"]
    add_row_bars(figure, [10, 20, 30], s=s, color=["red", "blue", "green"], keys=keys, tips=tips, rows=[0, 2])
    add_row_ticks(figure, [5, 6, 7], s=s, color="black", keys=keys, tips=tips, name="Quota")
    bar, tick = figure.traces
    assert (bar["x"], bar["y"], bar["customdata"], bar["hovertext"]) == ([10, 30], [0, 2], [["a"], ["c"]], ["1", "3"])
    assert (bar["marker"]["color"], bar["showlegend"]) == (["red", "green"], False)
    assert bar["width"] * row_px(s) == pytest.approx(s.bar)
    assert tick["marker"]["size"] * 1.4 == pytest.approx(s.bar + 6)
    assert tick["name"] == "Quota"
