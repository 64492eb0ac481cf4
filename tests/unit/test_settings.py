"""Settings that cannot be used end the program with a sentence that names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core import errors
from core.settings import WrongSettings, settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_each_wrong_setting_is_named_with_its_reason_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUOPAN_DEMO", "yes")
    monkeypatch.setenv("LUOPAN_TIME_ZONE", "Mars/Base")
    with pytest.raises(WrongSettings) as refused:
        settings()
    assert refused.value.names == ("LUOPAN_TIME_ZONE", "LUOPAN_DEMO")
    said = str(refused.value)
    assert "LUOPAN_DEMO: Input should be 'offer', 'load' or 'never'" in said
    assert "LUOPAN_TIME_ZONE: 'Mars/Base' is not a time zone" in said
    assert "LUOPAN_PORT" not in said


def test_a_value_that_may_be_a_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUOPAN_PORT", "hunter2")
    with pytest.raises(WrongSettings) as refused:
        settings()
    assert "hunter2" not in str(refused.value)


def test_it_ends_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUOPAN_SESSION_HOURS", "0")
    with pytest.raises(SystemExit, match="LUOPAN_SESSION_HOURS: Input should be greater than or equal to 1"):
        settings()


@pytest.mark.parametrize(
    ("locale", "said"),
    [("en_US.UTF-8", "These settings cannot be used (the README"), ("zh_CN.UTF-8", "以下设置不可用")],
)
def test_it_is_said_in_the_consoles_language(monkeypatch: pytest.MonkeyPatch, locale: str, said: str) -> None:
    assert WrongSettings.heading is errors.wrong_settings
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LANG", locale)
    monkeypatch.setenv("LUOPAN_PORT", "none")
    with pytest.raises(WrongSettings) as refused:
        settings()
    assert str(refused.value).startswith(said)
