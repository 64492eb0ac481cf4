"""What the tests of pages stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.ui import page, session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.factories import Company


@pytest.fixture
def on_small_company(small_company: Company) -> Iterator[None]:
    """The pages read the small company's database."""
    session.use_database(small_company.database)
    yield
    session.use_database(None)


@pytest.fixture
def reading_small_company(monkeypatch: pytest.MonkeyPatch, on_small_company: None) -> None:
    """The pages read it from this machine, with no answer kept."""
    monkeypatch.setattr(session, "address", lambda: "127.0.0.1")
    page._kept.clear()
