"""The tables of `python -m benchmarks.mirror`: what was measured, beside what is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import exp, log

from benchmarks.interactions import median, percentile
from benchmarks.questions import QUESTIONS, Answer

BUILD, BUILD_POSTGRES = "build from SQLite, seconds", "build from PostgreSQL, seconds"
WARM, REFRESH_ONE, REFRESH_MANY = "warm start, seconds", "refresh after 1 change, ms", "refresh after 1,000 changes, ms"
MEMORY = "memory over the bare process after every question, MB"
ASKED = {
    BUILD: "≤ 10", BUILD_POSTGRES: "≤ 10", WARM: "≤ 1.5", REFRESH_ONE: "≤ 30", REFRESH_MANY: "≤ 150",
    MEMORY: "≤ 600, and less than the rival",
}  # fmt: skip
"""What is asked for at a million deals."""
P95 = 0.08
"""Seconds that 95 of 100 answers to each question may take."""


@dataclass
class Found:
    """What one subject showed: seconds of each question, by the clock and of the processors, and its answers.

    `dashboard`: seconds of each page's questions over all rows as of now; `pages`: of the others; `apart`: of those
    that no page asks. `memory` in MB beyond what the process began with; `refused`: questions without an answer.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    memory: float = 0.0
    figures: dict[str, list[float]] = field(default_factory=dict)
    dashboard: dict[str, list[float]] = field(default_factory=dict)
    apart: dict[str, list[float]] = field(default_factory=dict)
    pages: dict[str, list[float]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def figures(found: Iterator[Found] | list[Found], rivals: dict[str, float]) -> Iterator[str]:
    """Yield the table of the mirror's own figures. rivals: MB of each, over its bare process."""
    subjects = list(found)
    yield "| figure | n | median | p95 | asked at a million deals |"
    yield "|---|--:|--:|--:|---|"
    for name, values in (each for subject in subjects for each in subject.figures.items()):
        shown = f"{median(values):,.2f} | {percentile(values, 0.95):,.2f}"
        yield f"| {name} | {len(values)} | {shown} | {ASKED.get(name, '')} |"
    for name, memory in rivals.items():
        yield f"| memory over the bare process, MB: {name} | 1 | {memory:,.0f} | | |"
    yield ""
    for subject in subjects:
        yield from (line for said in subject.said for line in (said, ""))


def comparison(subjects: list[Found]) -> Iterator[str]:
    """Yield each question's times: the mirror, SQL by hand, pandas over kept frames, pandas that reads."""
    luopan, *rivals = subjects
    yield "Everybody's rows, ms: median by the clock / processor time, which other work on the machine disturbs less."
    yield ""
    yield (
        "| question | mirror | p95 | SQL by hand over Parquet | pandas, cached frames | pandas, reading rows | "
        "reading ÷ mirror | cached ÷ mirror | mirror ÷ by hand | answers agree |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|"
    ratios: list[list[tuple[float, float]]] = []
    for name in QUESTIONS:
        times = [(median(each.seconds[name]), each.processor[name]) for each in subjects]
        mine, hand, cached, reading = times
        ratios.append([_ratio(reading, mine), _ratio(cached, mine), _ratio(mine, hand)])
        agree = all(_alike(luopan.answers[name], rival.answers[name]) for rival in rivals)
        shown = [f"{clock * 1000:,.1f} / {spent * 1000:,.1f}" for clock, spent in times]
        shown.insert(1, f"{percentile(luopan.seconds[name], 0.95) * 1000:,.1f}")
        shown += [f"{clock:,.1f} / {spent:,.1f}" for clock, spent in ratios[-1]]
        yield f"| {name} | {' | '.join(shown)} | {'yes' if agree else '**no**'} |"
    means = [" / ".join(f"**{_geometric([row[at][of] for row in ratios]):,.1f}**" for of in (0, 1)) for at in range(3)]
    yield f"| geometric mean | | | | | | {' | '.join(means)} | |"
    yield f"| asked | | ≤ {P95 * 1000:.0f} | | | | ≥ 50 each | ≥ 4 | ≤ 1.5 | yes |"
    yield ""


def _ratio(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return one[0] / other[0], one[1] / max(other[1], 1e-6)


def _geometric(values: list[float]) -> float:
    return exp(sum(map(log, values)) / len(values))


def _alike(one: Answer, other: Answer) -> bool:
    """Say whether two answers are the same, keys without rows and the last digits of quantiles apart."""
    if isinstance(one, dict):
        keys = {key for key, value in one.items() if value} | {key for key, value in other.items() if value}
        return all(key in one and key in other and _alike(one[key], other[key]) for key in keys)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(_alike, one, other))
    return abs(float(one) - float(other)) <= 1e-6 * max(1.0, abs(float(one)))


def pages(luopan: Found) -> Iterator[str]:
    """Yield how many questions of the pages are answered in time, and the slowest."""
    for title, asked in (
        ("Of {count} dashboard questions over all rows, as of now", luopan.dashboard),
        ("Of {count} questions of a past day, of a team and of one rep", luopan.pages),
    ):
        if not asked:
            continue
        slowest = sorted(asked.items(), key=lambda each: -percentile(each[1], 0.95))
        within = sum(percentile(values, 0.95) <= P95 for _name, values in slowest)
        runs = len(slowest[0][1])
        yield f"{title.format(count=len(slowest))}, each asked {runs} times, {within} have p95 ≤ {P95 * 1000:.0f} ms"
        yield "(asked: all); the slowest:"
        yield ""
        yield "| question, who asks | median, ms | p95 |"
        yield "|---|--:|--:|"
        for name, values in slowest[:12]:
            yield f"| {name} | {median(values) * 1000:,.1f} | {percentile(values, 0.95) * 1000:,.1f} |"
        yield ""
    if luopan.apart:
        told = (
            f"{name} {median(values) * 1000:,.1f} (p95 {percentile(values, 0.95) * 1000:,.1f})"
            for name, values in luopan.apart.items()
        )
        yield f"Asked by no page, by the command line alone, ms: {'; '.join(told)}."
        yield ""
    if luopan.refused:
        yield f"Not asked, since nobody was answered: {', '.join(luopan.refused)}."
        yield ""


def growth(measured: dict[int, dict[str, float]]) -> Iterator[str]:
    """Yield how each figure grew with the data. measured: of each size, by name; a figure may be missing in some."""
    sizes = list(measured)
    yield "### Growth"
    yield ""
    yield "Asked: slower than the data, so below 1 in the last column."
    yield ""
    yield f"| figure | {' | '.join(f'{size:,} deals' for size in sizes)} | growth ÷ that of the data |"
    yield f"|---|{'--:|' * (len(sizes) + 1)}"
    for name in {name: None for size in sizes for name in measured[size]}:
        found = [(size, measured[size][name]) for size in sizes if name in measured[size]]
        shown = [f"{measured[size][name]:,.2f}" if name in measured[size] else "" for size in sizes]
        (first, least), (last, most) = found[0], found[-1]
        share = f"{(most / least) / (last / first):.2f}" if last > first and least > 0 else ""
        yield f"| {name} | {' | '.join(shown)} | {share} |"
    yield ""


def laid_in(kept: str, measured: list[str]) -> str:
    """Return the report `kept` with this part in the place of the one it had, else before the part about viewers."""
    parts = kept.split("\n## ")
    part = "\n".join(measured).removeprefix("## ").rstrip() + "\n"
    titles = [each.split("\n", 1)[0] for each in parts]
    title = part.split("\n", 1)[0]
    if title in titles:
        parts[titles.index(title)] = part
    else:
        parts.insert(titles.index("Many viewers") if "Many viewers" in titles else len(parts), part)
    return "\n## ".join(each.rstrip("\n") + "\n" for each in parts)
