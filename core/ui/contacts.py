"""The people at a customer: seen, added, edited, removed; two who edit one contact compare field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.domain.names import named
from core.errors import EditedMeanwhile, SalesError
from core.i18n import _
from core.queries.reference import word_list
from core.services.customers import ContactFields, add_contact, edit_contact, remove_contact
from core.ui.conflict import compare, differences
from core.ui.forms import Form
from core.ui.page import plain

if TYPE_CHECKING:
    from core.model import Contact
    from core.queries.customers import CustomerRecord
    from core.ui.page import View

_TEXTS = ("name", "name_en", "title", "phone", "email", "note")


def draw_contacts(view: View, record: CustomerRecord) -> None:
    """Draw the people at a customer, each with a form of its own, and one for a new contact."""
    words = view.ask(word_list)
    for contact in record.contacts:
        with st.container(border=True, gap="xxsmall", key=f"contact-{contact.id}"):
            star = " :orange[:material/star:]" if contact.is_primary else ""
            title = f" · {words(contact.title)}" if contact.title else ""
            st.markdown(f"**{plain(named(contact))}**{plain(title)}{star}")
            reached = " · ".join(part for part in (contact.phone, contact.email) if part)
            if reached:
                st.text(reached)
            if record.may_edit:
                _draw_edit(_form_of(view, record, contact), contact)
    if not record.contacts:
        st.caption(_("No contacts yet. Add the person you talk to."))
    if record.may_edit:
        form = Form(view, f"contact_{record.customer.id}_new", _facts(None))
        form.offer_draft()
        with st.popover(_("Add a contact"), icon=":material/person_add:", key="contact-new"):
            fields = _draw_fields(form)
            if _saves(form):
                form.send(
                    add_contact, key=form.key, customer_id=record.customer.id, fields=cast("ContactFields", fields)
                )
                st.rerun()


def _labels() -> dict[str, str]:
    return {
        "name": _("Name"),
        "name_en": _("English name (optional)"),
        "title": _("Job title"),
        "phone": _("Phone"),
        "email": _("E-mail"),
        "note": _("Note"),
        "is_primary": _("Main contact"),
    }


def _facts(contact: Contact | None) -> dict[str, Any]:
    texts: dict[str, Any] = {name: getattr(contact, name, "") for name in _TEXTS}
    return texts | {"is_primary": bool(contact and contact.is_primary)}


def _form_of(view: View, record: CustomerRecord, contact: Contact) -> Form:
    """Return the contact's form; one that nobody typed into follows the contact as it stands."""
    now = _facts(contact)
    defaults = {**now, "version": contact.version, "base": now, "mine": None}
    form = Form(view, f"contact_{record.customer.id}_{contact.id}", defaults, unkept=frozenset({"mine"}))
    stale = form["version"] != contact.version
    if stale and form["mine"] is None and all(form[name] == value for name, value in form["base"].items()):
        form.restart()
    return form


def _draw_edit(form: Form, contact: Contact) -> None:
    """Draw the contact's form, or the comparison where somebody else saved in between."""
    if form["mine"] is not None:
        _compare(form, contact)
        return
    form.offer_draft()
    with st.popover(_("Edit"), icon=":material/edit:", type="tertiary", key=f"contact-edit-{contact.id}"):
        mine = _draw_fields(form)
        if _saves(form):
            _save(form, contact, {name: value for name, value in mine.items() if value != form["base"][name]}, mine)
        remove = st.button(_("Remove"), type="tertiary", icon=":material/delete:", key=f"{form.name}-remove")
        if remove and _removed(form.view, contact):
            form.forget()
            st.rerun()


def _draw_fields(form: Form) -> dict[str, Any]:
    labels = _labels()
    for name in _TEXTS:
        form.text(name, labels[name])
    st.toggle(labels["is_primary"], **form.widget("is_primary"))
    form.show_refusal()
    form.keep_draft()
    return {name: (form[name] or "").strip() for name in _TEXTS} | {"is_primary": bool(form["is_primary"])}


def _saves(form: Form) -> bool:
    return st.button(_("Save"), type="primary", key=f"{form.name}-save")


def _save(form: Form, contact: Contact, changes: dict[str, Any], mine: dict[str, Any]) -> None:
    version = contact.version if form["mine"] is not None else form["version"]
    try:
        saved = form.send(edit_contact, contact_id=contact.id, version=version, fields=cast("ContactFields", changes))
    except EditedMeanwhile:
        form["mine"] = mine
    else:
        if saved is None:
            form["mine"] = None
    st.rerun()


def _compare(form: Form, contact: Contact) -> None:
    mine, theirs = form["mine"], _facts(contact)

    def shown(_name: str, value: Any) -> str:
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        return str(value) or _("None")

    key = f"conflict-contact-{contact.id}"
    changes = compare(differences(form["base"], mine, theirs), labels=_labels(), shown=shown, who="", key=key)
    if changes is not None:
        _save(form, contact, changes, mine)
    if st.button(_("Throw my changes away"), type="tertiary", key=f"{key}-cancel"):
        form.forget()
        st.rerun()


def _removed(view: View, contact: Contact) -> bool:
    try:
        view.do(remove_contact, contact_id=contact.id, version=contact.version)
    except SalesError as error:
        st.error(plain(error.message()))
        return False
    return True
