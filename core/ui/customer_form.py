"""Making and editing customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.access.actions import Action
from core.errors import EditedMeanwhile
from core.i18n import N_, _
from core.queries.customers import similar_customers
from core.queries.reference import word_list
from core.services.customers import CustomerFields, create_customer, edit_customer
from core.ui.conflict import compare, differences
from core.ui.drafts import offer_kept
from core.ui.forms import Form, names_of
from core.ui.page import plain
from core.ui.routes import go, page
from core.ui.selling import stored_words

if TYPE_CHECKING:
    from core.queries.customers import CustomerRecord
    from core.queries.reference import FormChoices
    from core.ui.page import View

_EDITING = "customer.editing"
_TEXTS = (
    "name",
    "name_en",
    "segment",
    "size",
    "industry",
    "country",
    "city",
    "address",
    "phone",
    "website",
    "note",
)


_WORDS = ("segment", "size", "industry", "country", "city")


def _labels() -> dict[str, str]:
    return {
        "name": _("Customer name"),
        "name_en": _("English name"),
        "segment": _("Segment"),
        "size": _("Size"),
        "industry": _("Industry"),
        "country": _("Country"),
        "city": _("City"),
        "address": _("Address"),
        "phone": _("Phone"),
        "website": _("Website"),
        "note": _("Note"),
        "territory_id": _("Territory"),
    }


def draw_new_customer(view: View, choices: FormChoices) -> None:
    """Draw the short form of a new customer; it opens the customer's page."""
    form = Form(
        view,
        "new_customer",
        {"name": "", "city": "", "segment": "", "phone": "", "owner_id": view.actor.rep_id},
    )
    form.offer_draft()
    labels = _labels()
    name = form.text("name", labels["name"], max_chars=200)
    for hit in view.ask(similar_customers, name=name) if name.strip() else []:
        st.warning(
            _("This looks like a customer that is here already. Is it this one?"),
            icon=":material/content_copy:",
        )
        st.page_link(
            page("customer").file,
            label=plain(hit.name),
            icon=":material/apartment:",
            query_params={"id": str(hit.id)},
        )
    for field in ("city", "segment", "phone"):
        form.text(field, labels[field])
    if view.actor.rep_id is None or len(choices.reps) > 1:
        form.choose("owner_id", _("Owner"), names_of(choices.reps), optional=True)
    form.show_refusal()
    form.keep_draft()
    if st.button(_("Save customer"), type="primary", key="save-new-customer"):
        fields = stored_words(view, {field: form[field] or "" for field in ("name", "city", "segment", "phone")})
        customer = form.send(
            create_customer, key=form.key, fields=cast("CustomerFields", fields), owner_id=form["owner_id"]
        )
        if customer is not None:
            go("customer", id=customer.id)
        st.rerun()


def draw_customer_edit(view: View, record: CustomerRecord, choices: FormChoices) -> None:
    """Draw the form of a customer's own facts, or the comparison where somebody else saved in between."""
    customer, labels = record.customer, _labels()
    words = view.ask(word_list)
    now: dict[str, Any] = {name: getattr(customer, name) for name in (*_TEXTS, "territory_id", "owner_id")}
    now |= {name: words(now[name]) for name in _WORDS}
    form = Form(view, f"edit_customer_{customer.id}", {**now, "version": None}, unkept=frozenset({"mine"}))
    form.offer_draft()
    if form["version"] is None:
        form["version"], form["base"], form["mine"] = customer.version, now, None
    if form["mine"] is not None:
        _compare_customer(form, record, choices, now)
        return
    with st.grid(min_column_width=220, gap="small"):
        for name in _TEXTS[:-1]:
            with st.container(gap="xxsmall"):
                form.text(name, labels[name])
        with st.container(gap="xxsmall"):
            form.choose("territory_id", labels["territory_id"], names_of(choices.territories), optional=True)
        if view.may(Action.DEAL_REASSIGN):
            with st.container(gap="xxsmall"):
                known = {customer.owner_id: record.owner} if customer.owner_id else {}
                form.choose("owner_id", _("Owner"), {**known, **names_of(choices.reps)}, optional=True)
    form.area("note", labels["note"])
    form.show_refusal()
    with st.container(horizontal=True):
        save = st.button(_("Save"), type="primary", icon=":material/check:", key="save-customer")
        if st.button(_("Cancel"), key="cancel-customer"):
            close_customer_edit(form)
    form.keep_draft()
    if save:
        mine: dict[str, Any] = {name: (form[name] or "").strip() for name in _TEXTS}
        mine |= {"territory_id": form["territory_id"], "owner_id": form["owner_id"]}
        changes = {name: value for name, value in mine.items() if value != form["base"][name]}
        _save_customer(form, record, changes, mine, form["version"])


def _save_customer(
    form: Form, record: CustomerRecord, changes: dict[str, Any], mine: dict[str, Any], version: int
) -> None:
    words = stored_words(form.view, {name: changes[name] for name in _WORDS if name in changes})
    fields = {name: value for name, value in changes.items() if name != "owner_id"} | words
    try:
        saved = form.send(
            edit_customer,
            customer_id=record.customer.id,
            version=version,
            fields=cast("CustomerFields", fields),
            owner_id=changes.get("owner_id"),
        )
    except EditedMeanwhile:
        form["mine"] = mine
        saved = None
    else:
        if saved is None:
            form["mine"] = None
    if saved is not None:
        close_customer_edit(form)
    st.rerun()


def _compare_customer(form: Form, record: CustomerRecord, choices: FormChoices, theirs: dict[str, Any]) -> None:
    mine = form["mine"]
    territories = names_of(choices.territories)
    reps = names_of(choices.reps) | ({record.customer.owner_id: record.owner} if record.customer.owner_id else {})

    def shown(name: str, value: Any) -> str:
        known = {"territory_id": territories, "owner_id": reps}.get(name)
        return str(known.get(value, "") if known else value) or _("None")

    changes = compare(
        differences(form["base"], mine, theirs),
        labels={**_labels(), "owner_id": _("Owner")},
        shown=shown,
        who="",
        key=f"conflict-customer-{record.customer.id}",
    )
    if changes is not None:
        _save_customer(form, record, changes, mine, record.customer.version)
    if st.button(_("Throw my changes away"), type="tertiary", key="conflict-customer-cancel"):
        close_customer_edit(form)


def is_editing(customer_id: int) -> bool:
    """Say whether this customer's form is open; another customer's closes."""
    if st.session_state.get("customer.of") != customer_id:
        st.session_state["customer.of"], st.session_state[_EDITING] = customer_id, False
    return bool(st.session_state[_EDITING])


def offer_customer_draft(view: View, customer_id: int) -> None:
    """Offer what was typed into the customer's closed form and never saved."""
    sentence = N_("You began editing this customer on {when} and did not save it.")
    offer_kept(view, {f"edit_customer_{customer_id}": (sentence, start_editing)})


def start_editing() -> None:
    """Open the customer's form."""
    st.session_state[_EDITING] = True


def close_customer_edit(form: Form) -> None:
    """Close the form and forget what was typed."""
    form.forget()
    st.session_state[_EDITING] = False
    st.rerun()
