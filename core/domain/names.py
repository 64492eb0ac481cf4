"""Names: which of two languages a reader is given, the company's word list, and spellings that are one company's.

Every name that the program shows is chosen here, by `in_order`: rows with `name` and `name_en`, persons, the
titles of deals that nobody named, and the words of the word list.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from core.i18n import language

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

N = TypeVar("N")
BETWEEN = " · "
"""What stands between the customer and the product in the title of a deal that nobody named."""

_CHINESE_FORMS = re.compile(r"(集团)?(股份)?(有限)?(责任)?公司$|集团$")
_LATIN_FORMS = re.compile(
    r"(?<=\s)(incorporated|inc|corporation|corp|company|co|limited|ltd|llc|llp|plc|gmbh|ag|sa|sas|bv|nv|pte|pty|kk|group)$"
)


def fold_name(name: str) -> str:
    """Return `name` without case, width, spaces, punctuation and the form of the company.

    `上海罗盘科技有限公司` and `上海罗盘科技（股份）公司` fold to `上海罗盘科技`; `GTX Pro, Inc.` and `GTXPro`
    to `gtxpro`. A name that is nothing but a form keeps it.
    """
    spaced = "".join(
        char if unicodedata.category(char)[0] in "LNM" else " "
        for char in unicodedata.normalize("NFKC", name).casefold()
    )
    words = " ".join(spaced.split())
    whole = words.replace(" ", "")
    while True:
        shorter = _LATIN_FORMS.sub("", words).strip()
        if shorter == words:
            break
        words = shorter
    joined = words.replace(" ", "")
    return (_CHINESE_FORMS.sub("", joined) or joined or whole)[:200]


class Named(Protocol):
    """What has a name, and maybe one in English."""

    @property
    def name(self) -> str:
        """The name, Chinese as a rule."""

    @property
    def name_en(self) -> str:
        """The English name, "" where there is none."""


def in_order(chinese: N, english: N) -> tuple[N, N]:
    """Return the name that the reader would rather read, and the one to take where that is missing."""
    return (english, chinese) if language() == "en" else (chinese, english)


def in_reader_language(chinese: str, english: str) -> str:
    """Return a name in the reader's language, in the other where that is missing."""
    first, second = in_order(chinese, english)
    return first or second


def named(row: Named) -> str:
    """Return what `row` is called in the reader's language."""
    return in_reader_language(row.name, row.name_en)


def deal_title(customer: str, product: str = "") -> str:
    """Return the title of a deal that nobody named: its customer and, where it has one, its main product."""
    return f"{customer}{BETWEEN}{product}" if product else customer


def beside_customer(title: str, customer: str) -> str:
    """Return a deal's title as it stands beside its customer's name, which is not said twice."""
    return title.removeprefix(customer + BETWEEN) or title


@dataclass(frozen=True)
class Words:
    """The company's word list: single words of its data (segments, cities, …) in both languages.

    For showing alone: what is stored, filtered and put into addresses stays the word as it was typed. A word
    of either language is found; an English one that two Chinese words share is left as it stands.
    """

    chinese_to_english: Mapping[str, str]
    english_to_chinese: Mapping[str, str]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Words:
        """Return the list of `pairs`, Chinese and English."""
        known = list(pairs)
        times = Counter(english for _chinese, english in known)
        return cls(dict(known), {english: chinese for chinese, english in known if times[english] == 1})

    def __call__(self, text: str) -> str:
        """Return `text` in the reader's language; itself where it is not on the list."""
        if language() == "en":
            return self.chinese_to_english.get(text, text)
        return text if text in self.chinese_to_english else self.english_to_chinese.get(text, text)

    def like(self, part: str) -> list[str]:
        """Return the words whose other language holds `part`, letters' case aside."""
        wanted = part.casefold()
        both = (*self.chinese_to_english.items(), *self.english_to_chinese.items())
        return [word for word, other in both if wanted in other.casefold()]

    def stored(self, shown: str, among: Iterable[str]) -> str:
        """Return which word of `among` is shown as `shown`; `shown` itself where none is."""
        known = list(among)
        return shown if shown in known else next((word for word in known if self(word) == shown), shown)
