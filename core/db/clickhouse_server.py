"""Talking to ClickHouse: statements with bound values, and Arrow tables in and out."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from core.errors import AnalyticsAway, AnalyticsRefused, AnalyticsTooOld

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from clickhouse_connect.driver.client import Client
    from clickhouse_connect.driver.exceptions import Error

NEEDED: Final = "26.9"
"""The oldest ClickHouse that answers every question."""

_LOG = logging.getLogger(__name__)
_CONNECT_SECONDS: Final = 5
_ANSWER_SECONDS: Final = 60
"""What takes longer is taken for a server that hangs: far more than the longest step of a build needs."""
_SAID_EVERY: Final = 60.0
"""Seconds between two entries of the log about a server that cannot be used."""

_REFUSALS: Final = frozenset({81, 192, 193, 194, 195, 497, 516})
"""ClickHouse's numbers for: no such database, no such user, wrong or no password, access denied, sign-in failed."""

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
    """A ClickHouse reached by its HTTP interface: `clickhouse://user:password@host:8123/database`.

    Connects at the first use. Where it cannot be reached, is too old or refuses the sign-in, each use raises an
    AnalyticsAway without the driver's words, which the log has, and the next use tries again.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Client | None = None
        self._connecting = Lock()
        self._failure: AnalyticsAway | None = None
        self._rests_until = 0.0
        self._said_at: float | None = None

    def run(self, text: str, values: Mapping[str, Any] | None = None) -> None:
        """Run a statement that gives nothing back, and wait for its end."""
        with self._talking() as client:
            client.command(text, parameters=dict(values or {}))

    def read(self, text: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a SELECT and return its rows."""
        with self._talking() as client:
            return client.query_arrow(text, parameters=dict(values or {}), use_strings=True)

    def write(self, table: str, rows: pa.Table) -> None:
        """Add rows to a table, all at once; their columns are found by name."""
        with self._talking() as client:
            client.insert_arrow(table, rows)

    def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @contextmanager
    def _talking(self) -> Iterator[Client]:
        """Give the connected client, and say what kept it from answering."""
        client = self._connected()
        with self._failures_told():
            yield client

    def _connected(self) -> Client:
        """Connect where that has not been done.

        Who waited while another thread tried in vain is given that failure: for as long as the try took, so that
        readers of a server that never answers do not wait for one another's tries.
        """
        with self._connecting:
            if self._client is None:
                began = monotonic()
                if self._failure is not None and began < self._rests_until:
                    raise type(self._failure)(**self._failure.values)
                try:
                    with self._failures_told():
                        self._client = self._connect()
                except AnalyticsAway as error:
                    ended = monotonic()
                    self._failure, self._rests_until = error, ended + (ended - began)
                    raise
            return self._client

    def _connect(self) -> Client:
        import clickhouse_connect

        for chatter in ("clickhouse_connect", "urllib3.connectionpool"):
            logging.getLogger(chatter).setLevel(logging.ERROR)  # they warn at each try; what is wrong is said here
        parts = urlsplit(self._url)
        client = clickhouse_connect.get_client(
            host=parts.hostname or "localhost",
            port=parts.port or _PORTS[parts.scheme],
            username=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            database=parts.path.strip("/") or "default",
            secure=_SECURE[parts.scheme],
            verify=parse_qs(parts.query).get("verify", ["1"])[-1] != "0",
            connect_timeout=_CONNECT_SECONDS,
            send_receive_timeout=_ANSWER_SECONDS,
            autogenerate_session_id=False,  # one session would answer one question at a time
        )
        if not client.min_version(NEEDED):
            client.close()
            raise AnalyticsTooOld(version=client.server_version, needed=NEEDED)
        return client

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        """Turn a failure of the server into one that people can read; mistakes of a statement stay what they are."""
        from clickhouse_connect.driver.exceptions import Error
        from urllib3.exceptions import HTTPError

        try:
            yield
        except AnalyticsAway as away:
            self._say(away, "")
            raise
        except (HTTPError, OSError, Error) as error:
            failure = _failure_of(error) if isinstance(error, Error) else AnalyticsAway()
            if failure is None:
                raise
            self._client = None  # so that the next use looks at the version again; others may still be reading
            self._say(failure, str(error))
        else:
            return
        raise failure from None

    def _say(self, failure: AnalyticsAway, reason: str) -> None:
        """Put a failure into the log, with its reason in the server's words, unless one was there a minute ago."""
        now = monotonic()
        if self._said_at is not None and now < self._said_at + _SAID_EVERY:
            return
        self._said_at = now
        parts = urlsplit(self._url)
        for secret in {parts.password, unquote(parts.password or "")} - {None, ""}:
            reason = reason.replace(str(secret), "…")
        _LOG.warning("%s %s: %s %s", parts.hostname, parts.port or _PORTS[parts.scheme], failure, reason)


def _failure_of(error: Error) -> AnalyticsAway | None:
    """Return what a failure of the driver means to people; None for a mistake in the statement."""
    from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

    if error.code in _REFUSALS:
        return AnalyticsRefused()
    no_answer = isinstance(error, OperationalError) or (type(error) is DatabaseError and error.code is None)
    return AnalyticsAway() if no_answer else None
