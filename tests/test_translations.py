"""Every sentence has its Chinese, every Chinese sentence its use, and their placeholders agree."""

from __future__ import annotations

import ast
import re
import string
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babel.messages.catalog import Catalog

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = ROOT / "core" / "locale" / "zh"
PLACES = ("core", "pages", "data", "Home.py")
MARKS = {"_": 1, "N_": 1, "_n": 2}  # how many of the first arguments are sentences
CHINESE = re.compile(r"[\u3400-\u9fff]")
FORMAT = re.compile(r"[%\w{}:.,/-]*")  # one word of signs for a day or a number, such as %Y年%m月
NAMES = {"中文", "罗盘 Luopan"}  # a language and the product are called by their own names
Message = str | tuple[str, str]


@dataclass(frozen=True)
class Said:
    """A sentence, or a pair of counted ones, and where the program says it."""

    message: Message
    where: str


def sentences(tree: ast.AST, path: str) -> Iterator[Said]:
    """Yield what stands literally in `_()`, `N_()` and `_n()`, both arms of a choice included."""
    for node, mark in _marked(tree):
        where = f"{path}:{node.lineno}"
        if mark == "_n":
            one, many = node.args[:2]
            if isinstance(one, ast.Constant) and isinstance(many, ast.Constant):
                yield Said((str(one.value), str(many.value)), where)
        else:
            for literal in _literals(node.args[0]):
                yield Said(literal, where)


def interpolated(tree: ast.AST, path: str) -> Iterator[str]:
    """Yield where a sentence is put together before it is translated, so that it never can be."""
    for node, mark in _marked(tree):
        for argument in node.args[: MARKS[mark]]:
            joined = isinstance(argument, ast.JoinedStr | ast.BinOp)
            formatted = (
                isinstance(argument, ast.Call)
                and isinstance(argument.func, ast.Attribute)
                and argument.func.attr == "format"
            )
            if joined or formatted:
                yield f"{path}:{node.lineno}"


def _marked(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            mark = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if mark in MARKS and len(node.args) >= MARKS[mark]:
                yield node, mark


def _literals(argument: ast.expr) -> Iterator[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.IfExp):
        yield from _literals(argument.body)
        yield from _literals(argument.orelse)


def placeholders(text: str) -> set[str]:
    return {name.partition(".")[0].partition("[")[0] for _l, name, _s, _c in string.Formatter().parse(text) if name}


def disagreements(catalogue: Catalog, name: str) -> list[str]:
    """Return the entries whose Chinese names other placeholders than the English."""
    wrong = []
    for message in catalogue:
        if not message.id:
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        texts = [message.string] if isinstance(message.string, str) else list(message.string)
        allowed = set().union(*map(placeholders, ids))
        needed = placeholders(ids[-1]) - ({"n"} if len(ids) > 1 else set())
        wrong += [
            f"{name}: {ids[0]!r} -> {text!r}"
            for text in texts
            if text and not needed <= placeholders(text) <= allowed | ({"n"} if len(ids) > 1 else set())
        ]
    return wrong


def parsed(files: Iterator[Path]) -> Iterator[tuple[str, ast.Module]]:
    for file in files:
        name = file.relative_to(ROOT).as_posix()
        yield name, ast.parse(file.read_text(encoding="utf-8"), filename=name)


@pytest.fixture(scope="module")
def program() -> list[tuple[str, ast.Module]]:
    files = (
        file
        for place in PLACES
        for file in ([ROOT / place] if (ROOT / place).is_file() else sorted((ROOT / place).rglob("*.py")))
    )
    return list(parsed(files))


@pytest.fixture(scope="module")
def said(program) -> list[Said]:
    return [sentence for path, tree in program for sentence in sentences(tree, path)]


@pytest.fixture(scope="module")
def catalogues() -> dict[str, Catalog]:
    found = {}
    for path in sorted(CATALOGUES.glob("*.po")):
        with path.open("rb") as file:
            found[path.name] = read_po(file, locale="zh", abort_invalid=True)
    return found


def _key(message: object) -> Message:
    return message if isinstance(message, str) else tuple(message)  # type: ignore[arg-type, return-value]


def test_every_sentence_has_its_chinese(said, catalogues):
    translated = {
        _key(message.id)
        for catalogue in catalogues.values()
        for message in catalogue
        if message.id
        and not message.fuzzy
        and (message.string if isinstance(message.string, str) else all(message.string))
    }
    missing = sorted({f"{one.where}: {one.message!r}" for one in said if one.message not in translated})
    assert not missing, f"{len(missing)} without Chinese:\n" + "\n".join(missing)


def test_every_chinese_sentence_is_used(said, catalogues):
    used = {one.message for one in said}
    unused = [
        f"{name}: {message.id!r}"
        for name, catalogue in catalogues.items()
        for message in catalogue
        if message.id and _key(message.id) not in used
    ]
    assert not unused, f"{len(unused)} said nowhere:\n" + "\n".join(unused)


def test_a_sentence_has_one_translation_wherever_it_stands(catalogues):
    first: dict[Message, tuple[str, object]] = {}
    differing = []
    for name, catalogue in catalogues.items():
        for message in catalogue:
            if not message.id:
                continue
            key = _key(message.id)
            known = first.setdefault(key, (name, message.string))
            if known[1] != message.string:
                differing.append(f"{key!r}: {known[0]} says {known[1]!r}, {name} says {message.string!r}")
    assert not differing, "\n".join(differing)


def test_placeholders_agree(catalogues):
    wrong = [line for name, catalogue in catalogues.items() for line in disagreements(catalogue, name)]
    assert not wrong, "\n".join(wrong)


def test_no_sentence_is_put_together_before_it_is_translated(program):
    found = [where for path, tree in program for where in interpolated(tree, path)]
    assert not found, "\n".join(found)


def test_message_ids_are_english(said):
    chinese = [f"{one.where}: {one.message!r}" for one in said if CHINESE.search(str(one.message))]
    assert not chinese, "\n".join(chinese)


def test_chinese_stands_in_the_catalogues_alone(program):
    """A page or a message in Chinese would stay Chinese for an English reader.

    Left out: what is data (data/, the founding process, words that an import reads), names,
    formats of days in the charts, and docstrings that name the term they explain.
    """
    found = [
        f"{path}:{node.lineno}: {node.value!r}"
        for path, tree in program
        if path.startswith(("pages/", "core/ui/", "core/web/", "core/errors.py", "core/charts/"))
        for node in _texts(tree)
        if CHINESE.search(node.value) and node.value not in NAMES
        if not (path.startswith("core/charts/") and _is_format(node.value))
    ]
    assert not found, "\n".join(found)


def _is_format(text: str) -> bool:
    """Say whether the only Chinese is that of year, month, day, quarter, and of 万 and 亿."""
    return bool(FORMAT.fullmatch(text)) and set(CHINESE.findall(text)) <= set("年月日季度周万亿")


def _texts(tree: ast.Module) -> Iterator[ast.Constant]:
    explained = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained:
            yield node


# --- the finders are proved on planted text -----------------------------------------------------


def test_sentences_are_found_in_every_form():
    source = """
_("plain"); N_("kept"); i18n._("by module"); _("yes" if x else "no"); _(variable)
_n("{n} deal", "{n} deals", 2)
"""
    found = {one.message for one in sentences(ast.parse(source), "x.py")}
    assert found == {"plain", "kept", "by module", "yes", "no", ("{n} deal", "{n} deals")}


@pytest.mark.parametrize("source", ['_(f"{n} deals")', '_("a" + b)', '_("%s" % b)', '_("{n}".format(n=1))'])
def test_a_sentence_put_together_early_is_seen(source):
    assert list(interpolated(ast.parse(source), "x.py")) == ["x.py:1"]


@pytest.mark.parametrize(
    ("english", "chinese", "agree"),
    [
        ("{n} deals", "{n} 个商机", True),
        ("{n} deals", "{m} 个商机", False),
        ("{n} deals", "商机", False),
        ("deals", "{n} 个商机", False),
        ("{day:%d}", "{day:%d} 日", True),
    ],
)
def test_placeholders_that_differ_are_seen(english, chinese, agree):
    from babel.messages.catalog import Catalog

    catalogue = Catalog(locale="zh")
    catalogue.add(english, chinese)
    assert (disagreements(catalogue, "x.po") == []) is agree
