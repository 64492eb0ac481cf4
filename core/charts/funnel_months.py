"""What has become of each month's cohort, and what stands in each stage now. Columns: docs/queries.md."""

import math
from datetime import date

import pandas as pd

from core.charts.figure import Figure
from core.charts.remembered import remembered
from core.charts.rows import add_row_bars, lay_rows
from core.charts.theme import look, nothing, plain, say, sizes, style, value_axis
from core.charts.trend import MONTH_MS, month_axis
from core.i18n import _, _n, format_days, format_number, format_rate


@remembered
def cohort_months(frame: pd.DataFrame, *, dark: bool, large: bool = False, title: str | None = None) -> Figure:
    """Return for each month of opening the shares won, lost and still open: the young ones are mostly open.

    frame, months in order: month date; entered, won, lost, open int. customdata: the month's first day in ISO form,
    "won", "lost" or "open".
    """
    title = title or _("How ripe each month's cohort is")
    if frame.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    months: list[date] = [stamp.date().replace(day=1) for stamp in pd.to_datetime(frame["month"])]
    days = [month.isoformat() for month in months]
    entered = [int(n) for n in frame["entered"]]
    figure = Figure()
    for state, name, color in (
        ("won", _("Won"), c.won),
        ("lost", _("Lost"), c.lost),
        ("open", _("Still open"), c.open),
    ):
        counts = [int(n) for n in frame[state]]
        figure.add_bar(
            x=days,
            y=[n / whole for n, whole in zip(counts, entered, strict=True)],
            width=0.7 * MONTH_MS,
            name=name,
            marker={"color": color, "cornerradius": 0},
            customdata=[[day, state] for day in days],
            hovertext=[
                _("{name}: {n} of {whole} ({share})", name=name, n=format_number(n), whole=format_number(whole),
                  share=format_rate(n / whole, 0))
                for n, whole in zip(counts, entered, strict=True)
            ],
            hoverinfo="x+text",
        )  # fmt: skip
    figure.update_layout(barmode="stack", margin={"b": 4})
    figure.update_xaxes(**month_axis(months, large=large))
    figure.update_yaxes(**value_axis("rate", 1.0))
    return style(figure, title=title, dark=dark, height=s.row * 7, large=large)


@remembered
def standing(
    frame: pd.DataFrame, *, dark: bool, large: bool = False, currency: str = "CNY", title: str | None = None
) -> Figure:
    """Return how many deals stand in each stage, and how many of them are rotting there.

    frame, stages in order: stage_key, stage str; count, rotting_count int; value, median_days, usual_days float.
    customdata: stage_key, "standing" or "rotting".
    """
    title = title or _("Who is where")
    if frame.empty or int(frame["count"].sum()) == 0:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    rows = frame.to_dict("records")
    names = [str(row["stage"]) for row in rows]
    told = [f"{_n('{n} deal', '{n} deals', int(r['count']))} · <b>{say(float(r['value']), 'money', currency)}</b>"
            for r in rows]  # fmt: skip
    tips = [
        "<br>".join((
            f"<b>{plain(name)}</b>",
            _("Open here: {n}", n=format_number(row["count"])),
            *([] if math.isnan(float(row["median_days"])) else (
            _("Median time in the stage so far: {days}", days=format_days(row["median_days"])),
            _("Won deals took, 9 in 10: {days}", days=format_days(row["usual_days"])),
            _("Longer than that: {n}", n=format_number(row["rotting_count"])),
            )),
        ))
        for name, row in zip(names, rows, strict=True)
    ]  # fmt: skip
    figure = Figure()
    height = lay_rows(figure, names, told, c=c, s=s)
    rotting = [int(row["rotting_count"]) for row in rows]
    fresh = [int(row["count"]) - n for row, n in zip(rows, rotting, strict=True)]
    for part, name, counts, start, color in (
        ("standing", _("Within the usual time"), fresh, [0] * len(rows), c.series[0]),
        ("rotting", _("Rotting"), rotting, fresh, c.scenario),
    ):
        if part == "rotting" and not any(rotting):
            continue
        keys = [[row["stage_key"], part] for row in rows]
        add_row_bars(figure, counts, s=s, base=start, color=color, keys=keys, tips=tips, name=name, square=True)
    figure.update_xaxes(range=[0, max(int(row["count"]) for row in rows) or 1])
    figure.update_layout(barmode="overlay")
    return style(figure, title=title, dark=dark, height=height, large=large)
