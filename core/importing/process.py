"""The sales process that the files' stage words mean: one there is, or a new one in a suggested order."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rapidfuzz import fuzz

from core.domain.stages import StageKind
from core.importing.choices import Choices, StageChoice
from core.importing.cleaning import folded
from core.importing.fields import LOST_WORDS, WON_WORDS
from core.importing.records import Records
from core.queries.imports import KnownStage, Reference

_USUAL_ORDER = (
    "prospect", "lead", "线索", "new", "identif", "submitted", "contact", "初", "engag", "qualif", "need", "需求",
    "analys",
    "discover", "demo", "演示", "方案", "present", "propos", "quote", "报价", "offer", "negot", "谈判",
    "contract", "合同",
)  # fmt: skip


class Process:
    """A process with its stages by word; numbers are the plan's or the table's."""

    def __init__(self, pipeline: int, stages: Sequence[tuple[int, StageKind, int]], words: Mapping[str, int]) -> None:
        self.pipeline = pipeline
        self._kinds = {number: kind for number, kind, _position in stages}
        self._positions = {number: position for number, _kind, position in stages}
        self._words = dict(words)

    def stage(self, word: str) -> int | None:
        """Return the stage that a word means."""
        return self._words.get(word)

    def kind_of(self, stage: int) -> StageKind:
        """Return what being in a stage means."""
        return self._kinds[stage]

    def position_of(self, stage: int) -> int:
        """Return a stage's place in the process."""
        return self._positions[stage]

    def first_of(self, kind: StageKind) -> int | None:
        """Return the first stage of a kind."""
        return min((n for n, k in self._kinds.items() if k is kind), key=self._positions.__getitem__, default=None)


def suggest_stages(
    words: Counter[str], reference: Reference, paths: Iterable[Sequence[str]] = ()
) -> tuple[str, tuple[StageChoice, ...]]:
    """Return the code of the process that the words name ("" for a new one) and the words in order.

    A process there is, where every open word is the name of one of its stages. For a new one the
    order is that in which most deals pass the words (`paths`: the words of each deal in time),
    else the usual order of such words. Won and lost words come last.
    """
    for pipeline in sorted(reference.pipelines, key=lambda one: one.id != reference.default_pipeline_id):
        stages = [stage for stage in reference.stages if stage.pipeline_id == pipeline.id]
        codes = {word: _code_of(word, stages) for word in words}
        if words and all(codes.values()) and any(_kind_of_word(word) is StageKind.OPEN for word in words):
            kinds = {stage.code: stage.kind for stage in stages}
            order = {stage.code: stage.position for stage in stages}
            chosen = [StageChoice(word, kinds[code], code) for word, code in codes.items() if code]
            return pipeline.external_id or "", tuple(sorted(chosen, key=lambda one: order[one.code or ""]))
    passed = _places(paths)
    rank = {StageKind.OPEN: 0, StageKind.WON: 1, StageKind.LOST: 2}
    ordered = sorted(
        words,
        key=lambda word: (rank[_kind_of_word(word)], passed.get(word, 0.0), _usual_place(word)),
    )
    return "", tuple(StageChoice(word, _kind_of_word(word)) for word in ordered)


def suggest_opened_stage(column: str | None, stages: Sequence[StageChoice]) -> str:
    """Return the open word that the column of opening days names (engage_date: Engaging), else the first."""
    opened = [one.word for one in stages if one.kind is StageKind.OPEN]
    if not opened:
        return ""
    plain = folded(column or "").replace("date", "").replace("日期", "")
    best = max(opened, key=lambda word: fuzz.ratio(plain, folded(word)))
    return best if plain and fuzz.ratio(plain, folded(best)) >= 65 else opened[0]


def settle(choices: Choices, records: Records, *, win_rate: float, stay_days: int) -> Process | None:
    """Return the chosen process, planned where it is new; None where the choices name none.

    A new process without won or lost words gets those stages all the same. The probability of
    its n-th of N open stages is the files' win rate × n/N.
    """
    reference = records.reference
    if choices.pipeline:
        found = next((one for one in reference.pipelines if one.external_id == choices.pipeline), None)
        if found is None:
            return None
        stages = [stage for stage in reference.stages if stage.pipeline_id == found.id]
        codes = {stage.code: stage.id for stage in stages}
        return Process(
            found.id,
            [(stage.id, stage.kind, stage.position) for stage in stages],
            {one.word: codes[one.code] for one in choices.stages if one.code in codes},
        )
    kept = [one for one in choices.stages if one.code is not None]
    words = [one.word for one in kept]
    for kind, name in ((StageKind.WON, "Won"), (StageKind.LOST, "Lost")):
        if not any(one.kind is kind for one in kept):
            kept.append(StageChoice(name, kind))
    kept.sort(key=lambda one: (StageKind.OPEN, StageKind.WON, StageKind.LOST).index(one.kind))
    if not any(one.kind is StageKind.OPEN for one in kept):
        kept.insert(0, StageChoice("Open", StageKind.OPEN))
    digest = hashlib.sha256("\n".join(one.word for one in kept).encode()).hexdigest()[:8]
    code, count = f"imported-{digest}", 1
    while any(one.external_id == code for one in reference.pipelines):
        count += 1
        code = f"imported-{digest}-{count}"
    name = (choices.process_name or "Imported process")[:80]
    plan = records.plan
    pipeline = plan.add("pipeline", code=code, name=name, name_en="", is_default=False, active=True)
    total = sum(one.kind is StageKind.OPEN for one in kept)
    stages_made: list[tuple[int, StageKind, int]] = []
    by_word: dict[str, int] = {}
    for position, one in enumerate(kept, start=1):
        chance = {StageKind.WON: 1.0, StageKind.LOST: 0.0}.get(one.kind, round(win_rate * position / total, 3))
        number = plan.add(
            "stage", pipeline_id=pipeline, code=f"s{position}", name=one.word[:80], name_en="", position=position,
            kind=one.kind, probability=chance, active=True,
            expected_days=stay_days if one.kind is StageKind.OPEN else 0,
        )  # fmt: skip
        stages_made.append((number, one.kind, position))
        if one.word in words:
            by_word[one.word] = number
    make_default = choices.make_default if choices.make_default is not None else reference.deal_count == 0
    if make_default:
        plan.default_pipeline = pipeline
    return Process(pipeline, stages_made, by_word)


def _code_of(word: str, stages: Sequence[KnownStage]) -> str | None:
    key = folded(word)
    for stage in stages:
        if key in {folded(stage.name), folded(stage.name_en), folded(stage.code)}:
            return stage.code
    kind = _kind_of_word(word)
    if kind is not StageKind.OPEN:
        return next((stage.code for stage in stages if stage.kind is kind), None)
    return None


def _kind_of_word(word: str) -> StageKind:
    key = folded(word)
    if key in WON_WORDS or key.startswith("closedwon"):
        return StageKind.WON
    if key in LOST_WORDS or key.startswith("closedlost"):
        return StageKind.LOST
    return StageKind.OPEN


def _usual_place(word: str) -> int:
    key = folded(word)
    return next((place for place, hint in enumerate(_USUAL_ORDER) if hint in key), len(_USUAL_ORDER) // 2)


def _places(paths: Iterable[Sequence[str]]) -> dict[str, float]:
    """Return for each word how many other words most deals pass before it (Copeland's count).

    First entries decide, so that a deal which goes back does not turn the order round.
    """
    sooner: Counter[tuple[str, str]] = Counter()
    seen: dict[str, None] = {}
    for path in paths:
        firsts = list(dict.fromkeys(path))
        seen.update(dict.fromkeys(firsts))
        sooner.update((first, later) for index, first in enumerate(firsts) for later in firsts[index + 1 :])
    return {
        word: float(sum(sooner[other, word] > sooner[word, other] for other in seen if other != word)) for word in seen
    }
