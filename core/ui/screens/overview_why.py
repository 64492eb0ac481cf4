"""What changed and why, in sentences computed from the numbers, each with its deals one click away."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.analytics.selection import Selection
from core.i18n import N_, _, _n, format_date, format_money, format_number, format_rate, unbroken
from core.queries.overview import as_old
from core.queries.why import booked_why
from core.reports.tables import Column, records
from core.ui.drill import deals_button, numbers
from core.ui.filters import FILTER_NAMES
from core.ui.page import plain

if TYPE_CHECKING:
    import pandas as pd

    from core.analytics.as_of import AsOf
    from core.analytics.dimensions import Dimension
    from core.analytics.filters import Filters
    from core.domain.periods import Period
    from core.ui.page import View

_BY = ("team", "product", "channel")
KIND_NAMES: dict[str, str] = {
    "volume": N_("Number of deals"),
    "mix": N_("Mix"),
    "price": N_("Size of deals"),
    "part": N_("Part"),
}
_MOVERS = 2


def draw_why(view: View, period: Period, filters: Filters, *, to_date: bool, as_of: AsOf | None = None) -> None:
    """Draw the section; nothing where neither period has a won deal."""
    found = view.ask(booked_why, period=period, filters=filters, to_date=to_date, as_of=as_of)
    rows = records(found)
    whole = rows[0]
    if not whole["count_before"] and not whole["count_after"]:
        return
    earlier = view.calendar.before(period)
    today = as_of.on if as_of else view.today
    before = as_old(earlier, period, today=today) if to_date else earlier
    st.subheader(_("What changed, and why"), anchor=False)
    st.text(unbroken(_headline(whole, before, view.currency)))
    for by in _BY:
        told = [row for row in rows if row["by"] == by]
        _by(view, told, by, (period, before), Selection("booked", None, filters, as_of=as_of))
    columns = [
        Column("dimension", _("Broken down by")),
        Column("said", _("Effect or part")),
        Column("before", _("Booked before"), "money", currency=view.currency),
        Column("after", _("Booked"), "money", currency=view.currency),
        Column("change", _("Change"), "money", currency=view.currency),
        Column("count_before", _("Won deals before"), "count"),
        Column("count_after", _("Won deals"), "count"),
    ]
    days = {"before": before, "count_before": before, "after": period, "count_after": period}

    def behind(row: dict[Any, Any], column: str) -> Selection | None:
        if row["kind"] != "part" or column not in days:
            return None
        return Selection("booked", days[column], filters, row["by"], str(row["key"]), as_of=as_of)

    numbers(view, partial(_named, found), columns, name="overview-why", behind=behind)


def _named(found: pd.DataFrame) -> pd.DataFrame:
    return found.assign(
        dimension=[_(FILTER_NAMES[by]) for by in found["by"]],
        said=[
            str(n) or _(KIND_NAMES[k]) if k != "part" else str(n) or _("None")
            for k, n in zip(found["kind"], found["name"], strict=True)
        ],
    )


def _signed(value: float, currency: str) -> str:
    return ("+" if value > 0 else "") + format_money(value, currency, compact=True)


def _headline(whole: dict[str, Any], before: Period, currency: str) -> str:
    change = whole["after"] - whole["before"]
    sentence = (
        N_("Booked {now}, after {then} from {start} to {end}: {change} ({rate}). "
           "Won deals: {count}, after {count_before}.")
        if whole["before"]
        else N_("Booked {now}, after {then} from {start} to {end}: {change}. "
                "Won deals: {count}, after {count_before}.")
    )  # fmt: skip
    rate = format_rate(change / whole["before"]) if whole["before"] else ""
    return _(
        sentence,
        now=format_money(whole["after"], currency, compact=True),
        then=format_money(whole["before"], currency, compact=True),
        start=format_date(before.start), end=format_date(before.last_day), change=_signed(change, currency),
        rate=f"+{rate}" if change > 0 else rate,
        count=format_number(whole["count_after"]), count_before=format_number(whole["count_before"]),
    )  # fmt: skip


def _by(view: View, rows: list[dict[str, Any]], by: str, days: tuple[Period, Period], booked: Selection) -> None:
    effect = {str(row["kind"]): float(row["change"]) for row in rows[:3]}
    said = _(
        "{dimension}: number of deals {volume}, size of deals {price}, mix {mix}.",
        dimension=_(FILTER_NAMES[by]), **{kind: _signed(value, view.currency) for kind, value in effect.items()},
    )  # fmt: skip
    movers = [row for row in rows if row["kind"] == "part"][:_MOVERS]
    with st.container(gap="xsmall", key=f"why-{by}"):
        st.markdown(plain(said))
        with st.grid(_MOVERS, min_column_width=320, gap="xsmall"):
            for row in movers:
                with st.container(horizontal=True, gap="small"):
                    _mover(view, row, by, days, booked)


def _mover(view: View, row: dict[str, Any], by: str, days: tuple[Period, Period], booked: Selection) -> None:
    name = str(row["name"]) or _("None")
    moved = f"{name} {_signed(row['change'], view.currency)}"
    if view.large:
        st.text(unbroken(moved))
        return
    for period, count, word, key in (
        (days[0], int(row["count_after"]), moved, "now"),
        (days[1], int(row["count_before"]), _("before"), "before"),
    ):
        label = _n("{word}: {n} deal", "{word}: {n} deals", count, word=word, n=format_number(count))
        selection = dataclasses.replace(booked, period=period, by=cast("Dimension", by), key=str(row["key"]))
        deals_button(
            view, selection, label=plain(label), key=f"why-{by}-{row['key']}-{key}"
        )  # fmt: skip
