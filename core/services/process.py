"""Changing the sales process: pipelines, their stages, and the words that deals are described by.

What a deal has passed stays: a stage that any move mentions is retired, never deleted, and keeps its kind.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import col, or_, select

from core.access.actions import Action
from core.db.work import get_visible
from core.domain.stages import StageKind
from core.errors import InvalidFields, SalesError
from core.gate import command
from core.i18n import N_, _
from core.model import Channel, Deal, LostReason, Pipeline, Stage, StageMove, Territory
from core.services.teams import name_problems

if TYPE_CHECKING:
    from core.db.work import Work

MOST_DAYS = 3650
WORDS: dict[str, type[LostReason | Channel | Territory]] = {
    "lost_reason": LostReason, "channel": Channel, "territory": Territory,
}  # fmt: skip
"""The lists of words that sales operations keeps, by table."""


class StageInUse(SalesError):
    """A deal has been in the stage."""

    text = N_("Deals have passed the stage “{stage}”, so it stays for their history: retire it instead.")


class StageKindStays(SalesError):
    """A stage that deals have passed keeps its kind, or won deals would turn into lost ones."""

    text = N_("Deals have passed the stage “{stage}”, so it keeps its kind.")
    field = "kind"


class OneWonStage(SalesError):
    """A process has exactly one stage in use that wins; one that an import brought keeps what it has, at most."""

    text = N_("A process has exactly one won stage in use.")
    field = "kind"


class LostStageNeeded(SalesError):
    """A process has at least one stage in use that loses."""

    text = N_("A process needs a lost stage in use.")
    field = "kind"


class OpenStageNeeded(SalesError):
    """A process has at least one stage in use where deals begin."""

    text = N_("A process needs an open stage in use: deals begin there.")
    field = "kind"


class DefaultPipelineStays(SalesError):
    """New deals need a process to follow."""

    text = N_("New deals follow this process. Make another one the default first.")
    field = "active"


class OrderChanged(SalesError):
    """The order that was sent does not hold the stages there are."""

    text = N_("The stages have changed meanwhile. Please look at their order again.")


@dataclass(frozen=True)
class StageFields:
    """What is said about a stage; `probability` lies in [0, 1] and counts for open stages alone."""

    name: str
    name_en: str = ""
    kind: StageKind = StageKind.OPEN
    probability: float = 0.0
    expected_days: int = 0
    active: bool = True


@command(Action.PROCESS_EDIT)
def add_pipeline(work: Work, *, name: str, name_en: str = "") -> int:
    """Make a process with one open, one won and one lost stage; return its number.

    Raises InvalidFields.
    """
    _check_name(name, name_en)
    pipeline = Pipeline(code=_code(name_en or name), name=name.strip(), name_en=name_en.strip())
    work.session.add(pipeline)
    work.session.flush()
    first = StageFields("新商机", "New", StageKind.OPEN, 0.1, 14)
    for position, fields in enumerate(
        (first, StageFields("赢单", "Won", StageKind.WON), StageFields("输单", "Lost", StageKind.LOST)),
        start=1,
    ):
        work.session.add(_stage(pipeline.id, fields, position))
    return pipeline.id


@command(Action.PROCESS_EDIT)
def edit_pipeline(
    work: Work,
    *,
    pipeline_id: int,
    version: int,
    name: str,
    name_en: str = "",
    is_default: bool = False,
    active: bool = True,
) -> None:
    """Rename a process, retire it, or make it the one that new deals follow.

    Raises NotFound, EditedMeanwhile, InvalidFields, DefaultPipelineStays.
    """
    pipeline = get_visible(work, Pipeline, pipeline_id, version=version)
    _check_name(name, name_en)
    if (pipeline.is_default and not is_default) or (is_default and not active):
        raise DefaultPipelineStays
    if is_default and not pipeline.is_default:
        for other in work.session.exec(select(Pipeline).where(Pipeline.is_default)):
            other.is_default = False
    pipeline.name, pipeline.name_en = name.strip(), name_en.strip()
    pipeline.is_default, pipeline.active = is_default, active


@command(Action.PROCESS_EDIT)
def add_stage(work: Work, *, pipeline_id: int, fields: StageFields) -> int:
    """Make a stage, the last of its kind in the process; return its number.

    Raises NotFound, InvalidFields, OneWonStage.
    """
    get_visible(work, Pipeline, pipeline_id)
    _check_stage(fields)
    stages = _stages(work, pipeline_id)
    stage = _stage(pipeline_id, fields, max((one.position for one in stages), default=0) + 1)
    work.session.add(stage)
    _check_process([*stages, stage], won_before=_won_in_use(stages))
    work.session.flush()
    _renumber(_in_order([*stages, stage]))
    return stage.id


@command(Action.PROCESS_EDIT)
def edit_stage(work: Work, *, stage_id: int, version: int, fields: StageFields) -> None:
    """Change a stage or retire it; deals that stand in a retired stage stay there until they move.

    Raises NotFound, EditedMeanwhile, InvalidFields, StageKindStays, OneWonStage, LostStageNeeded,
    OpenStageNeeded.
    """
    get_visible(work, Pipeline, get_visible(work, Stage, stage_id).pipeline_id)
    stage = get_visible(work, Stage, stage_id, version=version)
    _check_stage(fields)
    if fields.kind is not stage.kind and _is_used(work, stage_id):
        raise StageKindStays(stage=stage.name)
    kind_changes = fields.kind is not stage.kind
    won_before = _won_in_use(_stages(work, stage.pipeline_id))
    stage.name, stage.name_en, stage.kind = fields.name.strip(), fields.name_en.strip(), fields.kind
    stage.probability, stage.expected_days = _probability(fields), fields.expected_days
    stage.active = fields.active
    stages = _stages(work, stage.pipeline_id)
    _check_process(stages, won_before=won_before)
    if kind_changes:
        _renumber(_in_order(stages))


@command(Action.PROCESS_EDIT)
def reorder_stages(work: Work, *, pipeline_id: int, stage_ids: list[int]) -> None:
    """Give the stages of a process the order of `stage_ids`; open ones first, then won, then lost.

    Funnels count by position, past deals too: they are told anew in the new order. Raises NotFound,
    OrderChanged.
    """
    get_visible(work, Pipeline, pipeline_id)
    stages = {stage.id: stage for stage in _stages(work, pipeline_id)}
    if sorted(stage_ids) != sorted(stages):
        raise OrderChanged
    _renumber(_in_order([stages[number] for number in stage_ids], as_given=True))


@command(Action.PROCESS_EDIT)
def delete_stage(work: Work, *, stage_id: int, version: int) -> None:
    """Delete a stage that no deal ever passed.

    Raises NotFound, EditedMeanwhile, StageInUse, OneWonStage, LostStageNeeded, OpenStageNeeded.
    """
    get_visible(work, Pipeline, get_visible(work, Stage, stage_id).pipeline_id)
    stage = get_visible(work, Stage, stage_id, version=version)
    if _is_used(work, stage_id):
        raise StageInUse(stage=stage.name)
    stages = _stages(work, stage.pipeline_id)
    _check_process([one for one in stages if one.id != stage_id], won_before=_won_in_use(stages))
    work.session.delete(stage)


@command(Action.PROCESS_EDIT)
def add_word(work: Work, *, kind: str, name: str, name_en: str = "") -> int:
    """Add a lost reason, channel or territory (`WORDS`); return its number. Raises InvalidFields."""
    table = WORDS[kind]
    _check_word(work, kind, name, name_en, but=None)
    word = table(code=_code(name_en or name), name=name.strip(), name_en=name_en.strip())
    work.session.add(word)
    work.session.flush()
    return word.id


@command(Action.PROCESS_EDIT)
def edit_word(
    work: Work, *, kind: str, word_id: int, version: int, name: str, name_en: str = "", active: bool = True
) -> None:
    """Rename or retire a lost reason, channel or territory; deals that name it keep it.

    Raises NotFound, EditedMeanwhile, InvalidFields.
    """
    word: Any = get_visible(work, cast("Any", WORDS[kind]), word_id, version=version)
    _check_word(work, kind, name, name_en, but=word_id)
    word.name, word.name_en, word.active = name.strip(), name_en.strip(), active


def _stage(pipeline_id: int, fields: StageFields, position: int) -> Stage:
    return Stage(
        pipeline_id=pipeline_id, code=_code(fields.name_en or fields.name), name=fields.name.strip(),
        name_en=fields.name_en.strip(), position=position, kind=fields.kind, probability=_probability(fields),
        expected_days=fields.expected_days, active=fields.active,
    )  # fmt: skip


def _probability(fields: StageFields) -> float:
    return {StageKind.WON: 1.0, StageKind.LOST: 0.0}.get(fields.kind, fields.probability)


def _stages(work: Work, pipeline_id: int) -> list[Stage]:
    statement = select(Stage).where(Stage.pipeline_id == pipeline_id)
    return list(work.session.exec(statement.order_by(col(Stage.position)).with_for_update()))


def _in_order(stages: list[Stage], *, as_given: bool = False) -> list[Stage]:
    kinds = list(StageKind)
    return sorted(stages, key=lambda stage: (kinds.index(stage.kind), 0 if as_given else stage.position))


def _renumber(stages: list[Stage]) -> None:
    for position, stage in enumerate(stages, start=1):
        if stage.position != position:
            stage.position = position


def _is_used(work: Work, stage_id: int) -> bool:
    moved = select(StageMove.id).where(or_(StageMove.to_stage_id == stage_id, StageMove.from_stage_id == stage_id))
    stands = select(Deal.id).where(Deal.stage_id == stage_id)
    return any(work.session.exec(found.limit(1)).first() is not None for found in (moved, stands))


def _won_in_use(stages: list[Stage]) -> int:
    return sum(stage.active and stage.kind is StageKind.WON for stage in stages)


def _check_process(stages: list[Stage], *, won_before: int) -> None:
    """Refuse what a process cannot be; one that an import brought with several won stages never gets more."""
    kinds = [stage.kind for stage in stages if stage.active]
    if not 1 <= kinds.count(StageKind.WON) <= max(won_before, 1):
        raise OneWonStage
    if StageKind.LOST not in kinds:
        raise LostStageNeeded
    if StageKind.OPEN not in kinds:
        raise OpenStageNeeded


def _check_stage(fields: StageFields) -> None:
    problems = name_problems(fields.name, fields.name_en)
    if not 0 <= fields.probability <= 1:
        problems["probability"] = _("A probability lies between 0 % and 100 %.")
    if not 0 <= fields.expected_days <= MOST_DAYS:
        problems["expected_days"] = _("Give a whole number of days, from 0 to {most}.", most=MOST_DAYS)
    if problems:
        raise InvalidFields(problems)


def _check_name(name: str, name_en: str) -> None:
    problems = name_problems(name, name_en)
    if problems:
        raise InvalidFields(problems)


def _check_word(work: Work, kind: str, name: str, name_en: str, *, but: int | None) -> None:
    problems = name_problems(name, name_en)
    table: Any = WORDS[kind]
    same = work.session.exec(select(table.id).where(table.name == name.strip())).all()
    if any(number != but for number in same):
        problems["name"] = _("This name is in the list already.")
    if problems:
        raise InvalidFields(problems)


def _code(name: str) -> str:
    """Return a code that nobody has: the name's letters and a few signs of chance."""
    word = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{word or 'x'}-{secrets.token_hex(3)}"
