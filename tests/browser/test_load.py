"""Several people log deals at once, over the browser's own protocol; then the same with a power cut.

The whole of it, 20 people with 50 deals each: `python -m benchmarks.stress`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.stress import Stress

PEOPLE, EACH = 4, 3


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kill", [False, True], ids=["undisturbed", "killed halfway"])
def test_every_deal_confirmed_on_screen_is_stored_once_and_nobody_sees_an_error(tmp_path: Path, kill: bool) -> None:
    outcome = Stress(tmp_path, people=PEOPLE, deals=EACH, kill=kill, company_deals=300).run()

    assert outcome.errors == []
    assert outcome.lost == []
    assert outcome.doubled == 0
    assert outcome.stored == PEOPLE * EACH
    assert outcome.confirmed + outcome.found_later == PEOPLE * EACH
    assert outcome.pages_browsed > 0
