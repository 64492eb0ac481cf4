"""Which encoding a text file is written in: by its mark, by its own rules, or by what its letters look like.

Chinese systems write UTF-8, GB 18030 or Big5, and bytes of the one read as the other make other Chinese words, so
decoding without an error proves nothing. charset-normalizer weighs how much sense each reading makes. It is given
only the cells that hold more than ASCII, once each: a file of mostly English with a few Chinese names would drown
them otherwise.
"""

from __future__ import annotations

import re

from charset_normalizer import from_bytes

ENCODINGS = {
    "utf-8": "UTF-8", "utf-8-sig": "UTF-8 (BOM)", "utf-16": "UTF-16", "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE", "utf-32": "UTF-32", "gb18030": "GB 18030", "big5hkscs": "Big5",
    "cp1252": "Windows-1252", "cp932": "Shift JIS", "cp949": "EUC-KR", "cp1251": "Windows-1251",
}  # fmt: skip
CHOICES = ("utf-8", "utf-16", "gb18030", "big5hkscs", "cp1252", "cp932", "cp949", "cp1251")
"""Those that a person can choose from; marks are found by themselves."""

UNREADABLE = "\ufffd"
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\x00\x00", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_HOME = ("big5", "cp950", "big5hkscs", "gb18030", "cp1252")
_ABROAD = ("cp932", "cp949", "cp1251")
_SAME = {"big5": "big5hkscs", "cp950": "big5hkscs", "cp1250": "cp1252"}
_BETWEEN_CELLS = re.compile(rb"[\x00-\x2f;]+")  # no second byte of GB 18030, Big5, Shift JIS or EUC-KR lies there
_ENOUGH = 20
_AT_MOST = 3000


def find_encoding(content: bytes) -> str | None:
    """Return the name of the encoding as Python's codecs know it; None where the bytes are no text.

    Where fewer than twenty different cells hold more than ASCII, too little to tell Japanese from
    Chinese, only the encodings of the program's two languages are weighed.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    sample = content[:4000]
    if b"\x00" in sample:
        return _unmarked_utf16(sample)
    if _reads(content, "utf-8"):
        return "utf-8"
    cells = list(dict.fromkeys(cell for cell in _BETWEEN_CELLS.split(content) if not cell.isascii()))
    among = [*_HOME, *_ABROAD] if len(cells) >= _ENOUGH else [*_HOME]
    for match in from_bytes(
        b"\n".join(cells[:_AT_MOST]), cp_isolation=among, preemptive_behaviour=False, enable_fallback=False
    ):
        found = _SAME.get(match.encoding, match.encoding)
        if _reads(content, found):
            return found
    return "cp1252"


def text_in(content: bytes, encoding: str) -> str:
    """Return the text; what the encoding cannot say becomes `UNREADABLE`."""
    return content.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")


def _unmarked_utf16(sample: bytes) -> str | None:
    for encoding, at in (("utf-16-le", 1), ("utf-16-be", 0)):
        if sample[at::2].count(0) > len(sample) * 0.2 and sample[1 - at :: 2].count(0) == 0:
            return encoding
    return None


def _reads(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
