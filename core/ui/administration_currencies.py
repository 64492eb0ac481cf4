"""Currencies and their dated rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.errors import InvalidField
from core.i18n import _, _n, currency_name, format_date, parse_number
from core.queries.administration import currency_lines, rates_of
from core.reports.tables import Column
from core.services.currencies import add_currency, delete_rate, edit_currency, set_rate
from core.ui import session
from core.ui.administration import Fields, confirm, show_what_was_told, tell
from core.ui.tables import table

if TYPE_CHECKING:
    from core.model import FxRate
    from core.queries.administration import CurrencyLine
    from core.ui.page import View


def draw(view: View) -> None:
    """Draw the page."""
    show_what_was_told()
    st.caption(
        _(
            "Everything is compared in {currency}. Open deals are worth what the last rate up to today says; "
            "closed deals keep the rate of the day they closed.",
            currency=view.currency,
        )
    )
    lines = view.ask(currency_lines)
    _warn_of_missing(view, lines)
    _overview(view, lines)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen: CurrencyLine | None = st.selectbox(
            _("Currency"),
            lines,
            index=1 if len(lines) > 1 else 0,
            format_func=lambda line: f"{line.currency.code} {_called(line)}",
            key="currency-chosen",
            width=320,
        )
        if st.button(_("Edit"), icon=":material/edit:", key="currency-edit", disabled=chosen is None) and chosen:
            _currency_form(view, chosen)
        if st.button(_("New currency"), icon=":material/add:", key="currency-new"):
            _new_currency(view)
    if chosen is None:
        return
    if chosen.currency.code == view.currency:
        st.info(_("This is the company's own currency: it needs no rate."), icon=":material/info:")
        return
    _rates(view, chosen)


def _called(line: CurrencyLine) -> str:
    """Return the name that somebody gave the currency, else the one that the reader's language has for it."""
    return line.currency.name or currency_name(line.currency.code)


def _warn_of_missing(view: View, lines: list[CurrencyLine]) -> None:
    missing = [
        line.currency.code
        for line in lines
        if line.currency.active and line.rate is None and line.currency.code != view.currency
    ]
    if missing:
        st.warning(
            _("No rate yet, so no deal can be logged in: {currencies}.", currencies=", ".join(missing)),
            icon=":material/currency_exchange:",
        )


def _overview(view: View, lines: list[CurrencyLine]) -> None:
    frame = pd.DataFrame(
        [
            {
                "code": line.currency.code,
                "name": _called(line),
                "rate": _rate(line, view),
                "on": line.rate_on,
                "deals": line.open_deals,
                "state": _("Active") if line.currency.active else _("Not in use"),
            }
            for line in lines
        ]
    )
    columns = [
        Column("code", _("Currency")),
        Column("name", _("Name")),
        Column("rate", _("Worth of one unit in {currency}", currency=view.currency)),
        Column("on", _("Rate of"), "date", help=_("The day whose rate open deals use today.")),
        Column("deals", _("Open deals"), "count"),
        Column("state", _("State")),
    ]
    table(view, frame, columns, name="currencies")


def _rate(line: CurrencyLine, view: View) -> str:
    if line.currency.code == view.currency:
        return "1"
    return "" if line.rate is None else format(line.rate.normalize(), "f")


def _rates(view: View, line: CurrencyLine) -> None:
    code = line.currency.code
    found = view.ask(rates_of, currency=code)
    st.subheader(_("Rates of {currency}", currency=code), anchor=False)
    if line.rate_on is not None:
        st.caption(
            _n(
                "{n} open deal uses the rate of {day}.",
                "{n} open deals use the rate of {day}.",
                line.open_deals,
                day=format_date(line.rate_on),
            )
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            _("Edit a rate"),
            found,
            index=None,
            placeholder=_("Choose"),
            key=f"rate-chosen-{code}",
            format_func=lambda row: f"{row.on.isoformat()}: {format(row.rate.normalize(), 'f')}",
            width=320,
        )
        if st.button(_("Edit"), icon=":material/edit:", key="rate-edit", disabled=chosen is None) and chosen:
            _rate_form(view, code, chosen)
        if st.button(_("Delete"), icon=":material/delete:", key="rate-delete", disabled=chosen is None) and chosen:
            _delete(view, chosen)
        if st.button(_("New rate"), icon=":material/add:", type="primary", key="rate-new"):
            _rate_form(view, code, None)
    frame = pd.DataFrame([{"on": row.on, "rate": format(row.rate.normalize(), "f")} for row in found])
    table(
        view,
        frame,
        [Column("on", _("From"), "date"), Column("rate", _("Rate"))],
        name=f"rates-{code}",
        empty=_("There is no rate yet."),
    )


def _rate_form(view: View, currency: str, row: FxRate | None) -> None:
    @session.dialog(_("Rate of {currency}", currency=currency))
    def form() -> None:
        fields = Fields(view, f"rate-{row.id}-{row.version}" if row else f"rate-add-{currency}")
        on = fields.day("on", _("From"), row.on if row else view.today, max_value=view.today, disabled=bool(row))
        typed = fields.text(
            "rate",
            _("Worth of one {currency} in {base}", currency=currency, base=view.currency),
            format(row.rate.normalize(), "f") if row else "",
        )
        st.caption(_("Open deals in {currency} are re-rated as soon as it is saved.", currency=currency))
        if not fields.sent(_("Save")):
            return
        try:
            rate = parse_number(typed)
        except ValueError:
            fields.refuse(InvalidField(name="rate", label=_("Rate"), reason=_("A rate is a number above zero.")))
            return
        done = fields.do(
            set_rate, currency=currency, on=on or view.today, rate=rate, version=row.version if row else None
        )
        if done:
            tell(_re_rated(done[0]))
            st.rerun()

    form()


def _re_rated(count: int) -> str:
    return _n("Saved; {n} open deal is re-rated.", "Saved; {n} open deals are re-rated.", count)


def _delete(view: View, row: FxRate) -> None:
    confirm(
        view,
        title=_("Delete a rate"),
        label=_("Delete"),
        question=_(
            "Delete the rate of {currency} from {day} on? Open deals go back to the rate before.",
            currency=row.currency,
            day=format_date(row.on),
        ),
        act=lambda v: _re_rated(v.do(delete_rate, rate_id=row.id, version=row.version)),
    )


def _currency_form(view: View, line: CurrencyLine) -> None:
    currency = line.currency

    @session.dialog(currency.code)
    def form() -> None:
        fields = Fields(view, f"currency-{currency.code}")
        name = fields.text("name", _("Name"), currency.name, max_chars=40, placeholder=currency_name(currency.code))
        active = fields.tick("active", _("In use for new deals"), currency.active)
        if fields.sent(_("Save")) and fields.do(edit_currency, code=currency.code, name=name, active=active):
            tell(_("Saved."))
            st.rerun()

    form()


def _new_currency(view: View) -> None:
    @session.dialog(_("New currency"))
    def form() -> None:
        fields = Fields(view, "currency-add")
        code = fields.text("code", _("Code (ISO 4217)"), max_chars=3, placeholder="SGD")
        name = fields.text("name", _("Name"), max_chars=40)
        if fields.sent(_("Save")) and fields.do(add_currency, code=code, name=name):
            tell(_("Saved."))
            st.rerun()

    form()
