"""What the audit keeps by codes is told in words."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest
from sqlmodel import SQLModel

import core.services
from core.gate import COMMANDS
from core.i18n import speaking
from core.settings import PROJECT_ROOT
from core.ui.administration_words import ACTIONS, FIELDS, KINDS, value_name

UNSAID = {"id", "version", "created_at", "updated_at"}
AUDITED = sorted(
    (mapper.class_ for mapper in SQLModel._sa_registry.mappers if getattr(mapper.class_, "audited", False)),
    key=lambda kind: kind.__tablename__,
)


def test_every_kind_of_record_has_a_word():
    assert {kind.__tablename__ for kind in AUDITED} <= KINDS.keys()


@pytest.mark.parametrize("kind", AUDITED, ids=lambda kind: kind.__tablename__)
def test_every_field_has_a_word(kind):
    assert {column.name for column in kind.__table__.columns} - UNSAID <= FIELDS.keys()


def test_every_action_that_changes_something_has_a_word():
    for module in pkgutil.iter_modules(core.services.__path__):
        importlib.import_module(f"core.services.{module.name}")
    assert {command.action.value for command in COMMANDS.values()} <= ACTIONS.keys()


def test_every_action_that_is_noted_has_a_word():
    named = re.compile(r'(?:\.note\(|writing\([^)]*action=)\s*"([^"]+)"')
    files = [file for folder in ("core", "data") for file in (PROJECT_ROOT / folder).rglob("*.py")]
    said = {code for file in files for code in named.findall(file.read_text("utf-8"))}
    assert {"sign-in", "import.undo", "deals.re-rated"} <= said <= ACTIONS.keys()


@pytest.mark.parametrize("kind", AUDITED, ids=lambda kind: kind.__tablename__)
def test_every_choice_is_told_in_both_languages(kind):
    for column in kind.__table__.columns:
        for choice in getattr(getattr(column.type, "impl", column.type), "enum_class", None) or ():
            told = value_name(kind.__tablename__, column.name, choice.value)
            assert told != choice.value, (column.name, choice)
            with speaking("zh"):
                assert value_name(kind.__tablename__, column.name, choice.value) != told


def test_what_is_no_choice_stays_as_it_is():
    assert value_name("deal", "name", "won") == "won"
    assert value_name("deal", "note", None) is None
    assert value_name("app_user", "active", "true") == "Yes"
    assert value_name("deal", "note", "{not JSON") == "{not JSON"


def test_lists_and_counts_are_told_by_their_items():
    assert value_name("import_batch", "files", '["a.csv", "b.csv"]') == "a.csv, b.csv"
    assert value_name("import_batch", "made", '{"deal": 12, "customer": 3}') == "Deal: 12, Customer: 3"
