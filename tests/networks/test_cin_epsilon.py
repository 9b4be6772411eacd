"""What is added to variances in the cin network: trained networks rely on its very value."""

import numpy as np

from arbitrary_nst.networks.cin.fast import normalize
from arbitrary_nst.networks.cin.network import ConditionalInstanceNorm

# Values around zero with the variance 1e-5, so that as much again makes them smaller by sqrt(2).
X = np.where(np.arange(64) % 2, 1, -1).reshape(1, 8, 8, 1).astype(np.float32) * np.sqrt(1e-5)
EXPECTED = np.sign(X) * np.sqrt(0.5)


def test_plain():
    y = ConditionalInstanceNorm()(X, np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32))
    np.testing.assert_allclose(np.asarray(y), EXPECTED, rtol=1e-3)


def test_fast():
    y = normalize(X.astype(np.float32), np.ones(1, np.float32), np.zeros(1, np.float32))
    np.testing.assert_allclose(np.asarray(y), EXPECTED, rtol=1e-3)
