"""The script that keeps charts in sight, on a page of its own: a picture never outlasts what it stands for."""

from __future__ import annotations

from typing import Any

import pytest

from core.web import steady

pytestmark = pytest.mark.browser

PAGE = """<body><div id="app" data-test-script-state="notRunning">
<div id="place" class="st-key-a" data-testid="stElementContainer"></div></div></body>"""
DRIVE = """
window.state = said => app.setAttribute('data-test-script-state', said);
window.chart = (text, {drawn}) => {
  document.querySelectorAll('#place > [data-testid]').forEach(each => each.remove());
  place.insertAdjacentHTML('afterbegin', `<div data-testid="stPlotlyChart" style="width: 300px; height: 100px">
    <div class="js-plotly-plot"><div class="svg-container"><svg class="main-svg" width="300" height="100"
      style="${drawn ? '' : 'visibility: hidden'}"><text y="20">${text}</text></svg></div></div></div>`);
};
window.draw = () => { place.querySelector('[data-testid] .main-svg').style.visibility = ''; };
window.frames = async count => { for (; count; count--) await new Promise(requestAnimationFrame); };
window.held = () => [...document.querySelectorAll('.luopan-held')].map(each => each.textContent);
window.begin = async text => { chart(text, {drawn: true}); await frames(1); state('running'); await frames(1); };
"""


@pytest.fixture
def page(browser: Any):
    opened = browser.new_page()
    opened.set_content(PAGE)
    opened.add_script_tag(content=steady.script())
    opened.add_script_tag(content=DRIVE)
    yield opened
    opened.close()


def held_while(page: Any, steps: str) -> list[list[str]]:
    """Return what pictures lay there whenever the steps looked."""
    return page.evaluate(f"async () => {{ const seen = []; {steps}; return seen; }}")


def test_a_picture_lies_there_until_the_next_chart_is_drawn(page):
    seen = held_while(page, """await begin('old'); chart('new', {drawn: false}); await frames(2); seen.push(held());
        draw(); await frames(4); seen.push(held())""")  # fmt: skip
    assert seen == [["old"], []]
    assert page.locator("[data-held]").count() == 0


def test_a_run_that_begins_meanwhile_leaves_no_picture_behind(page):
    seen = held_while(page, """await begin('old'); chart('new', {drawn: false}); await frames(2);
        state('notRunning'); await frames(1); state('running'); await frames(1); seen.push(held());
        draw(); await frames(4); seen.push(held())""")  # fmt: skip
    assert seen == [["old"], []]


def test_a_chart_that_is_replaced_twice_has_one_picture(page):
    seen = held_while(page, """await begin('old'); chart('new', {drawn: false}); await frames(2);
        state('notRunning'); state('running'); await frames(1); chart('newer', {drawn: false}); await frames(2);
        seen.push(held()); draw(); await frames(4); seen.push(held())""")  # fmt: skip
    assert seen == [["old"], []]


def test_the_picture_is_of_the_chart_as_its_reader_left_it(page):
    seen = held_while(page, """await begin('old'); state('notRunning'); await frames(1);
        place.querySelector('text').textContent = 'zoomed'; state('running'); await frames(1);
        chart('new', {drawn: false}); await frames(2); seen.push(held())""")  # fmt: skip
    assert seen == [["zoomed"]]


def test_a_text_in_the_place_of_a_chart_is_not_covered(page):
    seen = held_while(page, """await begin('old'); place.querySelector('[data-testid]').remove();
        place.insertAdjacentHTML('afterbegin', '<p data-testid="text">No deals</p>'); await frames(4);
        seen.push(held())""")  # fmt: skip
    assert seen == [[]]


def test_a_chart_that_is_never_drawn_is_uncovered_all_the_same(page):
    held_while(page, "await begin('old'); chart('new', {drawn: false}); await frames(2); seen.push(held())")
    page.wait_for_function("() => held().length === 0 && !document.querySelector('[data-held]')")
