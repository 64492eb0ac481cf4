"""Choosing a customer by search, or making one on the spot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.i18n import _
from core.queries.customers import CustomerHit, customers_found, similar_customers
from core.ui.page import plain
from core.ui.selling import stored_words

if TYPE_CHECKING:
    from core.services.customers import CustomerFields
    from core.ui.forms import Form

CUSTOMER_DEFAULTS = {
    "customer_id": None,
    "customer_label": "",
    "customer_new": False,
    "customer_name": "",
    "customer_city": "",
    "customer_segment": "",
    "customer_phone": "",
}
_SHOWN, _OFFERED = 6, 4


def pick_customer(form: Form) -> tuple[int | None, CustomerFields | None]:
    """Draw the choice of a customer; return its number, or the new one's fields, or neither."""
    if form["customer_id"] is not None:
        _chosen(form)
        return int(form["customer_id"]), None
    if form["customer_new"]:
        return None, _new_customer(form)
    _search(form)
    return None, None


def choose(form: Form, hit: CustomerHit) -> None:
    """Take a customer that there is."""
    form["customer_id"], form["customer_label"], form["customer_new"] = hit.id, hit.name, False
    form["contact_id"] = form["deal_id"] = None
    form.problems.pop("customer_id", None)


def _chosen(form: Form) -> None:
    with st.container(
        border=True,
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
        key="customer-chosen",
    ):
        st.markdown(f":material/apartment: **{plain(form['customer_label'])}**")
        st.button(
            _("Choose another"),
            on_click=_clear,
            args=(form,),
            type="tertiary",
            icon=":material/edit:",
            key="customer-change",
        )
    form.problem("customer_id")


def _clear(form: Form) -> None:
    for name, value in CUSTOMER_DEFAULTS.items():
        form[name] = value
    form["contact_id"] = form["deal_id"] = None


def _search(form: Form) -> None:
    typed = st.text_input(
        _("Customer"),
        key=f"{form.name}.search",
        type="search",
        live="300ms",
        placeholder=_("Name of the customer, or part of it"),
        icon=":material/search:",
    )
    form.problem("customer_id")
    typed = (typed or "").strip()
    hits = form.view.ask(customers_found, search=typed, limit=_SHOWN if typed else _OFFERED)
    if not typed and hits:
        st.caption(_("Lately changed:"))
    with st.container(gap="xxsmall", key="customer-hits"):
        for hit in hits:
            st.button(
                _hit_label(hit),
                on_click=choose,
                args=(form, hit),
                key=f"hit-{hit.id}",
                type="tertiary",
                icon=":material/apartment:",
            )
        label = _("New customer “{name}”", name=typed) if typed else _("New customer")
        st.button(plain(label), on_click=_begin_new, args=(form, typed), key="customer-begin", icon=":material/add:")


def _hit_label(hit: CustomerHit) -> str:
    return plain(" · ".join(part for part in (hit.name, hit.city, hit.owner) if part))


def _begin_new(form: Form, name: str) -> None:
    form["customer_new"], form["customer_name"] = True, name
    form.problems.pop("customer_id", None)


def _new_customer(form: Form) -> CustomerFields:
    with st.container(border=True, key="customer-new"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{plain(_('New customer'))}**")
            st.button(_("Search instead"), on_click=_clear, args=(form,), type="tertiary", icon=":material/search:")
        name = form.text("customer_name", _("Customer name"), max_chars=200)
        _warn_of_doubles(form, name)
        with st.container(horizontal=True):
            city = form.text("customer_city", _("City"), max_chars=80, width=200)
            segment = form.text("customer_segment", _("Segment"), max_chars=60, width=200)
            phone = form.text("customer_phone", _("Phone"), max_chars=60, width=200)
    told = stored_words(form.view, {"city": city, "segment": segment})
    return {"name": name, "phone": phone, "city": told["city"], "segment": told["segment"]}


def _warn_of_doubles(form: Form, name: str) -> None:
    alike = form.view.ask(similar_customers, name=name) if name.strip() else []
    if not alike:
        return
    st.warning(_("This looks like a customer that is here already. Is it this one?"), icon=":material/content_copy:")
    for hit in alike:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(_hit_label(hit))
            st.button(_("Use this one"), on_click=choose, args=(form, hit), key=f"use-{hit.id}")
