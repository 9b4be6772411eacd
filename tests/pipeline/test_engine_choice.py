"""Which engine a call goes to, and what is read for it."""

import os

import numpy as np
import pytest

from arbitrary_nst import checkpoints, stylize
from arbitrary_nst.checkpoints import trained_styles
from arbitrary_nst.embedding import Embedding, load_styles, save_styles
from arbitrary_nst.errors import StyleError
from arbitrary_nst.pipeline.engine_choice import choose, embeddings_by, engine_for


def style(engine, name="x"):
    return Embedding(engine, "n", {"a": np.ones(1, np.float32)}, name=name)


@pytest.mark.parametrize(
    ("styles", "takes_images", "engine"),
    [
        ([style("cin")], False, "cin"),
        ([style("vgg19")], True, "vgg19"),
        ([None], True, "cin"),
        ([None], False, "magenta"),
        ([style("cin"), None], True, "cin"),
        ([style("magenta"), None], True, "magenta"),
    ],
)
def test_auto(styles, takes_images, engine):
    assert engine_for(styles, cin_takes_images=takes_images) == engine


def test_no_engine_for_all():
    with pytest.raises(StyleError, match=r"Style 2 \('x'\) was made for the engine magenta, style"):
        engine_for([style("cin"), style("magenta")])
    with pytest.raises(StyleError, match="Style 2 is an image, style 1"):
        engine_for([style("cin"), None])


def test_only_auto_may_change_to_vgg19(network, photo):
    """And only where nothing but images is to be painted."""
    assert choose([photo], "auto", 10**6).may_change
    assert not choose([photo], "magenta", 10**6).may_change
    assert not choose([photo, style("magenta")], "auto", 10**6).may_change
    assert not choose(["scream"], "auto", 10**6).may_change


def test_a_foreign_embedding_is_refused_before_an_object_embeds(photo):
    class Engine:
        name, network, styles = "mine", "m1", {}
        identity = render = render_batch = embed = lambda self, *_: pytest.fail("is at work")

    message = r"^Style 2 \('x'\) was made for the engine cin, network n. Expected: mine, network m1"
    with pytest.raises(StyleError, match=message):
        choose([photo, style("cin")], Engine(), 10**6)
    with pytest.raises(StyleError, match=message):
        embeddings_by(Engine(), [photo, style("cin")])


def test_a_warm_call_reads_no_file_that_has_not_changed(network, photo, tmp_path, monkeypatch):
    read = []

    def counted(path):
        read.append(path)
        return load_styles(path)

    monkeypatch.setattr(checkpoints, "load_styles", counted)
    for name in ("network", "styles"):
        source = network / f"{name}.safetensors"
        (tmp_path / source.name).write_bytes(source.read_bytes())
    monkeypatch.setenv("ARBITRARY_NST_CIN", str(tmp_path))
    for strength in (1, 0.5, 0.2):
        stylize(photo, ["scream", "great-wave"], strength=strength)
    assert read == [tmp_path / "styles.safetensors"]
    # A file that was written anew is read anew.
    styles = trained_styles()
    save_styles({**styles, "another": styles["scream"]}, read[0])
    os.utime(read[0], ns=(1, 1))
    assert "another" in trained_styles() and len(read) == 2
    with pytest.raises(TypeError):
        trained_styles()["scream"] = styles["scream"]
