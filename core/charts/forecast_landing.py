"""Where the month and the quarter under way come from: booked, open deals, deals to come, and the quota."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from core.charts.figure import Figure
from core.charts.remembered import remembered
from core.charts.rows import add_row_bars, add_row_ticks, lay_rows
from core.charts.theme import look, nothing, plain, say, sizes, style
from core.i18n import _

if TYPE_CHECKING:
    import pandas as pd


@remembered
def landing_chart(
    frame: pd.DataFrame,
    *,
    dark: bool,
    large: bool = False,
    currency: str = "CNY",
    title: str | None = None,
    subtitle: str | None = None,
) -> Figure:
    """Return a bar a period of what its forecast consists of, with a mark at the quota.

    frame: name str; booked, open, new float in major units, together the forecast; quota float, NaN where none is set.
    customdata: the period's name and the part.
    """
    title = title or _("What month and quarter consist of")
    if frame.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    rows = frame.to_dict("records")
    totals = [float(row["booked"] + row["open"] + row["new"]) for row in rows]
    told = [say(total, "money", currency) for total in totals]
    owed = [float(row["quota"]) for row in rows]
    figures = [
        f"<b>{total}</b>" + ("" if math.isnan(quota) else _(" of {quota}", quota=say(quota, "money", currency)))
        for total, quota in zip(told, owed, strict=True)
    ]
    figure = Figure()
    height = lay_rows(figure, [str(row["name"]) for row in rows], figures, c=c, s=s)
    for key, name, colour in (
        ("booked", _("Booked"), c.won),
        ("open", _("From open deals"), c.open),
        ("new", _("From deals to come"), c.previous),
    ):
        values = [max(0.0, float(row[key])) for row in rows]
        tips = [
            f"<b>{plain(str(row['name']))}</b><br>{name} {say(value, 'money', currency)}"
            for row, value in zip(rows, values, strict=True)
        ]
        keys = [[str(row["name"]), key] for row in rows]
        add_row_bars(figure, values, s=s, color=colour, keys=keys, tips=tips, name=name)
    known = [quota for quota in owed if not math.isnan(quota)]
    if known:
        keys = [[str(row["name"]), "quota"] for row in rows]
        tips = [_("Quota {amount}", amount=say(quota, "money", currency)) for quota in owed]
        add_row_ticks(figure, owed, s=s, color=c.quota, keys=keys, tips=tips, name=_("Quota"))
    most = max([*totals, *known], default=0.0) or 1.0
    figure.update_layout(barmode="stack", hovermode="closest")
    figure.update_xaxes(range=[0, most * 1.02], visible=False)
    return style(figure, title=title, subtitle=subtitle, dark=dark, height=height, large=large)
