"""Talking to ClickHouse: statements with bound values, and Arrow tables in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

_SECURE = {"clickhouse": False, "clickhouses": True}
_PORTS = {"clickhouse": 8123, "clickhouses": 8443}


class Server(Protocol):
    """What the mirror needs of a ClickHouse. Used by several threads at a time."""

    def run(self, text: str, values: Mapping[str, Any] | None = None) -> None:
        """Run a statement that gives nothing back, and wait for its end."""

    def read(self, text: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a SELECT and return its rows."""

    def write(self, table: str, rows: pa.Table) -> None:
        """Add rows to a table, all at once; their columns are found by name."""

    def close(self) -> None:
        """Give the connections back."""


class HttpServer:
    """A ClickHouse reached by its HTTP interface: `clickhouse://user:password@host:8123/database`."""

    def __init__(self, url: str) -> None:
        import clickhouse_connect

        parts = urlsplit(url)
        self._client = clickhouse_connect.get_client(
            host=parts.hostname or "localhost",
            port=parts.port or _PORTS[parts.scheme],
            username=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            database=parts.path.strip("/") or "default",
            secure=_SECURE[parts.scheme],
            verify=parse_qs(parts.query).get("verify", ["1"])[-1] != "0",
            autogenerate_session_id=False,  # one session would answer one question at a time
        )

    def run(self, text: str, values: Mapping[str, Any] | None = None) -> None:
        """Run a statement that gives nothing back, and wait for its end."""
        self._client.command(text, parameters=dict(values or {}))

    def read(self, text: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a SELECT and return its rows."""
        return self._client.query_arrow(text, parameters=dict(values or {}), use_strings=True)

    def write(self, table: str, rows: pa.Table) -> None:
        """Add rows to a table, all at once; their columns are found by name."""
        self._client.insert_arrow(table, rows)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()
