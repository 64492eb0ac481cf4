"""What each lever would change: a row each, less to one side of zero and more to the other."""

import pandas as pd

from core.charts.figure import Figure
from core.charts.remembered import remembered
from core.charts.rows import add_row_bars, lay_rows
from core.charts.theme import Unit, look, nothing, plain, say, sizes, style
from core.i18n import _


@remembered
def tornado_chart(
    frame: pd.DataFrame,
    *,
    dark: bool,
    title: str,
    less_name: str,
    more_name: str,
    unit: Unit = "money",
    large: bool = False,
    currency: str = "CNY",
    subtitle: str | None = None,
) -> Figure:
    """Return two bars a row from zero, in the frame's order.

    frame: key, name str; less, more float in `unit`, what moving the row's lever down and up makes of the total.
    customdata: key.
    """
    if frame.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    keys = [[key] for key in frame["key"]]
    sides = (("less", less_name, c.series[1]), ("more", more_name, c.series[0]))
    figure = Figure()
    for column, name, colour in sides:
        values = [float(value) for value in frame[column]]
        tips = [
            f"<b>{plain(str(of))}</b> {plain(name)}<br>{_signed(value, unit, currency)}"
            for of, value in zip(frame["name"], values, strict=True)
        ]
        add_row_bars(figure, values, s=s, color=colour, keys=keys, tips=tips, name=plain(name))
    figures = [
        _("{less} or {more}", less=_signed(less, unit, currency), more=_signed(more, unit, currency))
        for less, more in zip(frame["less"], frame["more"], strict=True)
    ]
    height = lay_rows(figure, [str(name) for name in frame["name"]], figures, c=c, s=s)
    most = max(float(frame[["less", "more"]].abs().to_numpy().max()), 1e-9)
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(range=[-most, most], zeroline=True, zerolinecolor=c.muted)
    return style(figure, title=title, subtitle=subtitle, dark=dark, height=height, large=large)


def _signed(value: float, unit: Unit, currency: str) -> str:
    return ("+" if value > 0 else "") + say(value, unit, currency)
