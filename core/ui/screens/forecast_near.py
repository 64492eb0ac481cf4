"""The month and the quarter under way: where they land, by the open deals and what is known of them."""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Literal, cast

import pandas as pd
import streamlit as st

from core.domain.periods import Period, add_months
from core.forecasting.near_term import Landing, near_term
from core.forecasting.pipeline import LEARNED, WEEKS
from core.forecasting.scenarios import apply
from core.forecasting.steps import ends, overlap_share
from core.i18n import _, format_month, format_quarter, format_rate
from core.queries.near_term import deal_names, deal_spans
from core.queries.scenarios import monthly_quotas
from core.queries.series import booked_series
from core.reports.tables import Column
from core.ui.cards import said
from core.ui.page import plain
from core.ui.tables import table

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator
    from datetime import date

    from core.analytics.dimensions import Dimension
    from core.forecasting.near_term import NearTerm
    from core.forecasting.result import Fit
    from core.ui.page import View
    from core.ui.screens.forecast_state import Shown

SHOWN = 10
KEPT = 32
NEAR_DAYS = 28
LOOKS_AT = ("company", "team", "territory", "product")

_lock = Lock()
_made: OrderedDict[Hashable, NearTerm | None] = OrderedDict()


@dataclass(frozen=True)
class Ending:
    """A period under way: what it has, what is still to come, and what it owes (NaN: no quota)."""

    key: str
    name: str
    booked: float
    ahead: Landing
    quota: float
    weighted: float
    before: float

    @property
    def lands(self) -> float:
        """Where the period ends."""
        return self.booked + self.ahead.expected


def quarter_line(view: View, shown: Shown, fit: Fit) -> None:
    """Write where the quarter lands, the first thing that a leader reads."""
    with _unfrozen(view):
        found = near_of(view, shown) if shown.dimension in LOOKS_AT else None
        if found is not None:
            st.markdown(f"### {plain(ending_words(view, endings_of(view, shown, found, fit)[1]))}")


def near(view: View, shown: Shown, fit: Fit) -> None:
    """Draw the section; nothing where deals do not say enough yet."""
    with _unfrozen(view):
        found = near_of(view, shown) if shown.dimension in LOOKS_AT else None
        if found is not None:
            _section(view, shown, found, fit)


@contextmanager
def _unfrozen(view: View) -> Iterator[None]:
    """Keep what is asked meanwhile out of frozen links: they have no such section, and it holds every deal's days."""
    before = set(view.answers)
    yield
    for name in set(view.answers) - before:
        del view.answers[name]


def _section(view: View, shown: Shown, found: NearTerm, fit: Fit) -> None:
    st.subheader(_("The month and the quarter under way"), anchor=False)
    endings = endings_of(view, shown, found, fit)
    st.markdown(f"**{plain(ending_words(view, endings[0]))}**")
    with st.grid(min_column_width=300 if view.large else 190, gap="small", key="cards-near"):
        for ending in endings:
            _card(view, ending)
        _trust_card(found)
    st.caption(plain(part_words(found)))
    _carriers(view, found)


def near_of(view: View, shown: Shown) -> NearTerm | None:
    """Return the near term of the chosen part, computed once for its data."""
    last = view.today - timedelta(days=1)
    spans = view.ask(
        deal_spans, since=last - timedelta(days=7 * (LEARNED + WEEKS)), dimension=_part(shown), key=shown.key
    )
    said_by = hashlib.sha256(pd.util.hash_pandas_object(spans, index=False).to_numpy().tobytes()).hexdigest()
    key = (view.database.url, view.actor.scope, shown.dimension, shown.key, last, said_by)
    with _lock:
        if key in _made:
            _made.move_to_end(key)
            return _made[key]
    with st.spinner(_("Replaying the deals' past days …")):
        found = near_term(spans, last=last)
    with _lock:
        _made[key] = found
        while len(_made) > KEPT:
            _made.popitem(last=False)
    return found


def endings_of(view: View, shown: Shown, found: NearTerm, fit: Fit) -> list[Ending]:
    """Return the month and the quarter that are under way.

    The first four weeks are the near term's; what lies beyond, which knows the season, is the fit's.
    """
    today = view.today
    month = today.replace(day=1)
    quarter = view.calendar.quarter(*view.calendar.quarter_of(today))
    daily = view.ask(booked_series, frequency="day", dimension=_part(shown), key=shown.key)
    days = pd.to_datetime(daily["on"]).dt.date
    made = []
    for key, period, name in (
        ("month", Period(month, add_months(month, 1)), format_month(month)),
        ("quarter", quarter, format_quarter(*view.calendar.quarter_of(today))),
    ):
        left = (period.end - today).days
        week_ago = today - timedelta(days=7)
        booked = float(daily["value"][(days >= period.start) & (days < today)].sum())
        earlier = float(daily["value"][(days >= period.start) & (days < week_ago)].sum())
        owed = view.ask(monthly_quotas, period=period, dimension=_part(shown), key=shown.key)
        months = (period.end.year - period.start.year) * 12 + period.end.month - period.start.month
        quota = float(owed["quota"].sum()) if len(owed) == months else math.nan
        later = later_of(fit, today + timedelta(days=NEAR_DAYS), period.end)
        close = left if later is None else min(left, NEAR_DAYS)
        ahead = found.landing(close) if later is None else joined(found.landing(close), later)
        rest = ahead.expected - found.landing(close).expected
        before = earlier + found.landing_before(close) + rest if week_ago >= period.start else math.nan
        made.append(Ending(key, name, booked, ahead, quota, booked + found.weighted_over(left), before))
    return made


def later_of(fit: Fit, start: date, end: date) -> Landing | None:
    """Return what the fit expects in [start, end), steps shared by their days; None where it does not reach so far."""
    frame, stops = apply(fit).frame, ends(fit.future, fit.frequency)
    if start >= end:
        return Landing(0.0, 0.0)
    if fit.future[0].date() > start or stops[-1].date() < end:
        return None
    shares = overlap_share(fit.future, stops, start, end)
    expected = float(shares @ frame["yhat"].to_numpy())
    half = float(shares @ (frame["hi"] - frame["lo"]).to_numpy()) / 2
    return Landing(expected, half / expected if expected > 0 else 0.0)


def joined(first: Landing, later: Landing) -> Landing:
    """Return two spans as one; their errors are taken to go together."""
    expected = first.expected + later.expected
    off = (first.expected * first.off + later.expected * later.off) / expected if expected > 0 else first.off
    return Landing(expected, off)


def ending_words(view: View, ending: Ending) -> str:
    """Return the sentence that a leader reads."""
    half = ending.ahead.expected * ending.ahead.off
    total = said(ending.lands, "money", view.currency)
    if math.isnan(half):
        told = _("{period} lands at {total}", period=ending.name, total=total)
    else:
        told = _("{period} lands at {total} ± {half}", period=ending.name, total=total,
                 half=said(half, "money", view.currency))  # fmt: skip
    chance = ending.ahead.chance(ending.quota - ending.booked)
    if math.isnan(ending.quota) or math.isnan(chance):
        return told
    return told + _("; {chance} likely to reach the quota", chance=format_rate(chance, 0))


def part_words(found: NearTerm) -> str:
    """Return what part the open deals have in the forecast, and why."""
    with_, without = format_rate(found.off("pipeline"), 0), format_rate(found.off("series"), 0)
    if not found.helps:
        return _("The open deals are left out: with them, past weeks would have been off by {with_}, by the bookings "
                 "alone {without}.", with_=with_, without=without)  # fmt: skip
    return _("Open deals by stage and age, new ones by their usual share, weighed by how past days fared: with the "
             "deals single weeks were off by {with_}, by the bookings alone {without}.",
             with_=with_, without=without)  # fmt: skip


def _card(view: View, ending: Ending) -> None:
    def money(value: float) -> str:
        return said(value, "money", view.currency)

    with st.container(border=True, gap="xxsmall", height="stretch", key=f"card-near-{ending.key}"):
        delta = None if math.isnan(ending.before) else ending.lands - ending.before
        st.metric(
            _("{period}, expected", period=ending.name), money(ending.lands),
            delta=None if delta is None else _("{amount} since last week", amount=_signed(view, delta)),
            help=_("Booked until yesterday, and what is expected until the end."),
        )  # fmt: skip
        st.caption(plain(_("{booked} booked, {ahead} to come", booked=money(ending.booked),
                           ahead=money(ending.ahead.expected))))  # fmt: skip
        if not math.isnan(ending.quota):
            gap = _signed(view, ending.lands - ending.quota)
            st.caption(plain(_("{gap} against the quota of {quota}", gap=gap, quota=money(ending.quota))))
        st.caption(plain(_("By the weighted pipeline {amount}", amount=money(ending.weighted))))


def _trust_card(found: NearTerm) -> None:
    with st.container(border=True, gap="xxsmall", height="stretch", key="card-near-trust"):
        st.metric(
            _("Four weeks ahead, off by"), format_rate(found.total_off("forecast", 4)),
            help=_("The error of past totals of four weeks, each made with what was known on its day."),
        )  # fmt: skip
        weighted, series = format_rate(found.total_off("weighted", 4)), format_rate(found.total_off("series", 4))
        st.caption(plain(_("Weighted pipeline {weighted}, bookings alone {series}", weighted=weighted, series=series)))
        single, crm = format_rate(found.off("forecast")), format_rate(found.off("weighted"))
        st.caption(plain(_("Single weeks {single}, weighted pipeline {crm}", single=single, crm=crm)))


def _part(shown: Shown) -> Dimension | Literal["company"]:
    return cast('Dimension | Literal["company"]', shown.dimension)


def _signed(view: View, amount: float) -> str:
    return ("+" if amount >= 0 else "") + said(amount, "money", view.currency)


def _carriers(view: View, found: NearTerm) -> None:
    top = found.deals.head(SHOWN)
    if top.empty:
        return
    names = view.ask(deal_names, deal_ids=tuple(int(deal) for deal in top["deal"]))
    frame = top.merge(names, on="deal", how="left")
    with st.expander(_("Open deals that carry it"), icon=":material/handshake:"):
        columns = [
            Column("name", _("Deal"), width="large"),
            Column("value", _("Value"), "money", currency=view.currency),
            Column("age", _("Days in stage"), "count"),
            Column("chance", _("Won within 13 weeks"), "rate"),
            Column("brings", _("Brings"), "money", currency=view.currency),
        ]
        table(view, frame, columns, name="forecast-carriers", opens="deal", id_column="deal")
