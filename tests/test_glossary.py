"""The glossary is the source: code and catalogues use its words, and not those it rules out."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
AMBIGUOUS = frozenset(
    {"item", "group", "task", "completion", "validation", "sales", "region", "source", "goal", "target", "client"}
)
"""Ruled out as names of the thing, but words of their own: a list's items, the text before translation."""


def rows(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Return word, Chinese and ruled-out words of each row of the glossary's table."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and not set(cells[0]) <= set("-:") and cells[0] != "code":
            yield cells[0], cells[1], [word.strip() for word in cells[3].split(",") if word.strip()]


GLOSSARY = list(rows((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")))
PLANNED = {"Lead"}  # in the language of the product, not in the tables yet


def catalogue() -> dict[str, str]:
    """Return every plain sentence of the Chinese catalogues with its translation."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "core" / "locale" / "zh").glob("*.po")):
        with path.open("rb") as file:
            found |= {m.id: str(m.string) for m in read_po(file) if isinstance(m.id, str) and m.id}
    return found


def names_defined() -> set[str]:
    """Return the names of classes and functions that the program defines."""
    found: set[str] = set()
    for place in ("core", "pages", "data"):
        for path in (ROOT / place).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef | ast.FunctionDef):
                    found.add(node.name)
    return found


def has_word(text: str, word: str) -> bool:
    """Say whether `text`, a sentence or a name in snake or camel case, has `word` or its plural."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", text)
    return re.search(rf"\b{re.escape(word)}(s|es)?\b", parts, re.IGNORECASE) is not None


def test_no_word_and_no_translation_stands_twice():
    words = [word.lower() for word, _zh, _never in GLOSSARY]
    chinese = [zh for _word, zh, _never in GLOSSARY if zh]
    assert len(words) == len(set(words)) > 20
    assert len(chinese) == len(set(chinese))


def test_every_name_in_code_that_the_glossary_gives_is_defined():
    given = {name for word, _zh, _never in GLOSSARY for name in re.findall(r"`(\w+)`", word)}
    assert given - PLANNED <= names_defined()


@pytest.mark.parametrize(("word", "chinese"), [(word.strip("`"), zh) for word, zh, _never in GLOSSARY if zh])
def test_a_label_that_is_the_word_itself_says_the_glossarys_chinese(word, chinese):
    labels = {word, word.capitalize()}
    said = {text for label, text in catalogue().items() if label in labels}
    assert said <= {chinese}, f"{word}: the catalogues say {said}"


@pytest.mark.parametrize("word", sorted({w for _word, _zh, never in GLOSSARY for w in never} - AMBIGUOUS))
def test_a_ruled_out_word_names_nothing_and_is_said_nowhere(word):
    assert [name for name in names_defined() if has_word(name, word)] == []
    assert [sentence for sentence in catalogue() if has_word(sentence, word)] == []


def test_the_finder_knows_plurals_and_both_cases_and_no_parts_of_words():
    assert has_word("Open opportunities and prospects", "prospect")
    assert has_word("SimulationRun", "simulation")
    assert has_word("next_phase", "phase")
    assert not has_word("emphases", "phase")
