"""The pipeline: open deals by stage, at an instant."""

import pandas as pd

from core.charts.figure import Figure
from core.charts.remembered import remembered
from core.charts.rows import add_row_bars, add_row_hits, lay_rows
from core.charts.theme import look, nothing, plain, say, sizes, style
from core.i18n import _, _n


@remembered
def by_stage(
    frame: pd.DataFrame,
    *,
    dark: bool,
    large: bool = False,
    currency: str = "CNY",
    title: str | None = None,
    subtitle: str | None = None,
) -> Figure:
    """Return open value by stage, and inside it the value weighted by the stage's probability.

    frame, in the order of the process: stage_key, stage str, count int, value and weighted float
    in major units. customdata: stage_key.
    """
    title = title or _("Pipeline by stage")
    if frame.empty or int(frame["count"].sum()) == 0:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    value = [float(v) for v in frame["value"]]
    weighted = [float(v) for v in frame["weighted"]]
    deals = [_n("{n} deal", "{n} deals", int(n)) for n in frame["count"]]
    worth = [say(v, "money", currency) for v in value]
    tips = [
        "<br>".join(
            (
                f"<b>{plain(str(stage))}</b>",
                f"{n} · {v}",
                _("Weighted {amount}", amount=say(w, "money", currency)),
            )
        )
        for stage, n, v, w in zip(frame["stage"], deals, worth, weighted, strict=True)
    ]
    figure = Figure()
    height = lay_rows(
        figure,
        [str(name) for name in frame["stage"]],
        [f"{n} · <b>{v}</b>" for n, v in zip(deals, worth, strict=True)],
        c=c,
        s=s,
    )
    keys = [[key] for key in frame["stage_key"]]
    for name, amounts, color, px, inside in (
        (_("Open value"), value, c.pale, s.bar, False),
        (_("Weighted by probability"), weighted, c.series[0], s.bar * 0.5, True),
    ):
        add_row_bars(figure, amounts, s=s, color=color, keys=keys, tips=tips, name=name, bar_px=px, square=inside)
    figure.update_xaxes(range=[0, max(value) or 1])
    add_row_hits(figure, keys, tips, c=c)
    figure.update_layout(barmode="overlay")
    return style(figure, title=title, subtitle=subtitle, dark=dark, height=height, large=large)
