"""What is begun ahead is answered once, in the reader's language, and costs nobody who does not wait for it."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest

from core.i18n import language, speaking
from core.ui.ahead import Ahead


class Slow:
    """An answer that takes until it is let go, and counts how often it was worked out."""

    def __init__(self) -> None:
        self.begun, self.goes, self.times = Event(), Event(), 0

    def __call__(self) -> str:
        self.times += 1
        self.begun.set()
        assert self.goes.wait(10)
        return f"answer {self.times}"


@pytest.fixture
def slow() -> Any:
    found = Slow()
    yield found
    found.goes.set()


def test_what_was_begun_is_waited_for_and_not_worked_out_again(slow: Slow) -> None:
    ahead = Ahead()
    ahead.begin("key", slow)
    assert slow.begun.wait(10)
    slow.goes.set()
    assert ahead.taken("key", slow) == "answer 1"
    assert ahead.taken("key", slow) == "answer 1"
    assert slow.times == 1


def test_what_no_thread_has_come_to_is_worked_out_by_who_asks(slow: Slow) -> None:
    ahead, asked = Ahead(threads=1), []
    ahead.begin("first", slow)
    assert slow.begun.wait(10)
    ahead.begin("second", lambda: asked.append("there"))
    assert ahead.taken("second", lambda: "here") == "here"
    slow.goes.set()
    assert ahead.taken("first", slow) == "answer 1"
    ahead.begin("third", lambda: "there")
    assert ahead.taken("third", lambda: "there") == "there"
    assert asked == []


def test_two_who_begin_the_same_share_one_answer(slow: Slow) -> None:
    ahead = Ahead(threads=2)
    ahead.begin("key", slow)
    assert slow.begun.wait(10)
    ahead.begin("key", slow)
    slow.goes.set()
    assert ahead.taken("key", slow) == "answer 1"
    assert slow.times == 1


def test_what_is_kept_elsewhere_is_not_begun_again_until_it_is_forgotten_there() -> None:
    ahead, begun = Ahead(known=2), []
    for key in ("a", "b", "c"):
        ahead.done(key)
    for key in ("b", "c", "a"):
        ahead.begin(key, lambda key=key: begun.append(key))  # type: ignore[misc]
    ahead.taken("a", lambda: begun.append("a"))
    assert begun == ["a"]


def test_what_failed_ahead_is_tried_again_by_who_asks_and_told_to_nobody_else() -> None:
    ahead, told = Ahead(), []

    def once() -> str:
        told.append("asked")
        if len(told) == 1:
            raise LookupError("for a moment")
        return "answer"

    came = Event()
    ahead.begin("key", once)
    ahead.begin("after it", came.set)
    assert came.wait(10)
    assert ahead.taken("key", once) == "answer"

    def refuses() -> None:
        raise LookupError("for good")

    ahead.begin("other", refuses)
    with pytest.raises(LookupError, match="for good"):
        ahead.taken("other", refuses)


def test_what_no_page_waits_for_any_more_is_not_begun_and_taken_from_nobody(slow: Slow) -> None:
    ahead, asked = Ahead(threads=1), []
    ahead.begin("first", slow)
    assert slow.begun.wait(10)
    ahead.begin("second", lambda: asked.append("second"))
    ahead.begin("first", slow)  # another page
    ahead.drop(["first", "second", "never begun"])
    slow.goes.set()
    assert ahead.taken("first", lambda: "anew") == "answer 1"
    ahead.drop(["first"])
    assert ahead.taken("first", lambda: "anew") == "anew"
    assert asked == []


def test_answers_that_nobody_asks_for_do_not_pile_up() -> None:
    ahead = Ahead(most=3)
    for key in range(50):
        ahead.begin(f"key {key}", lambda: "kept")
    assert len(ahead._begun) == 3
    assert ahead.taken("key 0", lambda: "anew") == "anew"


def test_at_the_end_nothing_is_under_way_and_a_new_beginning_works(slow: Slow) -> None:
    ahead, asked = Ahead(threads=1), []
    ahead.begin("first", slow)
    assert slow.begun.wait(10)
    ahead.begin("second", lambda: asked.append("second"))
    slow.goes.set()
    ahead.stop()
    assert ahead.taken("first", lambda: "anew") == "anew"
    assert asked == []
    came = Event()
    assert ahead.begin("third", came.set)
    assert came.wait(10)


def test_it_is_answered_in_the_language_of_who_began_it() -> None:
    ahead = Ahead()
    for chosen in ("zh", "en"):
        came = Event()

        def told(came: Event = came) -> str:
            came.set()
            return language()

        with speaking(chosen):
            ahead.begin(chosen, told)
        assert came.wait(10)
    assert [ahead.taken(chosen, lambda: "none") for chosen in ("zh", "en")] == ["zh", "en"]
