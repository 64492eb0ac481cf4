"""Names of companies, folded so that two spellings of one company meet."""

from __future__ import annotations

import re
import unicodedata

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
