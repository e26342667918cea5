"""The place of the coil, which nobody can know, must not count: it is taken out of the simulator's pairs."""

import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.evaluation.simulated import simulated_pair
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.travelling import scan_visit, travelling_pair, visit_site


@pytest.fixture(scope="module")
def travelling(mni):
    return travelling_pair(mni, SITES["A"], SITES["B"], spacing=8.0, seed=1)


@pytest.fixture(scope="module")
def visit(mni):
    return visit_site(new_subject(mni, 2), SITES["B"], spacing=8.0, seed=2)


@pytest.fixture(scope="module")
def target(visit):
    return scan_visit(visit)


@pytest.fixture(scope="module")
def white_matter(visit):
    return visit.head.white_matter.numpy()


def test_white_matter_of_the_truth_is_as_bright_as_that_of_the_target(travelling, target, white_matter):
    pair = simulated_pair(travelling, target, target_white_matter=white_matter)
    assert pair.truth.data[travelling.white_matter].mean() == pytest.approx(target.data[white_matter].mean(), rel=1e-4)


def test_truth_and_rescan_are_brought_there_by_one_factor(travelling, target, white_matter):
    pair = simulated_pair(travelling, target, target_white_matter=white_matter)
    inside = travelling.head_mask
    factor = (pair.truth.data[inside] / travelling.truth.data[inside]).mean()
    np.testing.assert_allclose(pair.rescan.data, factor * travelling.rescan.data, rtol=1e-5)


def test_brighter_truth_and_rescan_make_no_difference(travelling, target, white_matter):
    brighter = travelling._replace(truth=_times(travelling.truth, 1.3), rescan=_times(travelling.rescan, 1.3))
    expected, found = (simulated_pair(t, target, target_white_matter=white_matter) for t in (travelling, brighter))
    np.testing.assert_allclose(found.truth.data, expected.truth.data, rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(found.rescan.data, expected.rescan.data, rtol=1e-4, atol=1e-2)


def test_source_target_and_masks_stay_as_they_are(travelling, target, white_matter):
    pair = simulated_pair(travelling, target, target_white_matter=white_matter)
    assert pair.source is travelling.source
    assert pair.target is target
    np.testing.assert_array_equal(pair.brain_mask, travelling.brain_mask)
    np.testing.assert_array_equal(pair.head_mask, travelling.head_mask)


def test_a_target_without_white_matter_is_refused(travelling, target, white_matter):
    with pytest.raises(InputError, match="target_white_matter is empty"):
        simulated_pair(travelling, target, target_white_matter=np.zeros_like(white_matter))


def _times(volume, factor):
    return volume.with_data(volume.data * np.float32(factor))
