"""What a visitor comes back to: undo, the last pictures, ready mixes, links, and saved files."""

import numpy as np
import pytest
from browsing import IN_A_BROWSER, begin, pixels, same, status, upload, wait_until

from arbitrary_nst import stylize
from arbitrary_nst.demo import share

pytestmark = IN_A_BROWSER


def last_pictures(page):
    return page.locator("#recent button")


class TestLastPictures:
    def test_bring_their_mix_back(self, visit, network, photo_file):
        page = visit()
        begin(page, photo_file)
        wait_until(lambda: last_pictures(page).count())
        before = last_pictures(page).count()
        page.get_by_label("scream", exact=True).check(force=True)
        status(page, "33% scream")
        wait_until(lambda: last_pictures(page).count() == before + 1)
        assert "33% scream" in last_pictures(page).first.get_attribute("aria-label")
        last_pictures(page).nth(1).press("Enter")
        status(page, "50% great-wave, 50% starry-night · 128 × 96")
        wanted = stylize(photo_file, ["great-wave", "starry-night"])
        wait_until(lambda: same(pixels(page), wanted))

    def test_are_eight_at_most_and_go_with_the_photo(self, visit, photo_file):
        page = visit()
        begin(page, photo_file)
        for step in range(9):
            weight = f"{0.1 + step / 20:.2f}"
            page.get_by_label("range slider for great-wave").fill(weight)
            share_of_first = float(weight) / (float(weight) + 0.5)
            status(page, f"{share_of_first:.0%} great-wave")
            wait_until(
                lambda: (
                    f"{share_of_first:.0%} great-wave"  # noqa: B023
                    in (last_pictures(page).first.get_attribute("aria-label") or "")
                )
            )
        assert last_pictures(page).count() == 8
        page.get_by_role("button", name="Remove my photo").click()
        wait_until(
            lambda: (
                "hill" not in page.locator("#photo-info").inner_text()
                and last_pictures(page).count() <= 1
            )
        )


class TestMixes:
    def test_undo_goes_back(self, visit, photo_file):
        page = visit()
        begin(page, photo_file)
        page.wait_for_timeout(1500)  # what comes sooner is one move
        page.get_by_label("range slider for great-wave").fill("1")
        status(page, "67% great-wave")
        page.locator("#undo").click()
        status(page, "50% great-wave, 50% starry-night")
        assert page.get_by_label("range slider for great-wave").input_value() == "0.5"

    def test_surprise_is_another_mix_of_few_styles(self, visit, photo_file):
        page = visit()
        begin(page, photo_file)
        page.locator("#surprise").click()
        first = "50% great-wave, 50% starry-night"
        wait_until(lambda: first not in page.locator("#status").inner_text())
        assert page.locator("#slots .slot:visible").count() in (2, 3)

    def test_a_link_opens_its_mix(self, visit, address):
        query = "mix=scream:0.9,starry-night:0.3&strength=0.5&colours=photo"
        page = visit(f"{address}?{query}", mix="75% scream, 25% starry-night")
        assert page.get_by_label("range slider for Strength").input_value() == "0.5"
        assert page.get_by_label("Keep the colours").first.is_checked()
        page.locator("#copy-link").click()
        wait_until(lambda: page.evaluate("location.search").lstrip("?") == query)

    def test_a_saved_file_brings_its_mix_back(self, visit, network, photo_file, tmp_path):
        page = visit()
        begin(page, photo_file)
        page.get_by_label("range slider for Strength").fill("0.5")
        page.get_by_label("scream", exact=True).check(force=True)
        status(page, "33% scream")
        wanted = stylize(photo_file, ["great-wave", "starry-night", "scream"], strength=0.5)
        wait_until(lambda: same(pixels(page), wanted))
        with page.expect_download() as download:
            page.locator("#full").click()
        download.value.save_as(tmp_path / "saved.png")
        page.get_by_role("button", name="Remove scream").click()
        status(page, "50% great-wave, 50% starry-night")
        upload(page, tmp_path / "saved.png")
        status(page, "33% scream")
        page.locator("#photo-info").get_by_text("hill.png").wait_for()  # the photo stays
        wait_until(lambda: same(pixels(page), wanted))

    def test_ready_mixes_are_of_packaged_styles(self, packaged):
        from arbitrary_nst import list_styles

        known = {style.name for style in list_styles()}
        for name, mix in share.PRESETS.items():
            assert mix.keys() <= known, name
            assert all(0 < weight <= 1 for weight in mix.values())
            assert np.isfinite(sum(mix.values()))


@pytest.mark.parametrize("typed", ["mix=nobody:1", "<script>", "mix=scream:9999999999"])
def test_a_text_made_by_hand_does_no_harm(visit, address, photo_file, typed):
    page = visit()
    begin(page, photo_file)
    page.locator("#recall textarea, #recall input").first.evaluate(
        "(field, text) => { field.value = text; "
        "field.dispatchEvent(new Event('input', { bubbles: true })); }",
        typed,
    )
    page.wait_for_timeout(1500)
    assert page.locator(".toast-body.error").count() == 0
    page.get_by_label("range slider for Strength").fill("0.5")
    page.locator("#full").get_by_text("about").wait_for()
