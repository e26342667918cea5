import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from hail_mri.image.separable import along_axes, gaussian_weights

SHAPE = (7, 9, 11)


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize(
    "shape", [pytest.param((3, 4, 5), id="smaller"), pytest.param((14, 18, 22), id="larger"), (3, 18, 11)]
)
def test_the_product_is_that_of_einsum(shape, layout):
    random = np.random.default_rng(0)
    data = np.asarray(random.random(SHAPE, dtype=np.float32), order=layout)
    matrices = [random.random((m, n), dtype=np.float32) for m, n in zip(shape, SHAPE, strict=True)]

    result = along_axes(data, matrices)

    np.testing.assert_allclose(result, np.einsum("ai,bj,ck,ijk->abc", *matrices, data), rtol=1e-5)
    assert result.flags.c_contiguous


def test_neither_volume_nor_matrices_are_changed():
    data, matrices = np.ones(SHAPE, np.float32), [np.eye(n, dtype=np.float32) for n in SHAPE]

    along_axes(data, matrices)

    assert (data == 1).all()
    assert all((matrix == np.eye(len(matrix))).all() for matrix in matrices)


@pytest.mark.parametrize("leading", [(), (2,), (2, 3)])
@pytest.mark.parametrize("shape", [(3, 4, 5), (14, 18, 22)], ids=["smaller", "larger"])
def test_torch_and_numpy_find_the_same_for_any_number_of_volumes(leading, shape):
    random = np.random.default_rng(0)
    data = random.random((*leading, *SHAPE), dtype=np.float32)
    matrices = [random.random((m, n), dtype=np.float32) for m, n in zip(shape, SHAPE, strict=True)]

    by_torch = along_axes(torch.from_numpy(data), [torch.from_numpy(m) for m in matrices])

    np.testing.assert_allclose(by_torch, along_axes(data, matrices), rtol=1e-5)
    np.testing.assert_allclose(by_torch, np.einsum("ai,bj,ck,...ijk->...abc", *matrices, data), rtol=1e-5)


def test_gradients_flow_through():
    data = torch.rand(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    matrices = [torch.rand(2, n, dtype=torch.float64) for n in (3, 4, 5)]

    assert torch.autograd.gradcheck(lambda volume: along_axes(volume, matrices), data)


@pytest.mark.parametrize("sigma", [0.3, 0.7, 2.5, 20.0])
def test_gaussian_weights_are_those_of_scipy(sigma):
    column = np.random.default_rng(0).random(15)

    expected = gaussian_filter1d(column, sigma, mode="constant", truncate=8)
    np.testing.assert_allclose(gaussian_weights(15, sigma) @ column, expected, rtol=1e-5)
