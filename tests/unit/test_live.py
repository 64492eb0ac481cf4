"""Pages that follow the data leave the machine to those who click."""

from __future__ import annotations

from core.ui import live


def test_a_burst_passes_and_the_rest_wait_for_their_next_look(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(live, "monotonic", lambda: now[0])
    pace = live.Pace(4)
    assert [pace.allows() for _ in range(6)] == [True] * 4 + [False] * 2
    now[0] += 0.5
    assert [pace.allows() for _ in range(3)] == [True, True, False]
    now[0] += 60
    assert sum(pace.allows() for _ in range(50)) == 4, "an idle hour saves up no burst"


def test_fifty_readers_are_served_at_the_stated_rate(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(live, "monotonic", lambda: now[0])
    pace, drawn = live.Pace(4), 0
    for _look in range(30):
        drawn += sum(pace.allows() for _reader in range(50))
        now[0] += live.LOOKS_EVERY
    assert drawn == 30 * 4
