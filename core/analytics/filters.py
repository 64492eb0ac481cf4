"""What narrows a page: teams, territories, products, channels, reps, segments, one pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Self

from sqlalchemy import ColumnElement, Select, select

if TYPE_CHECKING:
    from sqlalchemy import FromClause

    from core.analytics.facts import Facts

Params = Mapping[str, Sequence[str] | str]

_PARAM = {
    "team_ids": "team",
    "territory_ids": "territory",
    "product_ids": "product",
    "channel_ids": "channel",
    "rep_ids": "rep",
    "segments": "segment",
    "pipeline_id": "pipeline",
}


@dataclass(frozen=True)
class Filters:
    """Which deals are meant; an empty tuple is all of them. A team stands for its whole subtree."""

    team_ids: tuple[int, ...] = ()
    territory_ids: tuple[int, ...] = ()
    product_ids: tuple[int, ...] = ()
    channel_ids: tuple[int, ...] = ()
    rep_ids: tuple[int, ...] = ()
    segments: tuple[str, ...] = ()
    pipeline_id: int | None = None

    @property
    def by_people_alone(self) -> bool:
        """Whether quotas can be narrowed in the same way."""
        return not (
            self.territory_ids or self.product_ids or self.channel_ids or self.segments or self.pipeline_id is not None
        )

    def to_params(self) -> dict[str, list[str]]:
        """Return what stands in a page's address, without what is empty."""
        found: dict[str, list[str]] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "pipeline_id":
                value = () if value is None else (value,)
            if value:
                found[_PARAM[field.name]] = [str(item) for item in value]
        return found

    @classmethod
    def from_params(cls, params: Params) -> Self:
        """Return the filters that an address names; what cannot be read is left out."""
        read = {name: strings(params, param) for name, param in _PARAM.items()}
        pipelines = _numbers(read["pipeline_id"])
        return cls(
            team_ids=_numbers(read["team_ids"]),
            territory_ids=_numbers(read["territory_ids"]),
            product_ids=_numbers(read["product_ids"]),
            channel_ids=_numbers(read["channel_ids"]),
            rep_ids=_numbers(read["rep_ids"]),
            segments=tuple(sorted({text for text in read["segments"] if text})),
            pipeline_id=pipelines[0] if pipelines else None,
        )


NO_FILTERS = Filters()
"""Every deal in the scope."""


def strings(params: Params, name: str) -> list[str]:
    """Return the values of a parameter that may come once, repeated, or not at all."""
    value = params.get(name, ())
    return [value] if isinstance(value, str) else list(value)


def number(text: str) -> int | None:
    """Return the row number that `text` is, None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _numbers(texts: Sequence[str]) -> tuple[int, ...]:
    return tuple(sorted({found for text in texts if (found := number(text)) is not None}))


def deal_conditions(facts: Facts, filters: Filters) -> list[ColumnElement[bool]]:
    """Return what a deal of `facts.deals` must be to count under `filters`."""
    deals = facts.deals.c
    found = [facts.counted()]
    if filters.team_ids:
        found.append(deals.credit_team_id.in_(teams_below(facts, filters)))
    if filters.territory_ids:
        found.append(deals.territory_id.in_(filters.territory_ids))
    if filters.product_ids:
        found.append(deals.product_id.in_(filters.product_ids))
    if filters.channel_ids:
        found.append(deals.channel_id.in_(filters.channel_ids))
    if filters.rep_ids:
        found.append(deals.credit_id.in_(filters.rep_ids))
    if filters.segments:
        found.append(deals.segment.in_(filters.segments))
    if filters.pipeline_id is not None:
        found.append(deals.pipeline_id == filters.pipeline_id)
    return found


def stays_counted(
    facts: Facts, stays: FromClause, *, pipeline_id: int, filters: Filters
) -> tuple[FromClause, list[ColumnElement[bool]]]:
    """Return stays (such as `facts.spans`) and what those of a process must be to count.

    Their deals are joined with them where the filters ask for what a stay does not carry.
    """
    deals = facts.deals.c
    plain = replace(filters, pipeline_id=None) == NO_FILTERS and filters.pipeline_id in (None, pipeline_id)
    if plain and facts.each_stay_has_its_deal:
        return stays, [stays.c.pipeline_id == pipeline_id, facts.counted(stays)]
    joined = stays.join(facts.deals, deals.id == stays.c.deal_id)
    return joined, [deals.pipeline_id == pipeline_id, *deal_conditions(facts, filters)]


def people_conditions(facts: Facts, filters: Filters, table: str) -> list[ColumnElement[bool]]:
    """Return what a quota or an activity (`table` of `facts`) must be, by team and rep alone."""
    columns = getattr(facts, table).c
    found: list[ColumnElement[bool]] = []
    if filters.team_ids:
        found.append(columns.team_id.in_(teams_below(facts, filters)))
    if filters.rep_ids:
        found.append(columns.rep_id.in_(filters.rep_ids))
    return found


def teams_below(facts: Facts, filters: Filters) -> Select[tuple[int]]:
    """Return the teams that the filters name, with every team below them."""
    trees = facts.subtrees.c
    return select(trees.team_id).where(trees.top_id.in_(filters.team_ids))
