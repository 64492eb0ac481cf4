"""The grid of quotas is saved whole, by those who may, and never over somebody else's change."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from core.errors import EditedMeanwhile, InvalidField, NotAllowed, NotFound
from core.queries.administration import quota_grid
from core.services.month_amounts import AmountChange
from core.services.quotas import save_quotas

JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)


@pytest.mark.parametrize("who", ["eastern rep", "eastern manager", "leader", "administrator"])
def test_only_operations_see_and_change_the_grid(company, perform_as, answer_as, who):
    with pytest.raises(NotAllowed):
        perform_as(who, save_quotas, of="rep", changes=[])
    with pytest.raises(NotAllowed):
        answer_as(who, quota_grid, year=2026, of="rep")


def test_new_changed_and_emptied_cells_are_saved_together(company, make, perform_as, answer_as):
    make.quota(month=JULY, amount=1000, rep="alice")
    make.quota(month=AUGUST, amount=1000, rep="alice")
    alice, bob = company.reps["alice"], company.reps["bob"]
    saved = perform_as(
        "operations",
        save_quotas,
        of="rep",
        changes=[
            AmountChange(alice, JULY, Decimal("1200.50"), 1),
            AmountChange(alice, AUGUST, None, 1),
            AmountChange(bob, JULY, Decimal(700), None),
        ],
    )
    grid = answer_as("operations", quota_grid, year=2026, of="rep")
    assert saved == 3
    assert grid.cells == {(alice, JULY): (Decimal("1200.50"), 2), (bob, JULY): (Decimal("700.00"), 1)}


@pytest.mark.parametrize("version", [None, 2])
def test_a_cell_that_somebody_changed_meanwhile_refuses_the_whole_grid(company, make, perform_as, answer_as, version):
    make.quota(month=JULY, amount=1000, rep="alice")
    alice, bob = company.reps["alice"], company.reps["bob"]
    with pytest.raises(EditedMeanwhile):
        perform_as(
            "operations",
            save_quotas,
            of="rep",
            changes=[
                AmountChange(bob, JULY, Decimal(1), None),
                AmountChange(alice, JULY, Decimal(2), version),
            ],
        )
    grid = answer_as("operations", quota_grid, year=2026, of="rep")
    assert grid.cells == {(alice, JULY): (Decimal("1000.00"), 1)}


def test_an_amount_below_zero_and_an_unknown_rep_are_refused(company, perform_as):
    with pytest.raises(InvalidField):
        perform_as(
            "operations",
            save_quotas,
            of="rep",
            changes=[AmountChange(company.reps["bob"], JULY, Decimal(-1), None)],
        )
    with pytest.raises(NotFound):
        perform_as("operations", save_quotas, of="rep", changes=[AmountChange(9999, JULY, Decimal(1), None)])


def test_last_year_stands_a_year_on_beside_this_one(company, make, answer_as):
    make.quota(month=date(2025, 7, 1), amount=900, team="east")
    make.quota(month=JULY, amount=1000, team="east")
    grid = answer_as("operations", quota_grid, year=2026, of="team")
    east = company.teams["east"]
    assert grid.last_year == {(east, JULY): Decimal("900.00")}
    assert grid.cells == {(east, JULY): (Decimal("1000.00"), 1)}
    assert (grid.months[0], grid.months[-1], len(grid.months)) == (date(2026, 1, 1), date(2026, 12, 1), 12)
