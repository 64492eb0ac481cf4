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


def test_a_refusal_reaches_who_asks() -> None:
    def refuses() -> None:
        raise LookupError("no such thing")

    ahead = Ahead()
    ahead.begin("key", refuses)
    with pytest.raises(LookupError):
        ahead.taken("key", refuses)


def test_what_nobody_waits_for_any_more_is_not_begun(slow: Slow) -> None:
    ahead, asked = Ahead(threads=1), []
    ahead.begin("first", slow)
    assert slow.begun.wait(10)
    ahead.begin("second", lambda: asked.append("second"))
    ahead.drop(["first", "second", "never begun"])
    slow.goes.set()
    ahead.begin("third", lambda: "third")
    assert ahead.taken("third", lambda: "third") == "third"
    assert asked == []
    assert ahead.taken("first", lambda: "anew") == "anew"


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
