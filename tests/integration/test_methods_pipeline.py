"""The worked examples of the pipeline's methods come out, in the small world of the other methods."""

from __future__ import annotations

import doctest
from datetime import date

import pytest

from core.analytics.as_of import AsOf
from core.queries import pipeline
from core.settings import PROJECT_ROOT
from tests.integration.test_queries_by_hand import Q3, world

METHODS = ("as-of", "pipeline-changes")
QUERIES = ("pipeline_standing", "pipeline_as_of", "pipeline_changes")

_shared = world  # the fixture


@pytest.mark.parametrize("name", METHODS)
def test_the_worked_example_comes_out(name, world, answer_as):
    known = {
        "ask": lambda query, **values: answer_as("leader", query, **values),
        "AsOf": AsOf, "date": date, "Q3": Q3,
        **{query: getattr(pipeline, query) for query in QUERIES},
    }  # fmt: skip
    text = (PROJECT_ROOT / f"docs/methods/{name}.md").read_text(encoding="utf-8")
    example = doctest.DocTestParser().get_doctest(text, known, name, None, 0)
    assert example.examples, name
    said: list[str] = []
    outcome = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert outcome.failed == 0, "".join(said)
