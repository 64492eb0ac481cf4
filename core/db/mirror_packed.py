"""Columns that PostgreSQL packs into a byte string each: no driver makes an object a value, or hands on row by row.

Texts are joined by a character that hardly any text holds, which costs a fourth of sending their lengths too. Where one
holds it after all the joined text does not come apart as it was counted, and the lengths are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_NOTHING: Final = np.iinfo(np.int64).min
_NOTHING_SMALL: Final = np.iinfo(np.int32).min
_DAYS: Final = 10_957
"""From 1970 to 2000, where PostgreSQL begins to count."""
_MICROSECONDS: Final = _DAYS * 86_400_000_000
_BETWEEN, _NO_TEXT = 0x1F, 0x1E

_INSTANT, _DAY, _TEXT = pa.timestamp("us"), pa.date32(), pa.string()
_SENT: Final[dict[pa.DataType, tuple[str, ...]]] = {
    pa.int64(): (f"string_agg(int8send(coalesce({{0}}, {_NOTHING})), '')",),
    pa.int32(): (f"string_agg(int4send(coalesce({{0}}, {_NOTHING_SMALL})), '')",),
    pa.bool_(): ("string_agg(int2send(coalesce({0}::int, -1)::smallint), '')",),
    pa.float64(): ("string_agg(float8send(coalesce({0}, 'NaN')), '')",),
    _DAY: ("string_agg(date_send(coalesce({0}, '-infinity')), '')",),
    _INSTANT: ("string_agg(timestamptz_send(coalesce({0}, '-infinity')), '')",),
    _TEXT: (
        "int8send(count(*))", "int8send(count({0}))",
        f"convert_to(string_agg(coalesce({{0}}, chr({_NO_TEXT})), chr({_BETWEEN})), 'UTF8')",
    ),
}  # fmt: skip
"""Of each kind, what is sent of a column; NULL is a value that no row has."""
_MEASURED: Final = (
    "string_agg(int4send(coalesce(length(convert_to({0}, 'UTF8')), -1)), '')",
    "string_agg(convert_to({0}, 'UTF8'), '')",
)
"""Of texts that hold what stands between them."""


class _Indistinct(Exception):
    """A joined text does not come apart as it was counted."""


def read_packed(ask: Callable[[str], Sequence[bytes | None]], sql: str, kinds: dict[str, pa.DataType]) -> pa.Table:
    """Return the rows of a statement. ask: returns the one row of byte strings that a statement gives."""
    try:
        return _read(ask, sql, kinds, _SENT, _READ)
    except _Indistinct:
        return _read(ask, sql, kinds, _SENT | {_TEXT: _MEASURED}, _READ | {_TEXT: _measured_texts})


def _read(
    ask: Callable[[str], Sequence[bytes | None]], sql: str, kinds: dict[str, pa.DataType],
    sent: dict[pa.DataType, tuple[str, ...]], read: dict[pa.DataType, Callable[..., pa.Array]],
) -> pa.Table:  # fmt: skip
    names = [f"c{place}" for place in range(len(kinds))]
    parts = [each.format(name) for name, kind in zip(names, kinds.values(), strict=True) for each in sent[kind]]
    packed = f"SELECT {', '.join(parts)} FROM ({sql}) AS rows({', '.join(names)})"  # noqa: S608 - of our own statements
    strings = (each or b"" for each in ask(packed))
    columns = [read[kind](*(next(strings) for _part in sent[kind])) for kind in kinds.values()]
    return pa.table(columns, schema=pa.schema(kinds.items()))


def _numbers(sent: bytes) -> pa.Array:
    found = _plain(sent, ">i8")
    return _array(found, found == _NOTHING)


def _small_numbers(sent: bytes) -> pa.Array:
    found = _plain(sent, ">i4")
    return _array(found, found == _NOTHING_SMALL)


def _flags(sent: bytes) -> pa.Array:
    found = _plain(sent, ">i2")
    return _array(found > 0, found < 0)


def _floats(sent: bytes) -> pa.Array:
    found = _plain(sent, ">f8")
    return _array(found, np.isnan(found))


def _days(sent: bytes) -> pa.Array:
    found = _plain(sent, ">i4")
    missing = found == _NOTHING_SMALL
    return _array(np.where(missing, 0, found + np.int32(_DAYS)), missing).view(_DAY)


def _instants(sent: bytes) -> pa.Array:
    found = _plain(sent, ">i8")
    missing = found == _NOTHING
    return _array(np.where(missing, 0, found + _MICROSECONDS), missing).view(_INSTANT)


def _joined_texts(rows: bytes, known: bytes, sent: bytes) -> pa.Array:
    count, letters = int.from_bytes(rows), np.frombuffer(sent, np.uint8)
    between = np.flatnonzero(letters == _BETWEEN)
    if len(between) != max(count - 1, 0):
        raise _Indistinct
    if not count:
        return pa.array([], _TEXT)
    ends = np.append(between, len(letters))
    lengths = np.diff(ends, prepend=-1) - 1
    missing = (lengths == 1) & (np.append(letters, 0)[ends - 1] == _NO_TEXT)
    if count - int(missing.sum()) != int.from_bytes(known):
        raise _Indistinct
    return _texts(lengths, missing, sent.translate(None, bytes([_BETWEEN])))


def _measured_texts(lengths: bytes, sent: bytes) -> pa.Array:
    found = _plain(lengths, ">i4")
    return _texts(np.maximum(found, 0), found < 0, sent)


def _texts(lengths: NDArray[Any], missing: NDArray[np.bool_], letters: bytes) -> pa.Array:
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    known = pa.py_buffer(np.packbits(~missing, bitorder="little").tobytes()) if missing.any() else None
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(ends), pa.py_buffer(letters), known)


_READ: Final[dict[pa.DataType, Callable[..., pa.Array]]] = {
    pa.int64(): _numbers, pa.int32(): _small_numbers, pa.bool_(): _flags, pa.float64(): _floats, _DAY: _days,
    _INSTANT: _instants, _TEXT: _joined_texts,
}  # fmt: skip


def _plain(sent: bytes, kind: str) -> NDArray[Any]:
    """Return numbers as this machine has them."""
    found = np.frombuffer(sent, kind)
    return found.astype(found.dtype.newbyteorder("="))


def _array(values: NDArray[Any], missing: NDArray[np.bool_]) -> pa.Array:
    return pa.array(values, mask=missing if missing.any() else None)
