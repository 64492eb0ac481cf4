"""What several files of integration tests need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clickhouse import InProcess


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """ClickHouse's own engine, the only one of the process."""
    from tests.clickhouse import InProcess

    found = InProcess(tmp_path_factory.mktemp("clickhouse"))
    yield found
    found.end()
