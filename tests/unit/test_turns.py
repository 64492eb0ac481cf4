"""Pages take turns, in the order in which they came, and none holds the others up for long."""

from __future__ import annotations

from threading import Event, Lock, Thread

import pytest

from core.ui.turns import Turns


def test_no_more_than_so_many_are_drawn_at_once_and_all_get_their_turn():
    turns, lock = Turns(2, lease=60), Lock()
    inside, most, done = [], [], []

    def draw(number: int) -> None:
        with turns.turn():
            with lock:
                inside.append(number)
                most.append(len(inside))
            Event().wait(0.002)
            with lock:
                inside.remove(number)
                done.append(number)

    threads = [Thread(target=draw, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(done) == list(range(30))
    assert max(most) == 2


def test_whoever_came_first_goes_first():
    turns, order, first = Turns(1, lease=60), [], Event()

    def draw(number: int) -> None:
        with turns.turn():
            order.append(number)

    with turns.turn():
        threads = []
        for number in range(8):
            threads.append(Thread(target=draw, args=(number,)))
            threads[-1].start()
            while len(turns._waiting) <= number:
                first.wait(0.001)
    for thread in threads:
        thread.join(30)
    assert order == list(range(8))


def test_a_page_that_takes_long_holds_nobody_up():
    turns, over, began = Turns(1, lease=0.05), Event(), Event()

    def take_long() -> None:
        with turns.turn():
            began.set()
            over.wait(30)

    slow = Thread(target=take_long)
    slow.start()
    assert began.wait(30)
    with turns.turn():
        assert slow.is_alive(), "the other one is still at it"
    over.set()
    slow.join(30)


def test_a_turn_that_ends_by_an_error_is_given_back():
    turns = Turns(1, lease=60)
    for _time in range(3):
        with pytest.raises(LookupError), turns.turn():
            raise LookupError
    assert not turns._begun
