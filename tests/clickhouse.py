"""ClickHouse's own engine inside the tests' process (chdb), in the place of a server."""

from __future__ import annotations

import re
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.ipc
from chdb._exceptions import ChdbError
from chdb.session import Session
from clickhouse_connect.driver.binding import format_bind_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class InProcess:
    """A `core.db.clickhouse_server.Server` without a network; one a process, for chdb knows one session."""

    def __init__(self, folder: Path) -> None:
        self._session = Session(str(folder / "clickhouse"))
        self._folder = folder
        self._lock = Lock()
        self._made = 0
        for name in ("compile_expressions", "compile_aggregate_expressions", "compile_sort_description"):
            self.run(f"SET {name} = 0")  # machine code is worth its making for more rows than these
        self.run("SET max_threads = 1")
        self.start_anew()

    @property
    def database(self) -> str:
        """The name of the database that is used."""
        return f"tried_{self._made}"

    def start_anew(self) -> None:
        """Go on in a database that holds nothing."""
        if self._made:
            self.run(f"DROP DATABASE {self.database} SYNC")
        self._made += 1
        self.run(f"CREATE DATABASE {self.database}")
        self.run(f"USE {self.database}")

    def over_http(self, query: str, body: bytes, values: Mapping[str, str]) -> bytes:
        """Run what came by HTTP: a statement in the address or the body, its data behind it."""
        if query and body:
            table, form = re.fullmatch(r"INSERT INTO (.*) FORMAT (\w+)\s*", query, re.DOTALL).groups()
            path = self._folder / "sent"
            path.write_bytes(body)
            names = table[table.index("(") + 1 : table.rindex(")")]
            query = f"INSERT INTO {table} SELECT {names} FROM file('{path}', {form})"
        text, _format, form = (query or body.decode()).partition(" FORMAT ")
        with self._lock:
            return bytes(self._session.query(text, form.strip() or "TabSeparated", params=dict(values)).bytes())

    def run(self, text: str, values: Mapping[str, Any] | None = None) -> None:
        with self._lock:
            self._session.query(text, params=_bound(values))

    def read(self, text: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        with self._lock:
            found = self._session.query(text, "ArrowStream", params=_bound(values)).bytes()
        return pyarrow.ipc.open_stream(pa.py_buffer(found)).read_all()

    def write(self, table: str, rows: pa.Table) -> None:
        path = self._folder / "rows.arrow"
        with pyarrow.ipc.new_file(str(path), rows.schema) as file:
            file.write_table(rows)
        names = ", ".join(f"`{name}`" for name in rows.column_names)
        self.run(f"INSERT INTO {table} ({names}) SELECT {names} FROM file('{path}', Arrow)")

    def close(self) -> None:
        """Leave the session open, for the next test."""

    def end(self) -> None:
        """Close the session, which otherwise falls while the process ends."""
        self._session.close()


def _bound(values: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the values in the form in which the HTTP client sends them."""
    return {name: format_bind_value(value) for name, value in (values or {}).items()}


class _Handler(BaseHTTPRequestHandler):
    """What ClickHouse's HTTP interface does, as far as a client of the mirror needs it."""

    engine: InProcess
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(200, b"Ok.\n")

    def do_POST(self) -> None:
        asked = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query, True).items()}
        size = self.headers.get("Content-Length")
        body = self._chunks() if size is None else self.rfile.read(int(size))
        form = self.headers.get("Content-Type", "")
        if form.startswith("multipart/form-data"):
            asked |= _parts(form, body)
            body = b""
        values = {name.removeprefix("param_"): value for name, value in asked.items() if name.startswith("param_")}
        try:
            found = self.engine.over_http(asked.get("query", ""), body, values)
        except ChdbError as error:
            self._answer(500, str(error).encode(), code="1")
        else:
            self._answer(200, found)

    def _chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _answer(self, status: int, body: bytes, code: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said: Any) -> None:
        """Say nothing."""


def _parts(form: str, body: bytes) -> dict[str, str]:
    message = BytesParser().parsebytes(b"Content-Type: " + form.encode() + b"\r\n\r\n" + body)
    parts = [(part.get_param("name", header="content-disposition"), part) for part in message.get_payload()]
    return {name: part.get_payload(decode=True).decode() for name, part in parts}


@contextmanager
def served(engine: InProcess, *, port: int = 0) -> Iterator[str]:
    """Serve the engine by HTTP, and give the address as the setting wants it."""
    with _serving(type("Handler", (_Handler,), {"engine": engine}), port) as found:
        yield f"clickhouse://default@127.0.0.1:{found}/{engine.database}"


class _Refusing(_Handler):
    """A server that refuses every sign-in, as ClickHouse does."""

    def do_POST(self) -> None:
        size = self.headers.get("Content-Length")
        self.rfile.read(int(size)) if size is not None else self._chunks()
        said = b"Code: 516. DB::Exception: luopan: Authentication failed. (AUTHENTICATION_FAILED)"
        self._answer(403, said, code="516")


@contextmanager
def refusing() -> Iterator[int]:
    """Serve somebody who lets nobody in, and give the port."""
    with _serving(_Refusing) as port:
        yield port


@contextmanager
def _serving(handler: type[_Handler], port: int = 0) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()
