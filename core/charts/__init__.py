"""Frames in, figures out: pure functions over plotly, no Streamlit, no clock.

Every function takes `dark` and `large`, and gives each bar or point a `customdata` whose first
element is the stable key of what was drawn. Show figures with `theme=None` and `CONFIG`.
"""

from core.charts.bars import grouped_bars, ranked_bars
from core.charts.forecast import forecast_chart, scenario_totals
from core.charts.funnel import cohort_funnel
from core.charts.funnel_losses import lost_by_month, lost_by_stage, reasons_shown
from core.charts.funnel_months import cohort_months, standing
from core.charts.funnel_stays import stay_curves, time_in_stage
from core.charts.funnel_steps import step_differences, step_trend
from core.charts.leaderboard import quota_bars, rep_trend
from core.charts.pipeline import by_stage
from core.charts.theme import CONFIG, Unit, look, money_axis, nothing, style
from core.charts.trend import booked_by_month

__all__ = [
    "CONFIG",
    "Unit",
    "booked_by_month",
    "by_stage",
    "cohort_funnel",
    "cohort_months",
    "forecast_chart",
    "grouped_bars",
    "look",
    "lost_by_month",
    "lost_by_stage",
    "money_axis",
    "nothing",
    "quota_bars",
    "ranked_bars",
    "reasons_shown",
    "rep_trend",
    "scenario_totals",
    "standing",
    "stay_curves",
    "step_differences",
    "step_trend",
    "style",
    "time_in_stage",
]
