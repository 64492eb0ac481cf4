"""Attainment of people and teams, and one person's trend."""

import math

import pandas as pd

from core.charts.figure import Figure
from core.charts.remembered import remembered
from core.charts.rows import add_row_bars, add_row_hits, add_row_ticks, lay_rows
from core.charts.theme import look, nothing, plain, say, sizes, style
from core.charts.trend import booked_by_month
from core.i18n import _, format_rate


@remembered
def quota_bars(
    frame: pd.DataFrame,
    *,
    dark: bool,
    large: bool = False,
    currency: str = "CNY",
    title: str | None = None,
    subtitle: str | None = None,
) -> Figure:
    """Return a bullet a row: booked as a bar, the quota as a tick; who met it is in green.

    frame, ranked: key, name str, booked float, quota float (NaN without one), attainment float
    (1.0 is 100 %). customdata: key.
    """
    title = title or _("Booked against quota")
    if frame.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    booked = [float(v) for v in frame["booked"]]
    quota = [float(v) for v in frame["quota"]]
    rates = [float(v) for v in frame["attainment"]]
    right, tips = [], []
    for name, b, q, rate in zip(frame["name"], booked, quota, rates, strict=True):
        amount, goal = (say(v, "money", currency) for v in (b, q))
        lines = [f"<b>{plain(str(name))}</b>", _("Booked {amount}", amount=amount)]
        if math.isnan(q):
            right.append(amount)
        else:
            right.append(f"{amount} / {goal} · <b>{format_rate(rate, 0)}</b>")
            lines += [
                _("Quota {amount}", amount=goal),
                _("Attainment {rate}", rate=format_rate(rate)),
            ]
        tips.append("<br>".join(lines))
    top = max([v for v in (*booked, *quota) if not math.isnan(v)], default=1.0) or 1.0
    figure = Figure()
    height = lay_rows(figure, [str(name) for name in frame["name"]], right, c=c, s=s)
    places = list(range(len(frame)))
    keys = [[key] for key in frame["key"]]
    add_row_bars(figure, [top] * len(places), s=s, color=c.track, keys=keys, tips=None, square=True)
    owed = [not math.isnan(q) for q in quota]
    met = [o and rate >= 1 for o, rate in zip(owed, rates, strict=True)]
    for name, chosen, color in (
        (_("Quota met"), met, c.won),
        (_("Below quota"), [o and not m for o, m in zip(owed, met, strict=True)], c.series[0]),
        (_("No quota"), [not o for o in owed], c.previous),
    ):
        at = [i for i in places if chosen[i]]
        if at:
            add_row_bars(figure, booked, s=s, color=color, keys=keys, tips=tips, name=name, rows=at, square=True)
    add_row_ticks(figure, quota, s=s, color=c.quota, keys=keys, tips=tips, name=_("Quota"))
    figure.update_xaxes(range=[0, top * 1.01])
    add_row_hits(figure, keys, tips, c=c)
    figure.update_layout(barmode="overlay")
    return style(figure, title=title, subtitle=subtitle, dark=dark, height=height, large=large)


@remembered
def rep_trend(
    frame: pd.DataFrame,
    *,
    dark: bool,
    large: bool = False,
    currency: str = "CNY",
    title: str | None = None,
    subtitle: str | None = None,
) -> Figure:
    """Return one person's booked value by month against the quota, won deals in the hover text.

    frame: month date; booked, quota float (NaN without one); won int. customdata: the month's
    first day in ISO form.
    """
    return booked_by_month(
        frame,
        dark=dark,
        large=large,
        currency=currency,
        title=title or _("Booked and quota by month"),
        subtitle=subtitle,
    )
