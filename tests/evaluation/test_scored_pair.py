"""A pair that cannot be scored is refused where it is made, with what was found, what was expected and what to do."""

import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.evaluation.scored_pair import ScoredPair, unit_factor
from hail_mri.image.volume import Volume


@pytest.fixture
def target():
    return Volume(np.random.default_rng(1).normal(900, 80, (8, 9, 10)), np.diag([2.0, 2.0, 2.0, 1.0]))


def moved(scan, millimetres):
    affine = scan.affine.copy()
    affine[0, 3] += millimetres
    return Volume(scan.data, affine)


def constant(scan):
    return scan.with_data(np.full(scan.shape, 7.0))


def test_target_may_be_on_any_grid_and_nothing_else_need_be_known(scan, target):
    pair = ScoredPair(scan, target)
    known = (pair.truth, pair.rescan, pair.brain_mask, pair.head_mask, pair.target_head_mask)
    assert known == (None,) * 5


def test_truth_a_rounding_error_of_a_header_away_is_on_the_sources_grid(scan, target):
    pair = ScoredPair(scan, target, moved(scan, 1e-3))
    np.testing.assert_array_equal(pair.truth.data, scan.data)


def test_masks_of_a_pair_cannot_be_written_to_and_the_callers_still_can(scan, target):
    mask = np.ones(scan.shape, bool)
    pair = ScoredPair(scan, target, head_mask=mask)
    with pytest.raises(ValueError, match="read-only"):
        pair.head_mask[0] = False
    mask[0] = False


@pytest.mark.parametrize(
    ("known", "message", "hint"),
    [
        pytest.param(
            lambda scan, _: {"truth": moved(scan, 5.0)},
            "the truth is on another grid than the source: its origin is 5 mm away",
            "resample",
            id="truth elsewhere",
        ),
        pytest.param(
            lambda _, target: {"truth": target},
            "the truth is on another grid than the source: its shape is 8 x 9 x 10, not 12 x 11 x 9",
            "resample",
            id="truth on the target's grid",
        ),
        pytest.param(
            lambda scan, _: {"truth": scan, "rescan": moved(scan, 5.0)},
            "the rescan is on another grid",
            "resample",
            id="rescan elsewhere",
        ),
        pytest.param(lambda scan, _: {"rescan": scan}, "a rescan but no truth", "as truth", id="rescan alone"),
        pytest.param(
            lambda scan, _: {"truth": constant(scan)},
            "the truth is constant \\(7 everywhere\\), expected a scan",
            "check its file",
            id="constant truth",
        ),
        pytest.param(
            lambda scan, _: {"brain_mask": np.zeros(scan.shape, bool)},
            "brain_mask is empty, expected some voxels",
            "leave it out",
            id="empty mask",
        ),
        pytest.param(
            lambda scan, _: {"target_head_mask": np.ones(scan.shape, bool)},
            "target_head_mask has the shape \\(12, 11, 9\\), its scan has \\(8, 9, 10\\)",
            "the scan's grid",
            id="mask of the other scan",
        ),
        pytest.param(
            lambda scan, _: {"head_mask": np.full(scan.shape, 0.2)},
            "head_mask holds float64, expected bool",
            "cut it first",
            id="soft mask",
        ),
    ],
)
def test_what_does_not_belong_to_the_pair_is_refused(scan, target, known, message, hint):
    with pytest.raises(InputError, match=message) as caught:
        ScoredPair(scan, target, **known(scan, target))
    assert hint in caught.value.hint


@pytest.mark.parametrize("name", ["source", "target"])
def test_constant_scans_are_refused_by_name(scan, target, name):
    scans = {"source": scan, "target": target}
    scans[name] = constant(scans[name])
    with pytest.raises(InputError, match=f"the {name} is constant"):
        ScoredPair(**scans)


def test_unit_factor_is_the_ratio_of_the_means_of_white_matter(scan, target):
    white_matter, target_white_matter = scan.data > 320, target.data > 950
    factor = unit_factor(scan, target, white_matter=white_matter, target_white_matter=target_white_matter)
    assert factor * scan.data[white_matter].mean() == pytest.approx(target.data[target_white_matter].mean(), rel=1e-5)


def test_white_matter_that_is_dark_gives_no_factor(scan, target):
    masks = {"white_matter": np.ones(scan.shape, bool), "target_white_matter": np.ones(target.shape, bool)}
    with pytest.raises(InputError, match=r"in the truth and 895\.\d+ in the target, expected both above 0") as caught:
        unit_factor(scan.with_data(scan.data - 1000), target, **masks)
    assert "belong" in caught.value.hint
