"""A page that loses its connection: what a visitor has is there again when the server is."""

import weakref

import pytest
from browsing import IN_A_BROWSER, begin, pixels, same, status, wait_until

from arbitrary_nst import stylize

pytestmark = IN_A_BROWSER


def lose(page, weight):
    """Cuts the connection, and moves a slider, by which the page notices it."""
    page.context.set_offline(True)
    page.get_by_label("range slider for great-wave").fill(weight)
    page.get_by_text("Connection to the server was lost").first.wait_for()
    page.evaluate("window.lost = true")


def come_back(page):
    """Gives the connection back, and waits until the page has loaded itself anew."""
    page.context.set_offline(False)
    page.wait_for_function("window.lost === undefined")


def test_photo_and_mix_come_back(visit, network, photo_file):
    page = visit()
    begin(page, photo_file)
    page.get_by_label("range slider for Strength").fill("0.5")
    page.get_by_label("range slider for great-wave").fill("1")
    status(page, "67% great-wave")
    wait_until(lambda: "strength=0.5" in page.locator("#link textarea").input_value())
    lose(page, "0.2")
    come_back(page)
    page.locator("#photo-info").get_by_text("hill.png").wait_for()
    status(page, "67% great-wave, 33% starry-night · 128 × 96")
    wanted = stylize(photo_file, ["great-wave", "starry-night"], [1, 0.5], strength=0.5)
    wait_until(lambda: same(pixels(page), wanted))
    assert page.get_by_role("button", name="Remove my photo").is_visible()
    assert page.evaluate("sessionStorage.getItem('arbitrary_nst.lost')") is None


def test_a_server_that_was_started_anew_says_that_the_photo_is_gone(visit, photo_file, monkeypatch):
    page = visit()
    begin(page, photo_file)
    page.get_by_label("range slider for great-wave").fill("1")
    status(page, "67% great-wave")
    photo_box = pytest.importorskip("arbitrary_nst.demo.photo_box")
    monkeypatch.setattr(photo_box, "_photos", weakref.WeakValueDictionary())
    lose(page, "0.2")
    come_back(page)
    page.locator(".toast-body").get_by_text("no longer has your photo").first.wait_for()
    status(page, "67% great-wave, 33% starry-night · 451 × 300")  # the mix is there


def test_a_sample_comes_back_by_its_name(visit):
    page = visit()
    page.get_by_label("rocket", exact=True).check(force=True)
    page.locator("#photo-info").get_by_text("rocket").wait_for()
    lose(page, "0.2")
    come_back(page)
    page.locator("#photo-info").get_by_text("rocket").wait_for()
    assert page.get_by_label("rocket", exact=True).is_checked()
