"""What lives on is put out of the collector's sight, once it is much, and not for ever anew."""

import gc

import pytest

from core.jobs import collector
from core.jobs.collector import Spared


@pytest.fixture
def spared():
    """A collector that is watched, and everything as it was afterwards."""
    threshold, watched = gc.get_threshold(), Spared()
    watched.begin()
    yield watched
    watched.end()
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_what_a_full_look_kept_is_not_looked_at_again(spared, monkeypatch):
    monkeypatch.setattr(collector, "_MANY", 1_000)
    frozen = gc.get_freeze_count()
    kept = [[number] for number in range(2_000)]
    gc.collect(1)
    assert gc.get_freeze_count() <= frozen
    gc.collect()
    assert gc.get_freeze_count() >= frozen + len(kept)
    assert len(gc.get_objects(generation=2)) < len(kept)


def test_little_is_left_in_sight_and_so_is_all_after_some_times(spared, monkeypatch):
    frozen = gc.get_freeze_count()
    gc.collect()
    assert gc.get_freeze_count() <= frozen  # of too few
    monkeypatch.setattr(collector, "_MANY", 0)
    for _look in range(collector._MOST_TIMES):
        gc.collect()
    frozen = gc.get_freeze_count()
    kept = [[number] for number in range(2_000)]
    gc.collect()
    assert gc.get_freeze_count() <= frozen
    assert len(gc.get_objects(generation=2)) >= len(kept)
