"""The demo without a browser: its parts, and its API through the real client."""

import argparse
import ast
import io
import json
import re
import sys
import urllib.error
import urllib.request
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst import Embedding, embed, list_styles, stylize
from arbitrary_nst.cli import demo as cli_demo
from arbitrary_nst.demo import Settings, start
from arbitrary_nst.demo.controls import LEAST_STROKES, MOST_STROKES
from arbitrary_nst.demo.serving import private_folder, quiet
from arbitrary_nst.demo.settings import read_auth
from arbitrary_nst.errors import InputError

quiet()  # before Gradio is imported
gradio = pytest.importorskip("gradio", reason="the demo needs gradio")
gradio_client = pytest.importorskip("gradio_client")

from arbitrary_nst.demo import (  # noqa: E402  # noqa: E402
    between_tab,
    files,
    mixes,
    painting_tab,
    photos,
    saving,
    slots,
    styles_tab,
    toasts,
)

# Not ours: Gradio and what it stands on, in the newest Python and libraries.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:(gradio|starlette|fastapi|websockets)"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def png(array):
    """A float picture as the bytes of a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(np.rint(array * 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def address(network_folder):
    """The address of the running demo, with the random network, and no other engine."""
    settings = Settings(port=0, max_pixels=20_000, max_output_pixels=10_000, max_file_megabytes=1)
    with pytest.MonkeyPatch.context() as patch, private_folder():
        patch.setenv("ARBITRARY_NST_CIN", str(network_folder))
        patch.setenv("ARBITRARY_NST_MAGENTA", "no-magenta-here")
        patch.setenv("ARBITRARY_NST_VGG19", "no-vgg19-here.h5")
        page = start(settings, wait=False)
        yield page.local_url.rstrip("/")
        page.close(verbose=False)


@pytest.fixture
def client(address):
    """The client, as a program of a visitor has it."""
    return gradio_client.Client(address, verbose=False)


@pytest.fixture
def photo_file(tmp_path, photo):
    """The small photo as a PNG file."""
    path = tmp_path / "my photo.png"
    path.write_bytes(png(photo))
    return path


def fetch(url, **options):
    """Status and text of an address."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, **options)) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class TestSettings:
    def test_is_closed_by_default(self):
        settings = Settings()
        assert settings.host == "127.0.0.1"
        assert not settings.share
        assert not settings.is_open

    def test_knows_when_strangers_can_come_in(self):
        assert Settings(host="0.0.0.0").is_open
        assert Settings(share=True).is_open
        assert not Settings(share=True, auth=("ann", "secret")).is_open

    def test_reads_the_login(self, monkeypatch):
        monkeypatch.delenv("ARBITRARY_NST_DEMO_AUTH", raising=False)
        assert read_auth(None) is None
        assert read_auth("ann:se:cret") == ("ann", "se:cret")
        monkeypatch.setenv("ARBITRARY_NST_DEMO_AUTH", "bob:pass")
        assert read_auth(None) == ("bob", "pass")
        with pytest.raises(InputError, match="NAME:PASSWORD"):
            read_auth("ann")

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"port": 99999}, "port"),
            ({"max_pixels": 0}, "max_pixels"),
            ({"auth": ("", "x")}, "auth"),
        ],
    )
    def test_refuses(self, wrong, words):
        with pytest.raises(InputError, match=words):
            Settings(**wrong)

    def test_names_the_command_where_gradio_is_missing(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "gradio", None)
        with pytest.raises(ImportError, match=re.escape('pip install "arbitrary-nst[demo]"')):
            start(Settings())

    def test_is_not_imported_with_the_package(self, run_python):
        done = run_python(
            "-c",
            "import sys, arbitrary_nst.cli.demo; print('gradio' in sys.modules)",
        )
        assert done.stdout.strip() == "False", done.stderr


class TestMix:
    """The picture of the page and the line of code beside it are the same thing."""

    @pytest.mark.parametrize(
        ("keep", "strokes", "limit"), [(False, 1, 10**6), (True, 2, 10**6), (False, 1, 3000)]
    )
    def test_code_makes_the_very_file(
        self, network, tmp_path, monkeypatch, make_photo, keep, strokes, limit
    ):
        """Also of the photo that is shown smaller than it is, and of one above the limit."""
        data = png(make_photo(60, 90))
        (tmp_path / "it's a photo.png").write_bytes(data)
        monkeypatch.chdir(tmp_path)
        settings = Settings(max_output_pixels=limit)
        photo = photos.read_photo(data, "it's a photo.png", 48, settings)
        mix = mixes.Mix(("great-wave", "scream"), (0.7, 0.35), 0.8, keep, strokes)
        styles = mixes.embeddings_of(mix.styles, mixes.embedded_styles(), {})
        job = saving.job_of(photo, mix, styles, settings)
        picture = job.work()
        assert picture.size == ((90, 60) if limit > 5400 else (67, 45)) == job.shape[::-1]
        exec(mixes.code(photo, mix, {}, settings=settings), {})
        with Image.open(f"{job.name}.png") as saved:
            np.testing.assert_array_equal(np.asarray(saved), np.asarray(picture))

    def test_full_size_has_the_strokes_of_the_preview(self, network, make_photo):
        """Painted anew at 480 pixels, strokes would be a tenth of those that were seen."""
        photo = photos.read_photo(png(make_photo(320, 480)), "a.png", 48, Settings())
        mix = mixes.Mix(("scream",), (1.0,))
        preview = mixes.preview(photo, mix, [embed("scream")])
        full = saving.job_of(photo, mix, [embed("scream")], Settings()).work()
        assert full.size == (480, 320)
        small = np.asarray(full.resize(preview.size, Image.Resampling.BOX), np.float32)
        assert np.abs(small - np.asarray(preview, np.float32)).mean() < 8

    @pytest.mark.parametrize("strokes", [LEAST_STROKES, MOST_STROKES])
    def test_any_size_of_strokes_can_be_seen_and_saved(self, network, make_photo, strokes):
        photo = photos.read_photo(png(make_photo(64, 96)), "a.png", 96, Settings())
        mix = mixes.Mix(("scream",), (1.0,), strokes=strokes)
        styles = [embed("scream")]
        full = saving.job_of(photo, mix, styles, Settings()).work()
        assert full.size == mixes.preview(photo, mix, styles).size == (96, 64)

    def test_code_names_the_visitors_own_styles(self, network, photo):
        embedding = embed("scream")
        own = {'my "style"': mixes.OwnStyle(embedding, Image.new("RGB", (8, 8)))}
        shot = photos.read_photo(png(photo), "a.png", 512, Settings())
        text = mixes.code(shot, mixes.Mix(('my "style"', "scream"), (1, 1)), own)
        ast.parse(text)
        assert 'mine = load_styles("my-styles.safetensors")' in text
        assert "size" not in text  # the photo is smaller than that, and painted as it is

    def test_without_weights_is_the_photo(self, photo):
        picture = mixes.paint(photo, mixes.Mix(("scream",), (0.0,)), [])
        np.testing.assert_array_equal(np.asarray(picture), np.rint(photo * 255).astype(np.uint8))

    def test_says_shares(self):
        assert mixes.Mix(("a", "b", "c"), (3, 1, 0)).shares() == "75% a, 25% b"

    def test_thumbnails_in_one_pass(self, network, make_photo):
        pictures = mixes.thumbnails(make_photo(50, 70), mixes.embedded_styles())
        assert list(pictures) == [style.name for style in list_styles()]
        assert {picture.size for picture in pictures.values()} == {(256, 183)}  # the whole photo

    def test_keeps_transparency(self, network, photo):
        see_through = np.concatenate([photo, np.full((*photo.shape[:2], 1), 0.5, np.float32)], -1)
        shot = photos.read_photo(png(see_through), "a.png", 24, Settings())
        mix = mixes.Mix(("scream",), (1.0,))
        assert mixes.paint(shot.image, mix, [embed("scream")]).mode == "RGBA"
        assert shot.picture().size == (24, 19)


class TestSlots:
    def test_a_new_style_keeps_the_weights_of_the_others(self, network):
        embedded = mixes.embedded_styles()
        before = slots.weighted(("scream", "great-wave"), (0.9, 0.2, 0.5, 0.5))
        after = slots.picked(["great-wave", "starry-night", "scream"], before, embedded, {})
        assert after == {"scream": 0.9, "great-wave": 0.2, "starry-night": slots.NEW_WEIGHT}

    def test_a_style_of_another_network_begins_a_new_mix(self, network, monkeypatch):
        notes = []
        monkeypatch.setattr(slots, "note", notes.append)
        other = Embedding("magenta", "m", {"bottleneck": np.zeros(4, np.float32)}, name="mine")
        own = {"mine": mixes.OwnStyle(other, Image.new("RGB", (8, 8)))}
        embedded = mixes.embedded_styles()
        after = slots.picked(["scream", "mine"], {"scream": 0.5}, embedded, own)
        assert after == {"mine": slots.NEW_WEIGHT}
        assert "do not mix" in notes[0]

    def test_takes_no_more_than_six(self, monkeypatch):
        notes = []
        monkeypatch.setattr(slots, "note", notes.append)
        style = Embedding("cin", "n", {"gamma": np.zeros(4, np.float32)})
        embedded = {f"style-{number}": style for number in range(8)}
        after = slots.picked(list(embedded), {}, embedded, {})
        assert len(after) == 6
        assert "up to 6" in notes[0]

    def test_updates_fit_the_slots(self):
        assert len(slots.updates({"a": 0.5})) == 2 + 3 * mixes.MAX_STYLES


class TestSmallParts:
    @pytest.mark.parametrize(
        ("place", "weights"),
        [
            ((0, 0), (1, 0, 0, 0)),
            ((1, 1), (0, 0, 0, 1)),
            ((0.25, 0.5), (0.375, 0.125, 0.375, 0.125)),
        ],
    )
    def test_corner_weights_are_bilinear(self, place, weights):
        assert between_tab.corner_weights(*place) == pytest.approx(weights)

    def test_a_style_at_two_corners_counts_once(self):
        names, weights = between_tab.corner_mix(0.5, 0.5, ["a", "b", "a", "c"])
        assert dict(zip(names, weights, strict=True)) == {"a": 0.5, "b": 0.25, "c": 0.25}

    def test_names_are_free(self):
        assert styles_tab.free_name("mine", {"mine", "mine-2"}) == "mine-3"
        assert styles_tab.free_name("identity", set()) == "identity-2"
        assert styles_tab.free_name(" a\nb ", set()) == "a b"

    def test_time_left_in_words(self):
        assert painting_tab.time_left(40.2) == "about 40 s left"
        assert painting_tab.time_left(200) == "about 3 min left"

    def test_says_plainly_what_is_not_at_hand(self):
        assert "Not at hand here" in painting_tab.availability("magenta")
        assert "Not at hand here" in painting_tab.availability("vgg19")

    def test_unexpected_errors_have_words(self):
        def fail():
            raise KeyError("<b>inner</b>")

        with pytest.raises(gradio.Error, match="An unexpected KeyError") as caught:
            toasts.friendly(fail)()
        assert "inner" not in caught.value.message

    def test_messages_are_no_markup(self):
        def fail():
            raise InputError("<img src=x>")

        with pytest.raises(gradio.Error, match="&lt;img"):
            toasts.friendly(fail)()

    def test_paths_outside_of_the_uploads_are_refused(self, tmp_path, monkeypatch):
        uploads = tmp_path / "uploads"
        uploads.mkdir()
        (uploads / "a.png").write_bytes(b"a")
        (tmp_path / "secret.png").write_bytes(b"b")
        monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads))
        assert files.read_upload({"path": str(uploads / "a.png")}, Settings()) == b"a"
        for path in ("secret.png", "uploads/../secret.png", "uploads", "uploads/b.png"):
            with pytest.raises(InputError, match="not here"):
                files.read_upload({"path": str(tmp_path / path)}, Settings())


class TestApi:
    """`/stylize` and `/embed` through the client that Gradio gives to programs."""

    def test_only_these_are_offered(self, client):
        assert set(client.view_api(return_format="dict")["named_endpoints"]) == {
            "/stylize",
            "/embed",
        }

    def test_paints_what_the_library_paints(self, client, network, photo_file):
        path = client.predict(
            photo=gradio_client.handle_file(photo_file),
            styles=["great-wave", "scream"],
            weights=[1, 3],
            strength=0.5,
            color="content",
            size=24,
            api_name="/stylize",
        )
        wanted = stylize(
            photo_file, ["great-wave", "scream"], [1, 3], strength=0.5, color="content", size=24
        )
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            np.testing.assert_array_equal(np.asarray(picture), np.asarray(wanted))

    def test_has_defaults(self, client, photo_file):
        path = client.predict(
            photo=gradio_client.handle_file(photo_file), styles=["scream"], api_name="/stylize"
        )
        with Image.open(path) as picture:
            assert picture.size == (40, 32)

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"styles": ["screm"]}, "There is no style named"),
            ({"styles": ["/etc/passwd"]}, "There is no style named"),
            ({"styles": []}, "at least one"),
            ({"styles": ["scream"], "weights": [1, 2]}, "one value per style"),
            ({"styles": ["scream"], "strength": 2}, "from 0 to 1"),
            ({"styles": ["scream"], "size": 4000}, "megapixels"),
        ],
    )
    def test_errors_are_those_of_the_library(self, client, photo_file, arguments, words):
        with pytest.raises(gradio_client.exceptions.AppError, match=words):
            client.predict(
                photo=gradio_client.handle_file(photo_file), api_name="/stylize", **arguments
            )

    def test_refuses_what_is_no_image(self, client, tmp_path):
        path = tmp_path / "photo.jpg"
        path.write_bytes(b"<html>not a photo</html>")
        with pytest.raises(gradio_client.exceptions.AppError, match="not an image"):
            client.predict(gradio_client.handle_file(path), ["scream"], api_name="/stylize")

    def test_refuses_too_many_pixels(self, client, tmp_path, make_photo):
        path = tmp_path / "large.png"
        path.write_bytes(png(make_photo(200, 200)))
        with pytest.raises(gradio_client.exceptions.AppError, match=r"0.02 megapixels"):
            client.predict(gradio_client.handle_file(path), ["scream"], api_name="/stylize")

    def test_refuses_large_files(self, address, client, tmp_path):
        path = tmp_path / "large.bmp"
        Image.new("RGB", (700, 700)).save(path)
        with pytest.raises(Exception, match=r"(?i)maximum|too large|413"):
            client.predict(gradio_client.handle_file(path), ["scream"], api_name="/stylize")

    def test_says_what_embed_lacks(self, client, photo_file):
        with pytest.raises(gradio_client.exceptions.AppError, match="Magenta"):
            client.predict(gradio_client.handle_file(photo_file), "mine", api_name="/embed")

    def test_reads_no_file_of_the_machine(self, address, photo_file):
        """A path that was never uploaded, in a message made by hand."""
        body = json.dumps({"data": [{"path": str(photo_file)}, ["scream"], [], 1, "style", 0]})
        url = f"{address}/gradio_api/call/stylize"
        status, text = fetch(url, data=body.encode(), headers={"Content-Type": "application/json"})
        assert status == 200
        status, text = fetch(f"{url}/{json.loads(text)['event_id']}")
        assert "event: error" in text
        assert "picture" not in text


class TestServer:
    def test_starts_where_it_cannot_look_at_itself_in_time(self, network, monkeypatch):
        """As on a busy machine, or where a proxy stands in the way."""
        monkeypatch.setattr(gradio.networking, "url_ok", lambda url: False)
        with private_folder():
            page = start(Settings(port=0), wait=False)
            try:
                assert fetch(page.local_url)[0] == 200
            finally:
                page.close(verbose=False)

    def test_serves_no_file_of_the_machine(self, address, photo_file):
        for path in ("/etc/passwd", str(photo_file), __file__):
            assert fetch(f"{address}/gradio_api/file={quote(path)}")[0] == 403

    def test_page_loads_nothing_from_elsewhere(self, address):
        html = fetch(address)[1]
        loaded = re.findall(r"""(?:src|href)\s*=\s*["'](https?:)?//([^"'/]+)""", html)
        assert loaded == []
        assert not re.search(r"fonts\.g(oogleapis|static)|cdnjs", html)
        assert "://" not in fetch(f"{address}/theme.css")[1].replace("http://www.w3.org", "")

    def test_a_drag_makes_no_backlog(self, address):
        """Of the moves of a slider at most one waits."""
        config = json.loads(fetch(f"{address}/config")[1])
        ids = {part["id"]: part["props"].get("elem_id") for part in config["components"]}
        moves = [
            event
            for event in config["dependencies"]
            if any(name == "input" and ids.get(id) == "weight-1" for id, name in event["targets"])
        ]
        assert [move["trigger_mode"] for move in moves] == ["always_last"]

    def test_no_event_of_the_page_is_in_the_api(self, address):
        config = json.loads(fetch(f"{address}/config")[1])
        public = [e["api_name"] for e in config["dependencies"] if e["api_visibility"] == "public"]
        assert sorted(public) == ["embed", "stylize"]
        assert not config.get("analytics_enabled")


class TestCommand:
    def parser(self):
        parser = argparse.ArgumentParser()
        cli_demo.add_commands(parser.add_subparsers())
        return parser

    def test_options_reach_the_demo(self, monkeypatch, capsys):
        started = []
        monkeypatch.setattr(cli_demo, "start", lambda settings, **_: started.append(settings))
        options = self.parser().parse_args(
            ["demo", "--host", "0.0.0.0", "--port", "8000", "--auth", "ann:secret"]
        )
        options.run(options)
        assert started == [Settings(host="0.0.0.0", port=8000, auth=("ann", "secret"))]
        assert capsys.readouterr().err == ""

    def test_says_when_strangers_can_come_in(self, monkeypatch, capsys):
        monkeypatch.delenv("ARBITRARY_NST_DEMO_AUTH", raising=False)
        monkeypatch.setattr(cli_demo, "start", lambda settings, **_: None)
        options = self.parser().parse_args(["demo", "--host", "0.0.0.0"])
        options.run(options)
        assert "everyone who finds this page" in capsys.readouterr().err
