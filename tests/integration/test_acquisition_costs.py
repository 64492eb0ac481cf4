"""What winning customers cost: entered whole, by those who may, and never over somebody else's change."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy.exc import IntegrityError

from core.errors import EditedMeanwhile, InvalidField, NotAllowed, NotFound
from core.model import AcquisitionCost, Channel
from core.model.costs import NO_CHANNEL
from core.queries.acquisition_costs import acquisition_cost_grid
from core.services.acquisition_costs import save_acquisition_costs
from core.services.month_amounts import AmountChange

JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)


@pytest.mark.parametrize("who", ["eastern rep", "eastern manager", "leader", "administrator"])
def test_only_operations_see_and_change_the_grid(company, perform_as, answer_as, who):
    with pytest.raises(NotAllowed):
        perform_as(who, save_acquisition_costs, changes=[])
    with pytest.raises(NotAllowed):
        answer_as(who, acquisition_cost_grid, year=2026)


def test_costs_of_channels_and_of_none_are_saved_changed_and_taken_away_together(company, perform_as, answer_as):
    website = company.channels["website"]
    perform_as("operations", save_acquisition_costs, changes=[
        AmountChange(website, JULY, Decimal("900.5"), None), AmountChange(NO_CHANNEL, JULY, Decimal(70), None),
        AmountChange(NO_CHANNEL, AUGUST, Decimal(80), None),
    ])  # fmt: skip
    saved = perform_as("operations", save_acquisition_costs, changes=[
        AmountChange(website, JULY, Decimal(1000), 1), AmountChange(NO_CHANNEL, JULY, None, 1),
        AmountChange(company.channels["partner"], AUGUST, Decimal(0), None),
    ])  # fmt: skip
    assert saved == 3
    grid = answer_as("operations", acquisition_cost_grid, year=2026)
    assert grid.cells == {
        (website, JULY): (Decimal("1000.00"), 2), (NO_CHANNEL, AUGUST): (Decimal("80.00"), 1),
        (company.channels["partner"], AUGUST): (Decimal("0.00"), 1),
    }  # fmt: skip
    assert [row.id for row in grid.rows] == [*sorted(company.channels.values()), NO_CHANNEL]
    following = answer_as("operations", acquisition_cost_grid, year=2027)
    assert following.cells == {}
    assert following.last_year[website, date(2027, 7, 1)] == 1000


@pytest.mark.parametrize("version", [None, 2])
@pytest.mark.parametrize("of_none", [True, False])
def test_a_cell_that_somebody_changed_meanwhile_refuses_the_whole_grid(
    company, perform_as, answer_as, version, of_none
):
    row = NO_CHANNEL if of_none else company.channels["website"]
    perform_as("operations", save_acquisition_costs, changes=[AmountChange(row, JULY, Decimal(5), None)])
    other = AmountChange(company.channels["partner"], JULY, Decimal(1), None)
    changes = [other, AmountChange(row, JULY, Decimal(6), version)]
    with pytest.raises(EditedMeanwhile):
        perform_as("operations", save_acquisition_costs, changes=changes)
    assert answer_as("operations", acquisition_cost_grid, year=2026).cells == {(row, JULY): (Decimal("5.00"), 1)}


def test_an_amount_below_zero_and_an_unknown_channel_are_refused(company, perform_as):
    with pytest.raises(InvalidField):
        perform_as("operations", save_acquisition_costs, changes=[AmountChange(NO_CHANNEL, JULY, Decimal(-1), None)])
    with pytest.raises(NotFound, match="channel"):
        perform_as("operations", save_acquisition_costs, changes=[AmountChange(9999, JULY, Decimal(1), None)])


@pytest.mark.parametrize("of_none", [True, False])
def test_the_database_holds_one_cost_a_channel_and_month_and_one_of_none(company, of_none):
    channel = None if of_none else company.channels["website"]
    company._write(AcquisitionCost(channel_id=channel, month=JULY, amount=Decimal(1)))
    with pytest.raises(IntegrityError):
        company._write(AcquisitionCost(channel_id=channel, month=JULY, amount=Decimal(2)))
    company._write(AcquisitionCost(channel_id=channel, month=AUGUST, amount=Decimal(2)))
    with pytest.raises(IntegrityError):
        company._write(AcquisitionCost(channel_id=company.channels["partner"], month=JULY, amount=Decimal(-1)))


def test_a_retired_channel_stands_in_the_years_in_which_it_cost_something(company, perform_as, answer_as):
    (old,) = company._write(Channel(code="fax", name="传真", name_en="Fax", active=False))
    company._write(AcquisitionCost(channel_id=old.id, month=JULY, amount=Decimal(3)))
    names = {year: [row.name for row in answer_as("operations", acquisition_cost_grid, year=year).rows]
             for year in (2026, 2027)}  # fmt: skip
    assert "Fax" in names[2026]
    assert "Fax" not in names[2027]
