"""The audit's codes in words: actions, kinds of records, and their fields."""

from __future__ import annotations

import json

from core.i18n import N_, _
from core.model.system import BatchState
from core.ui.frame_words import LANGUAGE_NAMES, ROLE_NAMES
from core.ui.screens.forecast_plan import SPREADS
from core.ui.screens.leaderboard import BY_NAMES, MEASURES
from core.ui.screens.leaderboard_contests import AWARDS
from core.ui.selling import KIND_NAMES, STATE_NAMES

ACTIONS: dict[str, str] = {
    "deal.log": N_("Deal logged"),
    "deal.edit": N_("Deal edited"),
    "deal.advance": N_("Deal moved"),
    "deal.reassign": N_("Deal handed over"),
    "deals.re-rated": N_("Open deals re-rated"),
    "customer.edit": N_("Customer edited"),
    "activity.log": N_("Activity logged"),
    "scenario.save": N_("Scenario saved"),
    "forecast.view": N_("Forecast kept"),
    "share": N_("Shared by link"),
    "shared.view": N_("Share link opened"),
    "share.open": N_("Share link opened"),
    "import": N_("Import"),
    "import.apply": N_("Import made"),
    "import.undo": N_("Import undone"),
    "process.edit": N_("Process changed"),
    "product.edit": N_("Product changed"),
    "quota.edit": N_("Quota changed"),
    "acquisition_cost.edit": N_("Acquisition cost changed"),
    "currency.edit": N_("Currency or rate changed"),
    "contest.edit": N_("Contest or award changed"),
    "leave.edit": N_("Leave changed"),
    "plan.edit": N_("Sales plan changed"),
    "plan.edit.team": N_("Team's sales plan changed"),
    "people.edit": N_("People changed"),
    "setting.edit": N_("Setting changed"),
    "account": N_("Own account changed"),
    "sign-in": N_("Signed in"),
    "sign-in.failed": N_("Sign-in failed"),
    "sign-in.revoked": N_("Sign-in ended"),
    "sign-out": N_("Signed out"),
    "password.changed": N_("Password changed"),
    "password.reset": N_("Password reset"),
    "password.reset-link": N_("Reset link made"),
    "first-run": N_("First start"),
    "load_demo": N_("Demo company loaded"),
    "found": N_("Company founded"),
    "create_user": N_("Account made on the server"),
}
KINDS: dict[str, str] = {
    "deal": N_("Deal"),
    "deal_line": N_("Deal line"),
    "customer": N_("Customer"),
    "contact": N_("Contact"),
    "activity": N_("Activity"),
    "app_user": N_("Account"),
    "sign_in": N_("Sign-in"),
    "team": N_("Team"),
    "rep": N_("Rep"),
    "territory": N_("Territory"),
    "territory_assignment": N_("Territory assignment"),
    "pipeline": N_("Sales process"),
    "stage": N_("Stage"),
    "lost_reason": N_("Lost reason"),
    "channel": N_("Channel"),
    "product": N_("Product"),
    "sku": N_("SKU"),
    "quota": N_("Quota"),
    "acquisition_cost": N_("Acquisition cost"),
    "contest": N_("Contest"),
    "award": N_("Award"),
    "scenario": N_("Scenario"),
    "scenario_share": N_("Sharing of a scenario"),
    "sales_plan": N_("Sales plan"),
    "plan_line": N_("Month of a sales plan"),
    "rep_leave": N_("Leave"),
    "credit_share": N_("Share of a deal's credit"),
    "currency": N_("Currency"),
    "fx_rate": N_("Exchange rate"),
    "setting": N_("Setting"),
    "word_pair": N_("Word list"),
    "share_link": N_("Share link"),
    "import_batch": N_("Import"),
    "demo": N_("Demo company"),
    "import_mapping": N_("Import mapping"),
}
FIELDS: dict[str, str] = {
    "name": N_("Name"),
    "name_en": N_("English name"),
    "auto_named": N_("Called after customer and product"),
    "code": N_("Code"),
    "username": N_("Name for signing in"),
    "email": N_("E-mail"),
    "role": N_("Role"),
    "language": N_("Language"),
    "password_hash": N_("Password"),
    "must_change_password": N_("Must change the password"),
    "active": N_("In use"),
    "rep_id": N_("Rep"),
    "team_id": N_("Team"),
    "parent_id": N_("Stands below"),
    "territory_id": N_("Territory"),
    "joined_on": N_("Joined on"),
    "left_on": N_("Left on"),
    "owner_id": N_("Owner"),
    "credited_id": N_("Credited to"),
    "user_id": N_("Account"),
    "customer_id": N_("Customer's number"),
    "contact_id": N_("Contact's number"),
    "deal_id": N_("Deal's number"),
    "pipeline_id": N_("Sales process"),
    "stage_id": N_("Stage"),
    "stage_entered_at": N_("Entered the stage at"),
    "state": N_("State"),
    "channel_id": N_("Channel"),
    "product_id": N_("Product"),
    "sku_id": N_("SKU"),
    "lost_reason_id": N_("Lost reason"),
    "amount": N_("Amount"),
    "base_amount": N_("Amount in the company's currency"),
    "currency": N_("Currency"),
    "quantity": N_("Quantity"),
    "unit_price": N_("Unit price"),
    "discount_rate": N_("Discount"),
    "expected_close_on": N_("Expected close"),
    "opened_at": N_("Opened at"),
    "closed_at": N_("Closed at"),
    "competitor": N_("Competitor"),
    "note": N_("Note"),
    "name_key": N_("Folded name"),
    "external_id": N_("External number"),
    "segment": N_("Segment"),
    "size": N_("Size"),
    "industry": N_("Industry"),
    "country": N_("Country"),
    "city": N_("City"),
    "address": N_("Address"),
    "phone": N_("Phone"),
    "website": N_("Website"),
    "title": N_("Title"),
    "kind": N_("Kind"),
    "subject": N_("Subject"),
    "due_on": N_("Due on"),
    "done_at": N_("Done at"),
    "position": N_("Order"),
    "probability": N_("Probability"),
    "expected_days": N_("Expected days"),
    "is_default": N_("New deals follow this process"),
    "category": N_("Category"),
    "specification": N_("Specification"),
    "unit": N_("Unit"),
    "list_price": N_("List price"),
    "month": N_("Month"),
    "on": N_("From"),
    "rate": N_("Rate"),
    "value": N_("Value"),
    "deals": N_("Deals"),
    "sign_ins": N_("Sign-ins"),
    "page": N_("Page"),
    "expires_at": N_("Expires at"),
    "revoked_at": N_("Revoked at"),
    "file_name": N_("File"),
    "files": N_("Files"),
    "made": N_("Records made"),
    "removed": N_("Records removed"),
    "kept": N_("Records kept"),
    "rows_read": N_("Rows read"),
    "rows_imported": N_("Rows imported"),
    "rows_merged": N_("Rows merged"),
    "rows_refused": N_("Rows refused"),
    "is_demo": N_("Account of the demo company"),
    "series": N_("Forecast of"),
    "levers": N_("Levers moved"),
    "data_version": N_("State of the data"),
    "outlook": N_("What was expected"),
    "from_on": N_("From"),
    "until_on": N_("Until before"),
    "is_primary": N_("Main contact"),
    "import_batch_id": N_("Import's number"),
    "signature": N_("Columns of the file"),
    "mapping": N_("What the columns are"),
    "unit_cost": N_("Cost of one"),
    "base_cost": N_("Cost in the company's currency"),
    "cost": N_("Cost"),
    "plan_id": N_("Sales plan's number"),
    "scenario_id": N_("Scenario's number"),
    "contest_id": N_("Contest's number"),
    "spread": N_("Spread by"),
    "first_month": N_("First month"),
    "until_month": N_("Until before"),
    "adopted_by_id": N_("Adopted by"),
    "by_user_id": N_("Entered by"),
    "withdrawn_at": N_("Withdrawn at"),
    "competing": N_("Who competes"),
    "measure": N_("Decided by"),
    "start_on": N_("First day"),
    "end_on": N_("Until before"),
    "prize": N_("Prize"),
    "query": N_("Filters and page"),
    "frozen_at": N_("Frozen at"),
    "frozen": N_("The frozen view"),
    "token_hash": N_("The link's key"),
    "opened_count": N_("Times opened"),
    "last_opened_at": N_("Last opened at"),
    "share": N_("Part"),
    "effective_at": N_("In effect from"),
    "recorded_at": N_("Entered at"),
    "until_at": N_("In effect until"),
    "file_hash": N_("The file's fingerprint"),
    "report": N_("What the import found"),
}
_YES_NO = {"true": N_("Yes"), "false": N_("No")}
_CHOICES: dict[tuple[str, str], dict[str, str]] = {
    ("app_user", "role"): {role.value: name for role, name in ROLE_NAMES.items()},
    ("app_user", "language"): LANGUAGE_NAMES,
    ("deal", "state"): {state.value: name for state, name in STATE_NAMES.items()},
    ("stage", "kind"): {state.value: name for state, name in STATE_NAMES.items()},
    ("activity", "kind"): {kind.value: name for kind, name in KIND_NAMES.items()},
    ("award", "kind"): {kind: name for kind, (name, _icon) in AWARDS.items()},
    ("contest", "competing"): BY_NAMES,
    ("contest", "measure"): {measure: name for measure, (name, _unit) in MEASURES.items()},
    ("sales_plan", "spread"): SPREADS,
    ("import_batch", "state"): {
        BatchState.PREVIEW.value: N_("Preview"), BatchState.APPLIED.value: N_("Imported"),
        BatchState.UNDONE.value: N_("Undone"),
    },
}  # fmt: skip
"""How the values of a record's field are called: those of the fields that have a choice."""


def action_name(code: str) -> str:
    """Return an action in words; the code itself where it has none."""
    return _(ACTIONS[code]) if code in ACTIONS else code


def kind_name(code: str) -> str:
    """Return a kind of record in words; the code itself where it has none."""
    return _(KINDS[code]) if code in KINDS else code


def field_name(code: str) -> str:
    """Return a field in words; the code itself where it has none."""
    return _(FIELDS[code]) if code in FIELDS else code


def value_name(kind: str, field: str, value: str | None) -> str | None:
    """Return a field's value in words: a choice by its name, a list or counts by their items, else as it stands."""
    words = _CHOICES.get((kind, field), _YES_NO)
    if value is None or value in words:
        return value and _(words[value])
    try:
        several = json.loads(value) if value[:1] in ("[", "{") else None
    except ValueError:
        return value
    if isinstance(several, list) and not any(isinstance(item, list | dict) for item in several):
        return ", ".join(map(str, several))
    if isinstance(several, dict) and all(isinstance(count, int) for count in several.values()):
        return ", ".join(_("{label}: {value}", label=kind_name(name), value=n) for name, n in several.items())
    return value
