"""The documentation says what the program does: settings, links, formulas."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from core.settings import PREFIX, Settings, environment_name, unknown_settings

ROOT = Path(__file__).resolve().parent.parent
READMES = ("README.md", "README.zh-CN.md")
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|<img[^>]*\ssrc=\"([^\"]+)\"")
NAMED = re.compile(rf"\b{PREFIX}[A-Z0-9_]+\b")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
SOURCE = re.compile(r"^#+ (Sources?)\b", re.MULTILINE)
EXAMPLE = re.compile(r"^#+ (Worked example)\b", re.MULTILINE)


def read(name: str) -> str:
    path = ROOT / name
    assert path.is_file(), f"{name} is missing"
    return path.read_text(encoding="utf-8")


def table_names(text: str) -> list[str]:
    """Return the settings that begin a row of a table: `| `LUOPAN_PORT` | ...`."""
    return re.findall(rf"^\|\s*`({PREFIX}[A-Z0-9_]+)`\s*\|", text, re.MULTILINE)


def broken_links(text: str, folder: Path) -> list[str]:
    """Return the relative addresses of links and pictures that lead nowhere."""
    targets = (first or second for first, second in LINK.findall(FENCE.sub("", text)))
    return [
        target
        for target in targets
        if not re.match(r"[a-z][a-z0-9+.-]*:|#", target) and not (folder / unquote(target.split("#")[0])).exists()
    ]


def documents() -> list[Path]:
    return [*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / name for name in READMES)]


def methods() -> list[Path]:
    return sorted(path for path in (ROOT / "docs" / "methods").glob("*.md") if path.stem != "README")


def nameless(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("name", READMES)
def test_every_setting_stands_once_in_the_table_and_no_other(name):
    expected = sorted(environment_name(field) for field in Settings.model_fields)
    assert sorted(table_names(read(name))) == expected


@pytest.mark.parametrize("path", [*READMES, "compose.yaml", "Dockerfile", "Makefile"])
def test_no_document_names_a_setting_that_nobody_reads(path):
    named = set(NAMED.findall(read(path)))
    assert unknown_settings(named) == []


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_says_what_it_does(field):
    described = Settings.model_fields[field].description
    assert described
    assert described.endswith(".")


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_read_by_the_program(field):
    """A setting that nobody reads is a promise that nobody keeps."""
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for place in ("core", "pages", "data", "Home.py")
        for path in ([ROOT / place] if (ROOT / place).is_file() else (ROOT / place).rglob("*.py"))
        if path.name != "settings.py" or path.parent.name != "core"
    )
    own = (ROOT / "core" / "settings.py").read_text(encoding="utf-8")
    assert re.search(rf"\.{field}\b", text) or re.search(rf"self\.{field}\b", own), f"nobody reads {field}"


@pytest.mark.parametrize("path", documents(), ids=nameless)
def test_links_and_pictures_lead_somewhere(path):
    assert broken_links(read(nameless(path)), path.parent) == []


def test_the_formulas_are_documented():
    assert methods(), "docs/methods holds no page"


@pytest.mark.parametrize("path", methods(), ids=nameless)
def test_every_method_names_its_source_and_works_an_example(path):
    """A "## Source" that cites something, and a "## Worked example" with numbers in it."""
    text = path.read_text(encoding="utf-8")
    for heading in (SOURCE, EXAMPLE):
        found = heading.search(text)
        assert found, f"{path.name} has no heading like {heading.pattern!r}"
        body = re.split(r"^#+ ", text[found.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
        assert body, f"{path.name}: nothing stands under {found.group(1)}"
        if heading is EXAMPLE:
            assert re.search(r"\d", body), f"{path.name}: the worked example has no number"


@pytest.mark.parametrize(
    "target", ["`make run`", "`make test`", "python -m core.serve", "python -m pytest", "compose.yaml"]
)
@pytest.mark.parametrize("name", READMES)
def test_the_readme_says_how_to_start_and_test(name, target):
    assert target.strip("`") in read(name)


def test_the_readmes_lead_to_each_other():
    assert "README.zh-CN.md" in read("README.md")
    assert "README.md)" in read("README.zh-CN.md")


# --- the finders are proved on planted text -----------------------------------------------------


def test_a_link_to_nowhere_is_found_and_a_good_one_is_not(tmp_path):
    (tmp_path / "here.md").touch()
    text = (
        "[a](here.md) [b](here.md#part) [c](gone.md) ![d](shots/gone.png)\n"
        "[e](https://example.com) [f](#part)\n"
        '<img src="lost.png">\n```\n[g](in_code.md)\n```\n'
    )
    assert broken_links(text, tmp_path) == ["gone.md", "shots/gone.png", "lost.png"]


def test_settings_are_read_from_the_first_column_of_a_table():
    assert table_names("| `LUOPAN_PORT` | 8501 |\n| port | `LUOPAN_HOST` |\n`LUOPAN_DEMO`") == ["LUOPAN_PORT"]
