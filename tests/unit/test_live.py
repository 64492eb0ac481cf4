"""Pages that follow the data leave the machine to those who click."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from core.ui import live


def test_a_burst_passes_and_the_rest_wait_for_their_next_look(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(live, "monotonic", lambda: now[0])
    pace = live.Pace(4, 4)
    assert [pace.allows() for _ in range(6)] == [True] * 4 + [False] * 2
    now[0] += 0.5
    assert [pace.allows() for _ in range(3)] == [True, True, False]
    now[0] += 60
    assert sum(pace.allows() for _ in range(50)) == 4, "an idle hour saves up no burst"


def test_fifty_readers_are_served_at_the_stated_rate(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(live, "monotonic", lambda: now[0])
    used = [0.0]
    monkeypatch.setattr(live, "process_time", lambda: used[0])
    pace, drawn = live.Pace(4, 1), 0
    for _look in range(30):
        drawn += sum(pace.allows() for _reader in range(50))
        now[0] += live.LOOKS_EVERY
    assert drawn == 30 * 4
    used[0] += 10
    for _look in range(30):
        now[0] += live.LOOKS_EVERY
        used[0] += 0.9 * live.LOOKS_EVERY
        drawn += sum(pace.allows() for _reader in range(50))
    assert drawn == 30 * 4 + 30, "those who click come first"


def test_a_page_that_is_out_of_date_when_it_is_drawn_is_finished_first_and_drawn_anew_at_its_next_look(monkeypatch):
    version, reruns, looks = [1], [], []
    view = SimpleNamespace(
        frozen=None, version=lambda: 1, database=SimpleNamespace(mirror=SimpleNamespace(refresh=lambda: version[0]))
    )
    monkeypatch.setattr(live, "reopen", lambda _view: None)
    monkeypatch.setattr(live.session, "glance", lambda **_how: lambda function: looks.append(function) or function)
    monkeypatch.setattr(live, "st", SimpleNamespace(session_state={}, rerun=lambda: reruns.append(version[0])))
    monkeypatch.setattr(live, "_pace", live.Pace(4, 4))
    version[0] = 2
    live.follow(view)
    assert reruns == []
    looks[0]()
    assert reruns == [2]


def test_pages_that_went_are_forgotten(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(live, "monotonic", lambda: now[0])
    crowd = live.Crowd()
    for who in range(20):
        crowd.note(who)
    assert crowd.size() == 20
    now[0] += 2 * live.CROWD_LOOKS_EVERY + 1
    crowd.note("one")
    assert crowd.size() == 1


def test_a_reader_who_signed_out_elsewhere_loses_the_page_within_seconds(monkeypatch):
    now, signed_in, reruns, looks = [0.0], [True], [], []
    view = SimpleNamespace(
        frozen=None, version=lambda: 1, database=SimpleNamespace(mirror=SimpleNamespace(refresh=lambda: 1))
    )
    monkeypatch.setattr(live, "monotonic", lambda: now[0])
    monkeypatch.setattr(live, "reopen", lambda _view: None)
    monkeypatch.setattr(live.session, "glance", lambda **_how: lambda function: looks.append(function) or function)
    monkeypatch.setattr(live.session, "is_signed_in", lambda: signed_in[0])
    monkeypatch.setattr(live, "st", SimpleNamespace(session_state={}, rerun=lambda: reruns.append(now[0])))
    live.follow(view)
    for _second in range(20):
        now[0] += live.LOOKS_EVERY
        looks[0]()
        signed_in[0] = False
    assert reruns[0] == pytest.approx(live.SIGN_IN_EVERY, abs=live.LOOKS_EVERY)
