"""What forms let one choose from, named in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import or_, select

from core.access.actions import Action
from core.domain.names import Words, named
from core.domain.stages import StageKind
from core.gate import query
from core.model import Channel, Currency, LostReason, Pipeline, Product, Rep, Sku, Stage, Team, Territory, User

if TYPE_CHECKING:
    from decimal import Decimal

    from sqlmodel import Session

    from core.db.work import Work


@dataclass(frozen=True)
class Choice:
    """One thing to choose, by number."""

    id: int
    name: str
    active: bool = True


@dataclass(frozen=True)
class StageChoice:
    """A stage of a process."""

    id: int
    name: str
    active: bool
    pipeline_id: int
    position: int
    kind: StageKind
    probability: float
    expected_days: int


@dataclass(frozen=True)
class ProductChoice:
    """A specification of a product (or a product that has none), and its list price."""

    product_id: int
    sku_id: int | None
    name: str
    unit: str
    list_price: Decimal | None
    currency: str


@dataclass(frozen=True)
class FormChoices:
    """Everything that the selling forms let one choose from, in the order shown."""

    pipelines: tuple[Choice, ...]
    stages: tuple[StageChoice, ...]
    channels: tuple[Choice, ...]
    lost_reasons: tuple[Choice, ...]
    territories: tuple[Choice, ...]
    reps: tuple[Choice, ...]
    teams: tuple[Choice, ...]
    products: tuple[ProductChoice, ...]
    currencies: tuple[str, ...]

    def stages_of(self, pipeline_id: int, *kinds: StageKind) -> list[StageChoice]:
        """Return the active stages of a process, of some kinds or all, in order."""
        return [
            stage
            for stage in self.stages
            if stage.pipeline_id == pipeline_id and stage.active and (not kinds or stage.kind in kinds)
        ]

    def stage(self, number: int) -> StageChoice:
        """Return a stage, retired ones too; a StopIteration for none."""
        return next(stage for stage in self.stages if stage.id == number)


def rep_names(session: Session) -> dict[int, str]:
    """Return every rep's name; who sells is no secret inside a company."""
    return {rep.id: named(rep) for rep in session.exec(select(Rep))}


def user_names(session: Session) -> dict[int | None, str]:
    """Return what the person of every account is called."""
    reps: dict[int | None, Rep] = {rep.id: rep for rep in session.exec(select(Rep))}
    return {user.id: named(reps.get(user.rep_id, user)) for user in session.exec(select(User))}


@query(Action.REFERENCE_VIEW)
def word_list(work: Work) -> Words:
    """Return the company's word list, by which stored words are shown in the reader's language."""
    return work.words


@query(Action.REFERENCE_VIEW)
def form_choices(work: Work) -> FormChoices:
    """Return what can be chosen: reps in the actor's scope who have not left, active words, products by name.

    Retired stages are there too, marked, since old deals stand in them. The first pipeline is the
    default one, the first currency the company's.
    """
    session = work.session
    pipelines = session.exec(select(Pipeline).where(Pipeline.active)).all()
    stages = session.exec(select(Stage).order_by(cast("Any", Stage.pipeline_id), cast("Any", Stage.position))).all()
    reps = session.exec(
        select(Rep).where(or_(cast("Any", Rep.left_on).is_(None), cast("Any", Rep.left_on) > work.today))
    ).all()
    currencies = sorted(
        session.exec(select(Currency.code).where(Currency.active)),
        key=lambda code: (code != work.base_currency, code),
    )
    return FormChoices(
        pipelines=tuple(_choice(row) for row in sorted(pipelines, key=lambda row: (not row.is_default, row.id or 0))),
        stages=tuple(
            StageChoice(
                row.id,
                named(row),
                row.active,
                row.pipeline_id,
                row.position,
                row.kind,
                row.probability,
                row.expected_days,
            )
            for row in stages
        ),
        channels=_active(work, Channel),
        lost_reasons=_active(work, LostReason),
        territories=_active(work, Territory),
        reps=choices_by_name(row for row in reps if work.actor.scope.allows_rep(row.id)),
        teams=_active(work, Team),
        products=_products(work),
        currencies=tuple(currencies),
    )


def _choice(row: Any) -> Choice:
    return Choice(row.id, named(row), getattr(row, "active", True))


def choices_by_name(rows: Any) -> tuple[Choice, ...]:
    """Return records to choose from, by what they are called."""
    return tuple(sorted((_choice(row) for row in rows), key=lambda choice: choice.name))


def _active(work: Work, table: Any) -> tuple[Choice, ...]:
    return tuple(_choice(row) for row in work.session.exec(select(table).where(table.active).order_by(table.id)))


def _products(work: Work) -> tuple[ProductChoice, ...]:
    skus: dict[int, list[Sku]] = {}
    for sku in work.session.exec(select(Sku).where(Sku.active)):
        skus.setdefault(sku.product_id, []).append(sku)
    found = []
    for product in work.session.exec(select(Product).where(Product.active)):
        number = product.id
        kinds = skus.get(number, [])
        for sku in kinds:
            kind = work.words(sku.specification) or sku.code
            label = f"{named(product)} · {kind}" if len(kinds) > 1 else named(product)
            found.append(ProductChoice(number, sku.id, label, work.words(sku.unit), sku.list_price, sku.currency))
        if not kinds:
            found.append(ProductChoice(number, None, named(product), "", None, work.base_currency))
    return tuple(sorted(found, key=lambda choice: choice.name))
