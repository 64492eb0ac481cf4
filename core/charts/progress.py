"""The pipeline over time: from one day to another as a waterfall, and week by week as stacked areas."""

from datetime import date

import pandas as pd

from core.charts.figure import Figure
from core.charts.remembered import remembered
from core.charts.rows import add_row_bars, add_row_hits, lay_rows
from core.charts.theme import Look, look, money_axis, nothing, plain, say, sizes, style
from core.charts.trend import short_months
from core.i18n import _, _n, format_date

_TOTALS = ("start", "end")
_CLEAR = "rgba(0,0,0,0)"


def _colour(kind: str, c: Look) -> str:
    match kind:
        case "start" | "end":
            return c.series[0]
        case "entered" | "reopened" | "slipped_in" | "handed_in" | "grew":
            return c.open
        case "won":
            return c.won
        case "lost":
            return c.lost
    return c.previous


@remembered
def changes(
    frame: pd.DataFrame,
    *,
    dark: bool,
    large: bool = False,
    currency: str = "CNY",
    title: str | None = None,
    subtitle: str | None = None,
) -> Figure:
    """Return a waterfall of rows: each bar begins where the one above it ended.

    frame, first the start and last the end: kind, name str, count int, value float in major units, signed.
    customdata: kind.
    """
    title = title or _("What changed in the pipeline")
    if frame.empty or int(frame["count"].sum()) == 0:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    rows = list(frame.itertuples())
    base, length, level = [], [], 0.0
    for row in rows:
        value = float(str(row.value))
        if row.kind in _TOTALS:
            base.append(0.0)
            level = value
        else:
            base.append(min(level, level + value))
            level += value
        length.append(abs(value))
    names = [str(row.name) for row in rows]
    counts = [_n("{n} deal", "{n} deals", int(str(row.count))) for row in rows]
    money = [
        ("" if row.kind in _TOTALS or float(str(row.value)) < 0 else "+")
        + say(float(str(row.value)), "money", currency)
        for row in rows
    ]
    figure = Figure()
    figures = [f"{n} · <b>{m}</b>" for n, m in zip(counts, money, strict=True)]
    height = lay_rows(figure, names, figures, c=c, s=s)
    keys = [[row.kind] for row in rows]
    tips = [f"<b>{plain(n)}</b><br>{d} · {m}" for n, d, m in zip(names, counts, money, strict=True)]
    colours = [_colour(str(row.kind), c) for row in rows]
    add_row_bars(figure, length, s=s, base=base, color=colours, keys=keys, tips=tips)
    top = max((b + n for b, n in zip(base, length, strict=True)), default=1.0)
    figure.update_xaxes(range=[min(0.0, *base), top or 1.0])
    add_row_hits(figure, keys, tips, c=c)
    return style(figure, title=title, subtitle=subtitle, dark=dark, height=height, large=large)


@remembered
def weekly(
    frame: pd.DataFrame,
    *,
    dark: bool,
    large: bool = False,
    currency: str = "CNY",
    title: str | None = None,
    subtitle: str | None = None,
) -> Figure:
    """Return stacked areas, the first stage at the bottom.

    frame, weeks and stages in order: week_on date, stage_key, stage str, count int, value float in major units.
    customdata: stage_key, the week's last day in ISO form.
    """
    title = title or _("Pipeline at each week's end")
    if frame.empty or int(frame["count"].sum()) == 0:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    weeks = [_day(day) for day in frame["week_on"].drop_duplicates()]
    totals = frame.groupby("week_on", sort=False)["value"].sum().to_list()
    figure = Figure()
    for number, key in enumerate(frame["stage_key"].drop_duplicates()):
        part = frame[frame["stage_key"] == key]
        name = str(part["stage"].iloc[0])
        colour = c.series[number % len(c.series)]
        tips = [
            "<br>".join(
                (
                    f"<b>{plain(name)}</b> {format_date(week)}",
                    _n("{n} deal", "{n} deals", int(n)) + f" · {say(float(v), 'money', currency)}",
                    _("All stages {amount}", amount=say(float(whole), "money", currency)),
                )
            )
            for week, n, v, whole in zip(weeks, part["count"], part["value"], totals, strict=True)
        ]
        figure.add_scatter(
            x=list(range(len(weeks))),
            y=[float(v) for v in part["value"]],
            mode="lines+markers",
            stackgroup="pipeline",
            name=plain(name),
            line={"width": 0.5, "color": colour},
            fillcolor=colour,
            marker={"size": 9, "opacity": 0, "color": _CLEAR},  # a legend shows a fifth of a mark of no opacity
            selected={"marker": {"opacity": 0.9, "color": c.ink}},
            unselected={"marker": {"opacity": 0}},
            customdata=[[key, week.isoformat()] for week in weeks],
            hovertext=tips,
            hoverinfo="text",
        )
    at, texts = _months(weeks)
    figure.update_xaxes(tickmode="array", tickvals=at, ticktext=texts, showgrid=False, range=[-0.7, len(weeks) - 0.3])
    figure.update_yaxes(**money_axis(max(float(v) for v in totals), currency=currency))
    return style(figure, title=title, subtitle=subtitle, dark=dark, large=large, height=round(s.row * 9.5))


@remembered
def calibration(
    frame: pd.DataFrame, *, dark: bool, large: bool = False, title: str | None = None, subtitle: str | None = None
) -> Figure:
    """Return each stage's probability as a mark over the observed win rate and its interval.

    frame, in the order of the process: stage_key, stage str; probability, observed, low, high float in [0, 1], NaN
    where nothing was decided; decided int. customdata: stage_key.
    """
    title = title or _("Do the probabilities come true?")
    if frame.empty or int(frame["decided"].sum()) == 0:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    rows = list(range(len(frame)))
    keys = [[key] for key in frame["stage_key"]]
    stated, seen = ([say(float(v), "rate") for v in frame[name]] for name in ("probability", "observed"))
    tips = [
        "<br>".join(
            (
                f"<b>{plain(str(row.stage))}</b>",
                _("Stated {rate}", rate=told),
                _("Observed {rate} of {n}", rate=found, n=_n("{n} deal", "{n} deals", int(str(row.decided)))),
                _(
                    "95% interval {low} to {high}",
                    low=say(float(str(row.low)), "rate"),
                    high=say(float(str(row.high)), "rate"),
                ),
            )
        )
        for row, told, found in zip(frame.itertuples(), stated, seen, strict=True)
    ]
    figure = Figure()
    figures = [f"{told} → <b>{found}</b>" for told, found in zip(stated, seen, strict=True)]
    height = lay_rows(figure, [str(name) for name in frame["stage"]], figures, c=c, s=s)
    shared = {"y": rows, "customdata": keys, "hovertext": tips, "hoverinfo": "text"}
    add_row_bars(
        figure, (frame["high"] - frame["low"]).to_list(), s=s, base=frame["low"].to_list(), color=c.pale, keys=keys,
        tips=tips, name=_("95% interval"), bar_px=s.bar * 0.6,
    )  # fmt: skip
    for name, column, colour, symbol in (
        (_("Observed win rate"), "observed", c.series[0], "circle"),
        (_("Stated probability"), "probability", c.series[1], "line-ns"),
    ):
        marker = {"symbol": symbol, "size": s.bar * 0.75, "color": colour, "line": {"width": 2.5, "color": colour}}
        figure.add_scatter(x=frame[column].to_list(), mode="markers", name=name, marker=marker, **shared)
    figure.update_xaxes(range=[0, 1])
    add_row_hits(figure, keys, tips, c=c)
    return style(figure, title=title, subtitle=subtitle, dark=dark, height=height, large=large)


def _day(value: object) -> date:
    day: date = pd.Timestamp(str(value)).date()
    return day


def _months(weeks: list[date]) -> tuple[list[int], list[str]]:
    """Return where months begin among the weeks (the first has the axis beside it), and what is written there."""
    starts = [at for at, week in enumerate(weeks) if at and week.month != weeks[at - 1].month]
    places, texts = short_months([weeks[at].replace(day=1) for at in starts], most=8)
    return [starts[place] for place in places], texts
