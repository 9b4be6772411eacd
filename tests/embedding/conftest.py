"""What the tests of embeddings share."""

import pytest


@pytest.fixture
def path(tmp_path):
    return tmp_path / "style.safetensors"
