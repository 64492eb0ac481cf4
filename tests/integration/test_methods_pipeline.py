"""The worked examples of the pipeline's methods come out, in the small world of the other methods."""

from __future__ import annotations

import doctest
from datetime import date

import pytest

from core.analytics import why
from core.analytics.as_of import AsOf
from core.analytics.pipeline_health import velocity
from core.queries import funnel, leaderboard, pipeline, pipeline_health
from core.settings import PROJECT_ROOT
from tests.integration.test_queries_by_hand import Q3, world

METHODS = ("as-of", "pipeline-changes", "ageing", "concentration", "calibration", "velocity", "volume-mix-price")
ASKED = (
    pipeline.pipeline_standing, pipeline.pipeline_as_of, pipeline.pipeline_changes, pipeline_health.pipeline_ages,
    pipeline_health.pipeline_concentration, pipeline_health.stage_calibration, funnel.cohort_funnel,
    leaderboard.leaderboard,
)  # fmt: skip

_shared = world  # the fixture


@pytest.mark.parametrize("name", METHODS)
def test_the_worked_example_comes_out(name, world, answer_as):
    known = {
        "ask": lambda query, **values: answer_as("leader", query, **values),
        "AsOf": AsOf, "date": date, "Q3": Q3,
        "velocity": velocity, "Part": why.Part, "effects": why.effects, "movers": why.movers,
        **{query.__name__: query for query in ASKED},
    }  # fmt: skip
    text = (PROJECT_ROOT / f"docs/methods/{name}.md").read_text(encoding="utf-8")
    example = doctest.DocTestParser().get_doctest(text, known, name, None, 0)
    assert example.examples, name
    said: list[str] = []
    outcome = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert outcome.failed == 0, "".join(said)
