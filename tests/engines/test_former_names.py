"""Arguments under the names that they had before."""

import pytest

from arbitrary_nst.engines.vgg19 import Vgg19
from arbitrary_nst.errors import WeightsUnavailable
from arbitrary_nst.export import export


def test_the_file_of_vgg19(tmp_path):
    file = tmp_path / "none.h5"
    with pytest.raises(WeightsUnavailable, match=r"none\.h5"):
        Vgg19(source=file)
    with (
        pytest.warns(DeprecationWarning, match="`weights` of Vgg19 is `source` now"),
        pytest.raises(WeightsUnavailable, match=r"none\.h5"),
    ):
        Vgg19(weights=file)


def test_the_folder_of_an_export(tmp_path):
    with pytest.raises(WeightsUnavailable, match="No cin network in .*none"):
        export(tmp_path / "out", "tflite", folder=tmp_path / "none")
    with (
        pytest.warns(DeprecationWarning, match="`network` of export is `folder` now"),
        pytest.raises(WeightsUnavailable, match="No cin network in .*none"),
    ):
        export(tmp_path / "out", "tflite", network=tmp_path / "none")
