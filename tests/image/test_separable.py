import numpy as np
import pytest

from hail_mri.image.separable import along_axes

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
