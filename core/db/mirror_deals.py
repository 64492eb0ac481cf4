"""A deal's row in the mirror, of its own and of its lines, moves, people and customers: columns in, columns out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.db.mirror_histories import LOST, OPEN, dates, instants, moments, small, whole_numbers
from core.db.mirror_runs import Runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.db.mirror_days import Days
    from core.db.mirror_histories import Moves, Stages
    from core.db.mirror_runs import Flags, Numbers


class Met(NamedTuple):
    """The last day on which something was done for each deal, by deal: ascending numbers, days since 1970."""

    deal: Numbers
    on: Numbers

    @classmethod
    def of(cls, deal: Numbers, on: Numbers) -> Met:
        """Return the last of these days of each deal."""
        if not len(deal):
            return cls(deal, on)
        order = np.argsort(deal, kind="stable")
        starts = Runs.of(deal[order]).starts
        return cls(deal[order][starts], np.maximum.reduceat(on[order], starts))

    @classmethod
    def together(cls, parts: list[Met]) -> Met:
        """Return the last days of all parts."""
        none = np.empty(0, np.int64)
        return cls.of(
            *(np.concatenate([none, *columns]) for columns in (zip(*parts, strict=True) if parts else [[], []]))
        )


class Beside(NamedTuple):
    """What a deal's row has of other tables: of reps `id` and `team_id`, of customers `id` and where they belong.

    Both are ordered by `id`.
    """

    stages: Stages
    reps: pa.Table
    customers: pa.Table
    met: Met


def with_days(activities: pa.Table, days: Days) -> tuple[pa.Table, Met]:
    """Return activities with `done_on`, and the last days of their deals."""
    on, missing = _days_of(activities["done_at"], days)
    deal = whole_numbers(activities["deal_id"])
    counted = ~missing & (deal >= 0)
    return activities.append_column("done_on", dates(on, missing)), Met.of(deal[counted], on[counted])


def deals_table(deals: pa.Table, lines: pa.Table, moves: Moves, beside: Beside, days: Days) -> pa.Table:
    """Return the mirror's `deals`.

    The main product is that of the line with the largest amount, the first of equals.
    """
    stages = beside.stages
    number, stage = whole_numbers(deals["id"]), whole_numbers(deals["stage_id"])
    owner, credited = whole_numbers(deals["owner_id"]), whole_numbers(deals["credited_id"])
    nobody = credited < 0
    kind, position = stages.kind[stage], stages.position[stage]
    product, units = _of_lines(lines, number)
    reached, furthest = moves.reached(stages)
    furthest = np.maximum(_at(furthest, _places(number, reached)), np.where(kind == LOST, 1, position))
    amount = whole_numbers(deals["base_amount"])
    customer = _taken(whole_numbers(deals["customer_id"]), beside.customers)
    teams, credited_teams = (_taken(rep, beside.reps)["team_id"] for rep in (owner, credited))
    began, ended = instants(deals["opened_at"]), instants(deals["closed_at"])
    open_still = deals["closed_at"].is_null().to_numpy()
    return pa.table({
        **{name: deals[name] for name in ("name", "id", "pipeline_id", "stage_id", "owner_id", "credited_id",
                                          "customer_id", "channel_id", "lost_reason_id", "state", "competitor")},
        "auto_named": deals["auto_named"].cast(pa.bool_()), "position": small(position), "furthest": small(furthest),
        "credit_id": small(np.where(nobody, owner, credited)), "team_id": teams, "credited_team_id": credited_teams,
        "credit_team_id": pc.if_else(pa.array(nobody), teams, credited_teams),
        "territory_id": customer["territory_id"], "product_id": product,
        "expected_days": small(stages.expected_days[stage], stages.expected_days[stage] < 0),
        "segment": pc.fill_null(customer["segment"], ""), "industry": pc.fill_null(customer["industry"], ""),
        "amount": deals["base_amount"], "cost": deals["base_cost"], "units": units,
        "weighted": pa.array(np.where(kind == OPEN, _share(amount, stages.probability[stage]), 0)),
        "probability": pa.array(stages.probability[stage]), "opened_at": moments(began),
        "closed_at": moments(ended, open_still), "stage_entered_at": moments(instants(deals["stage_entered_at"])),
        **{f"{name}_on": dates(*_days_of(deals[f"{name}_at"], days)) for name in ("opened", "closed", "stage_entered")},
        "expected_close_on": deals["expected_close_on"].cast(pa.date32()),
        "last_activity_on": dates(*_at_or_none(beside.met.on, _places(number, beside.met.deal))),
        "cycle_days": pa.array((ended / 1e6 - began / 1e6) / 86_400.0, mask=open_still),
    })  # fmt: skip


def _of_lines(lines: pa.Table, number: Numbers) -> tuple[pa.Array, pa.Array]:
    """Return the main product and the units of each deal."""
    deal, product, quantity, amount, line = (
        whole_numbers(lines[name]) for name in ("deal_id", "product_id", "quantity", "amount", "id")
    )
    order = np.lexsort((line, -amount, deal))
    starts = Runs.of(deal[order]).starts
    units = np.add.reduceat(quantity[order], starts) if len(starts) else starts
    places = _places(number, deal[order][starts])
    return small(*_at_or_none(product[order][starts], places)), pa.array(_at(units, places))


def _share(amount: Numbers, probability: NDArray[np.float64]) -> Numbers:
    """Return amounts times millionths of probability, halves rounded up, in whole numbers throughout."""
    millionths = np.rint(probability * 1_000_000).astype(np.int64)
    whole, rest = np.divmod(amount, 1_000_000)
    found: Numbers = whole * millionths + (rest * millionths + 500_000) // 1_000_000
    return found


def _days_of(column: pa.ChunkedArray, days: Days) -> tuple[Numbers, Flags]:
    """Return the days of instants, and where there is none."""
    found, missing = instants(column), column.is_null().to_numpy()
    if not missing.any():
        return days.of(found), missing
    on = np.zeros(len(found), np.int64)
    on[~missing] = days.of(found[~missing])
    return on, missing


def _taken(numbers: Numbers, table: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Return the columns of the rows with these numbers, NULL for those that are none. table: ordered by `id`."""
    place, found = _places(numbers, whole_numbers(table["id"]))
    chosen = pa.array(place, mask=~found)
    return {name: table[name].take(chosen) for name in table.column_names if name != "id"}


def _places(numbers: Numbers, among: Numbers) -> tuple[Numbers, Flags]:
    """Return where numbers stand among ascending ones, and whether they do."""
    if not len(among):
        return np.zeros(len(numbers), np.int64), np.zeros(len(numbers), np.bool_)
    place = np.minimum(np.searchsorted(among, numbers), len(among) - 1)
    return place, among[place] == numbers


def _at(values: Numbers, places: tuple[Numbers, Flags]) -> Numbers:
    """Return the values at these places, 0 where there is none."""
    place, found = places
    return np.where(found, values[place], 0) if len(values) else np.zeros(len(place), np.int64)


def _at_or_none(values: Numbers, places: tuple[Numbers, Flags]) -> tuple[Numbers, Flags]:
    return _at(values, places), ~places[1]
