"""Keeping scenarios (情景) by name: their author's alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from core.access.actions import Action
from core.db.work import get_visible
from core.errors import InvalidFields, SalesError
from core.forecasting.levers import Levers
from core.gate import command
from core.i18n import N_, _
from core.model import Scenario
from core.services.idempotency import remember, saved_before

if TYPE_CHECKING:
    from core.db.work import Work

LONGEST_NAME = 80
LONGEST_NOTE = 1000
MOST_SCENARIOS = 200


class ScenarioNameTaken(SalesError):
    """One's scenarios differ by name."""

    text = N_("You already keep a scenario named {name}. Choose another name, or replace it.")
    field = "name"


class TooManyScenarios(SalesError):
    """A person keeps a bounded number of scenarios."""

    text = N_("You keep {most} scenarios already. Delete some before you save another.")


@command(Action.SCENARIO_SAVE)
def save_scenario(
    work: Work,
    *,
    key: str,
    name: str,
    series: dict[str, Any],
    levers: dict[str, Any],
    note: str = "",
    replace: bool = False,
) -> Scenario:
    """Keep levers and the series they were laid on; with `replace`, in place of one's own of that name.

    A second call with the same `key` returns the first scenario. Raises InvalidFields,
    LeverOutOfRange, ScenarioNameTaken, TooManyScenarios.
    """
    before = saved_before(work, key=key, command="save_scenario")
    if before is not None:
        return get_visible(work, Scenario, before)
    name, note = _checked(name, note)
    kept = Levers.from_dict(levers).to_dict()
    mine = select(Scenario).where(Scenario.user_id == work.actor.user_id)
    scenario = work.session.exec(mine.where(Scenario.name == name)).one_or_none()
    if scenario is not None and not replace:
        raise ScenarioNameTaken(name=name)
    if scenario is None and len(work.session.exec(mine).all()) >= MOST_SCENARIOS:
        raise TooManyScenarios(most=MOST_SCENARIOS)
    if scenario is None:
        scenario = Scenario(user_id=cast("int", work.actor.user_id), name=name, series={}, levers={})
    scenario.note, scenario.series, scenario.levers = note, dict(series), kept
    scenario.data_version = work.database.mirror.version
    _write(work, scenario)
    remember(work, key=key, command="save_scenario", record_id=scenario.id)
    return scenario


@command(Action.SCENARIO_SAVE)
def rename_scenario(work: Work, *, scenario_id: int, name: str, version: int) -> Scenario:
    """Give one's own scenario another name.

    Raises NotFound for anybody else's, EditedMeanwhile, InvalidFields, ScenarioNameTaken.
    """
    scenario = get_visible(work, Scenario, scenario_id, version=version)
    scenario.name, _note = _checked(name, scenario.note)
    with work.session.no_autoflush:
        others = select(Scenario).where(
            Scenario.user_id == work.actor.user_id, Scenario.name == scenario.name, Scenario.id != scenario_id
        )
        if work.session.exec(others).first() is not None:
            raise ScenarioNameTaken(name=scenario.name)
    _write(work, scenario)
    return scenario


@command(Action.SCENARIO_SAVE)
def delete_scenario(work: Work, *, scenario_id: int) -> None:
    """Throw one's own scenario away. Raises NotFound for anybody else's."""
    work.session.delete(get_visible(work, Scenario, scenario_id))


def _checked(name: str, note: str) -> tuple[str, str]:
    name, note = " ".join(name.split()), note.strip()
    problems = {}
    if not name:
        problems["name"] = _("Give the scenario a name.")
    elif len(name) > LONGEST_NAME:
        problems["name"] = _("At most {n} characters, please.", n=LONGEST_NAME)
    if len(note) > LONGEST_NOTE:
        problems["note"] = _("At most {n} characters, please.", n=LONGEST_NOTE)
    if problems:
        raise InvalidFields(problems)
    return name, note


def _write(work: Work, scenario: Scenario) -> None:
    work.session.add(scenario)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise ScenarioNameTaken(name=scenario.name) from error
