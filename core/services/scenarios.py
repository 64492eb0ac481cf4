"""Keeping scenarios (情景) by name: their author's, and shown to others where the author shares them."""

from __future__ import annotations

from datetime import date
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from core.access.actions import Action
from core.db.actors import teams_to_tell
from core.db.work import get_visible
from core.errors import InvalidFields, SalesError
from core.forecasting.levers import Levers
from core.gate import command
from core.i18n import N_, _
from core.model import Scenario, ScenarioShare
from core.services.idempotency import remember, saved_before

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.db.work import Work

LONGEST_NAME = 80
LONGEST_NOTE = 1000
MOST_SCENARIOS = 200
MOST_STEPS = 120


class ScenarioNameTaken(SalesError):
    """One's scenarios differ by name."""

    text = N_("You already keep a scenario named {name}. Choose another name, or replace it.")
    field = "name"


class NotYourTeam(SalesError):
    """One shares with one's own team and those below it."""

    text = N_("A scenario is shared with your own team or one below it.")


class TooManyScenarios(SalesError):
    """A person keeps a bounded number of scenarios."""

    text = N_("You keep {most} scenarios already. Delete some before you save another.")


class NotYourScenario(SalesError):
    """A scenario that is shared stays its author's to change."""

    text = N_("Only its author may change this scenario. Duplicate it to have one of your own.")


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
    outlook: dict[str, Any] | None = None,
) -> Scenario:
    """Keep levers and the series they were laid on; with `replace`, in place of one's own of that name.

    `outlook`: what was forecast, to be held against what comes: lists of one length, `ds` (days in
    ISO form) and `base`, `scenario`, `lo`, `hi` (the series' unit), and `on`, the day it was made.
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
    scenario.outlook = _checked_outlook(outlook)
    scenario.data_version = work.database.mirror.version
    _write(work, scenario)
    remember(work, key=key, command="save_scenario", record_id=scenario.id)
    return scenario


@command(Action.SCENARIO_SAVE)
def rename_scenario(work: Work, *, scenario_id: int, name: str, version: int) -> Scenario:
    """Give one's own scenario another name.

    Raises NotFound for anybody else's, EditedMeanwhile, InvalidFields, ScenarioNameTaken.
    """
    scenario = _own(work, scenario_id, version=version)
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
    scenario = _own(work, scenario_id)
    for share in work.session.exec(select(ScenarioShare).where(ScenarioShare.scenario_id == scenario_id)).all():
        work.session.delete(share)
    work.session.flush()
    work.session.delete(scenario)


@command(Action.SCENARIO_SAVE)
def restore_scenario(work: Work, *, key: str, snapshot: Mapping[str, Any]) -> Scenario:
    """Bring one's deleted scenario back as `my_scenarios` told of it, with whom it was shared with.

    It is shared again as far as one may still share with that team. Raises InvalidFields, LeverOutOfRange,
    ScenarioNameTaken, TooManyScenarios.
    """
    before = saved_before(work, key=key, command="restore_scenario")
    if before is not None:
        return get_visible(work, Scenario, before)
    scenario = save_scenario(
        work, key=f"{key}-saved", name=str(snapshot["name"]), note=str(snapshot["note"]), series=snapshot["series"],
        levers=snapshot["levers"], outlook=snapshot["outlook"],
    )  # fmt: skip
    scenario.data_version = int(snapshot["data_version"])
    team = snapshot["team_id"]
    if snapshot["shared"] and team in teams_to_tell(work.session, work.actor):
        work.session.add(ScenarioShare(scenario_id=scenario.id, team_id=team))
    work.session.flush()
    remember(work, key=key, command="restore_scenario", record_id=scenario.id)
    return scenario


@command(Action.SCENARIO_SAVE)
def duplicate_scenario(work: Work, *, key: str, scenario_id: int) -> Scenario:
    """Make one's own copy of a scenario that one sees, by a name that is free. Raises NotFound, TooManyScenarios."""
    before = saved_before(work, key=key, command="duplicate_scenario")
    if before is not None:
        return get_visible(work, Scenario, before)
    original = get_visible(work, Scenario, scenario_id)
    taken = set(work.session.exec(select(Scenario.name).where(Scenario.user_id == work.actor.user_id)).all())
    if len(taken) >= MOST_SCENARIOS:
        raise TooManyScenarios(most=MOST_SCENARIOS)
    copy = Scenario(
        user_id=cast("int", work.actor.user_id), name=_free_name(original.name, taken), note=original.note,
        series=dict(original.series), levers=dict(original.levers), data_version=work.database.mirror.version,
    )  # fmt: skip
    if original.user_id == work.actor.user_id:
        copy.outlook, copy.data_version = original.outlook, original.data_version
    _write(work, copy)
    remember(work, key=key, command="duplicate_scenario", record_id=copy.id)
    return copy


@command(Action.SCENARIO_SAVE)
def share_scenario(work: Work, *, scenario_id: int, version: int, team_id: int | None = None) -> None:
    """Show one's scenario, its name, note, series and levers, to a team or, without one, to the whole company.

    A team is shown it with those above and below it. The whole company, and teams beyond one's own line, are for those
    who see everything. Raises NotFound, EditedMeanwhile, NotYourScenario, NotYourTeam.
    """
    scenario = _own(work, scenario_id, version=version)
    if team_id not in teams_to_tell(work.session, work.actor):
        raise NotYourTeam
    share = work.session.exec(select(ScenarioShare).where(ScenarioShare.scenario_id == scenario_id)).one_or_none()
    share = share or ScenarioShare(scenario_id=scenario.id)
    share.team_id = team_id
    work.session.add(share)


@command(Action.SCENARIO_SAVE)
def stop_sharing_scenario(work: Work, *, scenario_id: int, version: int) -> None:
    """Keep one's scenario to oneself again. Raises NotFound, EditedMeanwhile, NotYourScenario."""
    _own(work, scenario_id, version=version)
    for share in work.session.exec(select(ScenarioShare).where(ScenarioShare.scenario_id == scenario_id)).all():
        work.session.delete(share)


def _own(work: Work, scenario_id: int, *, version: int | None = None) -> Scenario:
    scenario = get_visible(work, Scenario, scenario_id, version=version)
    if scenario.user_id != work.actor.user_id:
        raise NotYourScenario
    return scenario


def _free_name(name: str, taken: set[str]) -> str:
    number = 2
    while (found := f"{name[: LONGEST_NAME - 6]} ({number})") in taken:
        number += 1
    return name if name not in taken else found


def _checked_outlook(outlook: dict[str, Any] | None) -> dict[str, Any] | None:
    if outlook is None:
        return None
    days = [date.fromisoformat(str(day)).isoformat() for day in outlook["ds"]]
    if not 0 < len(days) <= MOST_STEPS:
        message = f"an outlook has 1 to {MOST_STEPS} steps, not {len(days)}"
        raise ValueError(message)
    kept = {name: [float(value) for value in outlook[name]] for name in ("base", "scenario", "lo", "hi")}
    if any(len(values) != len(days) or not all(map(isfinite, values)) for values in kept.values()):
        message = "an outlook has a finite number for each step"
        raise ValueError(message)
    return {"ds": days, **kept, "on": date.fromisoformat(str(outlook["on"])).isoformat()}


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
