"""The first rows of a plan as they will stand in the program."""

from __future__ import annotations

import pandas as pd

from core.domain.periods import day_of
from core.importing.batches import Preview
from core.queries.imports import Reference

_COLUMNS = ("name", "customer", "rep", "stage", "amount", "currency", "opened_on", "closed_on", "expected_on")


def sample_deals(preview: Preview, reference: Reference, *, count: int = 10) -> pd.DataFrame:
    """Return the first planned deals, with the columns of `_COLUMNS`.

    Amounts are of the deal's currency, days those of the company.
    """
    customers = {one.id: one.name for one in reference.customers}
    reps = {one.id: one.name for one in reference.reps}
    stages = {stage.id: stage.name for stage in reference.stages}
    for table, found in (("customer", customers), ("rep", reps), ("stage", stages)):
        found.update({row["id"]: row["name"] for row in preview.plan.rows.get(table, ())})
    rows = [
        {
            "name": deal["name"], "customer": customers.get(deal["customer_id"], ""),
            "rep": reps.get(deal["owner_id"], ""), "stage": stages.get(deal["stage_id"], ""),
            "amount": float(deal["amount"]), "currency": deal["currency"],
            "opened_on": day_of(deal["opened_at"], reference.zone),
            "closed_on": day_of(deal["closed_at"], reference.zone) if deal["closed_at"] else pd.NaT,
            "expected_on": deal["expected_close_on"],
        }
        for deal in preview.plan.rows.get("deal", ())[:count]
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(_COLUMNS))
