"""Changing customers and the people there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypedDict, cast

from sqlmodel import select

from core.access.actions import Action
from core.db.work import get_visible
from core.domain.names import fold_name
from core.errors import InvalidFields, NotAllowed, SalesError
from core.gate import command
from core.i18n import N_, _
from core.model import Activity, Contact, Customer, Deal, Rep, Territory
from core.services.idempotency import remember, saved_before

if TYPE_CHECKING:
    from core.db.work import Work

_LONGEST = {
    "name": 200, "name_en": 200, "segment": 60, "size": 60, "industry": 80, "country": 60, "city": 80,
    "address": 300, "phone": 60, "website": 200, "note": 4000,
}  # fmt: skip
_LONGEST_CONTACT = {"name": 80, "name_en": 80, "title": 80, "phone": 60, "email": 200, "note": 1000}
_ADDRESS_OF_A_PERSON = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class CustomerFields(TypedDict, total=False):
    """A customer's own facts; those left out keep what they have (or stay empty)."""

    name: str
    name_en: str
    segment: str
    size: str
    industry: str
    country: str
    city: str
    address: str
    phone: str
    website: str
    note: str
    territory_id: int | None


class ContactFields(TypedDict, total=False):
    """What is known of a person at a customer."""

    name: str
    name_en: str
    title: str
    phone: str
    email: str
    note: str
    is_primary: bool


class ContactInUse(SalesError):
    """A contact that deals or activities name stays."""

    text = N_("Deals or activities name this contact, so it stays. You can change it instead.")


def lengths_exceeded(values: dict[str, Any], longest: dict[str, int]) -> dict[str, str]:
    """Return the sentence for each text that is longer than its column."""
    return {
        name: _("At most {n} characters, please.", n=most)
        for name, most in longest.items()
        if len(str(values.get(name) or "")) > most
    }


def check_customer(work: Work, fields: CustomerFields, *, whole: bool, prefix: str = "") -> CustomerFields:
    """Return the fields with spaces trimmed; raises InvalidFields, each name after `prefix`."""
    tidy = cast(
        "CustomerFields",
        {name: value.strip() if isinstance(value, str) else value for name, value in fields.items()},
    )
    problems = lengths_exceeded(cast("dict[str, Any]", tidy), _LONGEST)
    if (whole or "name" in tidy) and not tidy.get("name"):
        problems["name"] = _("Please give the customer's name.")
    territory = tidy.get("territory_id")
    if territory is not None and work.session.get(Territory, territory) is None:
        problems["territory_id"] = _("Please choose a territory from the list.")
    if problems:
        raise InvalidFields({prefix + name: sentence for name, sentence in problems.items()})
    return tidy


def choose_owner(work: Work, owner_id: int | None) -> int:
    """Return the rep that a new record belongs to: the chosen one, or the actor's own.

    Raises InvalidFields where nobody is chosen or the rep lies outside the actor's scope.
    """
    chosen = owner_id if owner_id is not None else work.actor.rep_id
    if chosen is None:
        raise InvalidFields({"owner_id": _("Please choose who is responsible.")})
    if not work.actor.scope.allows_rep(chosen) or work.session.get(Rep, chosen) is None:
        raise InvalidFields({"owner_id": _("Please choose somebody from the list.")})
    return chosen


def add_customer(work: Work, fields: CustomerFields, *, owner_id: int, prefix: str = "") -> Customer:
    """Put a new customer into the session, numbered; the part of a command that makes one."""
    tidy = check_customer(work, fields, whole=True, prefix=prefix)
    customer = Customer(**tidy, owner_id=owner_id, name_key=fold_name(tidy["name"]))
    work.session.add(customer)
    work.session.flush()
    return customer


@command(Action.CUSTOMER_EDIT)
def create_customer(work: Work, *, key: str, fields: CustomerFields, owner_id: int | None = None) -> Customer:
    """Make a customer, owned by the actor unless another rep in scope is chosen.

    Raises InvalidFields. A second call with the same `key` returns the first one's customer.
    """
    before = saved_before(work, key=key, command="create_customer")
    if before is not None:
        return get_visible(work, Customer, before)
    customer = add_customer(work, fields, owner_id=choose_owner(work, owner_id))
    remember(work, key=key, command="create_customer", record_id=customer.id)
    return customer


@command(Action.CUSTOMER_EDIT)
def edit_customer(
    work: Work, *, customer_id: int, version: int, fields: CustomerFields, owner_id: int | None = None
) -> Customer:
    """Change the given facts of a customer, and the owner where one is given and may be chosen.

    Raises NotFound, EditedMeanwhile, InvalidFields, NotAllowed (another team's customer is not taken over).
    """
    customer = get_visible(work, Customer, customer_id, version=version)
    for name, value in check_customer(work, fields, whole=False).items():
        setattr(customer, name, value)
    customer.name_key = fold_name(customer.name)
    if owner_id is not None and owner_id != customer.owner_id:
        if not work.actor.may(Action.DEAL_REASSIGN):
            raise InvalidFields({"owner_id": _("Your manager can give this customer to somebody else.")})
        if customer.owner_id is not None and not work.actor.scope.allows_rep(customer.owner_id):
            raise NotAllowed  # one sees whom one sells to, but another team looks after them
        customer.owner_id = choose_owner(work, owner_id)
    work.session.add(customer)
    work.session.flush()
    return customer


def _checked_contact(fields: ContactFields, *, whole: bool) -> ContactFields:
    tidy = cast(
        "ContactFields",
        {name: value.strip() if isinstance(value, str) else value for name, value in fields.items()},
    )
    problems = lengths_exceeded(cast("dict[str, Any]", tidy), _LONGEST_CONTACT)
    if (whole or "name" in tidy) and not tidy.get("name"):
        problems["name"] = _("Please give the contact's name.")
    if tidy.get("email") and not _ADDRESS_OF_A_PERSON.fullmatch(tidy["email"]):
        problems["email"] = _("This is not an e-mail address.")
    if problems:
        raise InvalidFields(problems)
    return tidy


def _make_only_primary(work: Work, contact: Contact) -> None:
    others = work.session.exec(select(Contact).where(Contact.customer_id == contact.customer_id, Contact.is_primary))
    for other in others:
        if other.id != contact.id:
            other.is_primary = False
            work.session.add(other)


@command(Action.CUSTOMER_EDIT)
def add_contact(work: Work, *, key: str, customer_id: int, fields: ContactFields) -> Contact:
    """Add a person to a customer; at most one is the primary contact. Raises NotFound, InvalidFields."""
    before = saved_before(work, key=key, command="add_contact")
    if before is not None:
        return get_visible(work, Contact, before)
    get_visible(work, Customer, customer_id)
    contact = Contact(customer_id=customer_id, **_checked_contact(fields, whole=True))
    work.session.add(contact)
    work.session.flush()
    if contact.is_primary:
        _make_only_primary(work, contact)
    remember(work, key=key, command="add_contact", record_id=contact.id)
    return contact


@command(Action.CUSTOMER_EDIT)
def edit_contact(work: Work, *, contact_id: int, version: int, fields: ContactFields) -> Contact:
    """Change a contact. Raises NotFound, EditedMeanwhile, InvalidFields."""
    contact = get_visible(work, Contact, contact_id, version=version)
    for name, value in _checked_contact(fields, whole=False).items():
        setattr(contact, name, value)
    work.session.add(contact)
    if contact.is_primary:
        _make_only_primary(work, contact)
    return contact


@command(Action.CUSTOMER_EDIT)
def remove_contact(work: Work, *, contact_id: int, version: int) -> None:
    """Remove a contact. Raises NotFound, EditedMeanwhile, ContactInUse."""
    contact = get_visible(work, Contact, contact_id, version=version)
    for table in (Deal, Activity):
        if work.session.exec(select(table.id).where(table.contact_id == contact_id).limit(1)).first() is not None:
            raise ContactInUse
    work.session.delete(contact)
