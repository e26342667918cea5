"""A comparison must be fair: known errors give known numbers, and loudness, which nobody can know, does not count."""

import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.evaluation.comparison import (
    DO_NOTHING,
    ORACLE,
    RESCAN,
    compare,
    histogram_distances,
    in_target_units,
)
from hail_mri.image.volume import Volume
from hail_mri.simulation.anatomies import Anatomy
from hail_mri.simulation.mni import mni_anatomy
from hail_mri.simulation.scanners import SITES
from hail_mri.simulation.subjects import new_subject
from hail_mri.simulation.travelling import scan_visit, travelling_pair, visit_site


@pytest.fixture(scope="module")
def anatomy() -> Anatomy:
    return mni_anatomy(2.0)


@pytest.fixture(scope="module")
def pair(anatomy):
    return travelling_pair(anatomy, SITES["A"], SITES["B"], spacing=8.0, seed=1)


@pytest.fixture(scope="module")
def visit(anatomy):
    return visit_site(new_subject(anatomy, 2), SITES["B"], spacing=8.0, seed=2)


@pytest.fixture(scope="module")
def target(visit):
    return scan_visit(visit)


@pytest.fixture(scope="module")
def white_matter(visit):
    return visit.head.white_matter.numpy()


@pytest.fixture(scope="module")
def scores(pair, target, white_matter):
    truth = in_target_units(pair, target, white_matter).truth
    results = {"perfect": truth, "off": truth.with_data(truth.data + 0.1 * _range(truth, pair))}
    return {score.method: score for score in compare(pair, target, results, target_white_matter=white_matter)}


def _range(truth, pair):
    return np.float32(np.percentile(truth.data[pair.head_mask], 99))


def test_truth_itself_is_perfect(scores):
    perfect = scores["perfect"]
    assert perfect.psnr_head == perfect.psnr_brain == float("inf")
    assert perfect.ssim_head == perfect.ssim_brain == pytest.approx(1.0)


def test_error_of_a_tenth_of_the_range_is_twenty_decibels(scores):
    assert scores["off"].psnr_head == pytest.approx(20.0, abs=1e-3)
    assert scores["off"].psnr_brain == pytest.approx(20.0, abs=1e-3)


def test_rescan_beats_the_oracle_which_beats_doing_nothing(scores):
    assert scores[RESCAN].psnr_head > scores[ORACLE].psnr_head > scores[DO_NOTHING].psnr_head


def test_doing_nothing_moves_no_histogram(scores):
    assert scores[DO_NOTHING].nwd_ip == pytest.approx(0.0, abs=1e-6)
    assert scores[DO_NOTHING].nwd_tp == pytest.approx(100.0, abs=1e-6)


def test_methods_come_in_a_fixed_order_with_the_floor_last(scores):
    assert next(iter(scores)) == DO_NOTHING
    assert list(scores)[-3:] == ["perfect", "off", RESCAN]


def test_brighter_truth_and_rescan_make_no_difference(pair, target, white_matter):
    brighter = pair._replace(truth=_times(pair.truth, 1.3), rescan=_times(pair.rescan, 1.3))
    expected, found = (in_target_units(p, target, white_matter) for p in (pair, brighter))
    np.testing.assert_allclose(found.truth.data, expected.truth.data, rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(found.rescan.data, expected.rescan.data, rtol=1e-4, atol=1e-2)


def test_bringing_a_pair_to_target_units_twice_changes_nothing_more(pair, target, white_matter):
    once = in_target_units(pair, target, white_matter)
    twice = in_target_units(once, target, white_matter)
    np.testing.assert_allclose(twice.truth.data, once.truth.data, rtol=1e-4, atol=1e-2)
    assert once.source is pair.source


def test_result_with_the_targets_histogram_has_moved_all_the_way(pair):
    # Target and source share the grid, so that the target itself can be the result: only the two heads found differ.
    nwd_ip, nwd_tp = histogram_distances(pair.source, pair.rescan, {"copy": pair.rescan})["copy"]
    assert nwd_ip == pytest.approx(100.0, abs=25)
    assert nwd_tp < 25


def test_the_truth_ends_with_the_white_matter_of_the_target(pair, target, white_matter):
    truth = in_target_units(pair, target, white_matter).truth
    wanted = target.data[white_matter].mean()
    assert truth.data[pair.white_matter].mean() == pytest.approx(wanted, rel=1e-4)


def test_a_target_without_white_matter_is_refused(pair, target, white_matter):
    with pytest.raises(InputError, match="no voxel of pure white matter"):
        in_target_units(pair, target, np.zeros_like(white_matter))


def test_result_on_another_grid_is_refused(pair, target, white_matter):
    cropped = Volume(pair.truth.data[1:], pair.truth.affine)
    with pytest.raises(InputError, match="cropped"):
        compare(pair, target, {"cropped": cropped}, target_white_matter=white_matter)


def _times(volume, factor):
    return volume.with_data(volume.data * np.float32(factor))
