"""While a large company's numbers are built its readers see how far they are."""

from __future__ import annotations

from types import SimpleNamespace

from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from core.i18n import use_language
    from core.ui import building

    use_language("en")
    database = st.session_state["database"]
    building.say_being_built(database)
    building.wait_for_first(database)
    st.text("numbers")


class _Building:
    """A mirror whose first building goes on each time that somebody looks."""

    def __init__(self, *shares: float) -> None:
        self._shares = list(shares)
        self.version, self.seen = 0, 0

    @property
    def built(self) -> float:
        self.seen += 1
        share = self._shares.pop(0) if len(self._shares) > 1 else self._shares[0]
        self.version = int(share >= 1)
        return share


def shown(mirror: object) -> AppTest:
    app = AppTest.from_function(_page)
    app.session_state["database"] = SimpleNamespace(mirror=mirror)
    return app.run()


def test_the_first_building_is_waited_for_with_a_bar_and_then_the_numbers_come() -> None:
    mirror = _Building(0.0, 0.1, 0.1, 0.6, 1.0)

    app = shown(mirror)

    assert mirror.seen >= 5
    assert [text.value for text in app.text] == ["numbers"]
    assert not app.get("progress"), "the bar goes when the numbers are there"


def test_older_numbers_are_shown_with_a_word_that_they_are_older() -> None:
    app = shown(SimpleNamespace(version=3, built=0.4))

    (bar,) = app.get("progress")
    assert bar.proto.value == 40
    assert bar.proto.text == "The numbers are being built anew; until then these are the last ones."
    assert [text.value for text in app.text] == ["numbers"]


def test_nothing_is_said_where_nothing_is_built() -> None:
    app = shown(SimpleNamespace(version=3, built=1.0))

    assert not app.get("progress")
