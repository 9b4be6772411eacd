"""The notebook of `examples/` runs from top to bottom, and shows pictures and a bar."""

import os
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "examples" / "blends.ipynb"


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of Jupyter's own, about event loops and folders
def test_the_notebook(packaged, tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("skimage")
    root = str(NOTEBOOK.parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # no pictures in the repository
    sized = [cell for cell in notebook.cells if "SIZE = 512" in cell.source]
    assert len(sized) == 1
    sized[0].source = sized[0].source.replace("SIZE = 512", "SIZE = 64")
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3").execute(cwd=tmp_path)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    said = "".join(o.get("text", "") + str(o.get("data", "")) for o in outputs)
    assert len(pictures) == 4
    assert "great-wave" in said and "blends" in said  # the names, and the bar
