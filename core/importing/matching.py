"""Names that almost match: pairs to offer, never to decide."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from core.importing.cleaning import folded

NEAR = 87.0
_SHORTEST = 4
_AT_ONCE = 4000


@dataclass(frozen=True)
class NearPair:
    """A name in the files that looks like another.

    `score` lies in 0-100 (100: the same but for case, spaces and punctuation); the counts say how
    often each stands in the files.
    """

    subject: str
    written: str
    known: str
    score: float
    written_count: int
    known_count: int


def near_pairs(subject: str, written: Mapping[str, int], known: Iterable[str], *, near: float = NEAR) -> list[NearPair]:
    """Return for each written name that is not known the known name nearest to it, if near enough.

    Where neither of two written names is known, the rarer is offered for the more frequent.
    Names whose digits differ are never near (GTK 500, GTK 600). Best first.
    """
    sure = set(known)
    unsure = {name: count for name, count in written.items() if name and name not in sure}
    candidates = list(dict.fromkeys([*sure, *sorted(unsure, key=lambda name: (-unsure[name], name))]))
    rank = {name: index for index, name in enumerate(candidates)}
    many = len(candidates) > _AT_ONCE
    buckets: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for name in candidates:
        key = folded(name)
        names, keys = buckets[key[:2] if many else ""]
        names.append(name)
        keys.append(key)
    pairs: list[NearPair] = []
    for name, count in unsure.items():
        key = folded(name)
        names, keys = buckets[key[:2] if many else ""]
        found = process.extract(key, keys, scorer=fuzz.ratio, score_cutoff=near, limit=6) if key else []
        for _key, score, index in found:
            other = names[index]
            if other == name or (other not in sure and rank[other] > rank[name]):
                continue
            if score < 100 and not _may_be_one(key, keys[index]):
                continue
            pairs.append(NearPair(subject, name, other, round(float(score), 1), count, written.get(other, 0)))
            break
    return sorted(pairs, key=lambda pair: (-pair.score, -pair.written_count, pair.written))


def _may_be_one(key: str, other: str) -> bool:
    long_enough = min(len(key), len(other)) >= _SHORTEST
    return long_enough and re.findall(r"\d+", key) == re.findall(r"\d+", other)
