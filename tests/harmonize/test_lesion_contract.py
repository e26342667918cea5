"""Every lesion of a mask is judged by itself: a large one does not speak for a small one."""

import numpy as np
import pytest
from scipy import ndimage

from hail_mri.harmonize.lesion_contract import lesion_checks, lesion_parts

SHAPE, SPACING = (40, 40, 30), np.array([1.0, 1.0, 1.2])
AFFINE = np.diag([-1.0, 1.0, 1.2, 1.0])
LARGE, SMALL = (12, 12, 14), (28, 28, 14)
NOISE = 2.0


def ball(centre, radius):
    places = np.moveaxis(np.indices(SHAPE), 0, -1)
    return np.linalg.norm((places - centre) * SPACING, axis=-1) < radius


@pytest.fixture
def brain():
    return ball((20, 20, 15), 17)


@pytest.fixture
def healthy(brain):
    """One tissue in noise."""
    return np.where(brain, 100.0, 0.0) + np.random.default_rng(0).normal(0, NOISE, SHAPE)


def with_lesions(scan, *lesions):
    """Add a contrast at each place."""
    added = sum(contrast * where for where, contrast in lesions)
    return (scan + added).astype(np.float32)


def checks(source, result, lesion, brain):
    found = lesion_checks(lesion_parts(source, result, lesion, [brain], SPACING), AFFINE)
    return {check.name: check for check in found}


@pytest.mark.parametrize("contrast", [-30, 30], ids=["dark", "bright"])
def test_a_small_lesion_that_is_erased_beside_a_large_one_fails(healthy, brain, contrast):
    large, small = ball(LARGE, 6), ball(SMALL, 1.1)
    assert small.sum() < 9 < 500 < large.sum()
    source = with_lesions(healthy, (large, -30), (small, contrast))
    result = with_lesions(healthy, (large, -30))
    found = checks(source, result, large | small, brain)
    assert found["lesion contrast"].verdict == "fail"
    assert f"the worst of 2, {small.sum()} voxels at (-28, 28, 17) mm" in found["lesion contrast"].found
    assert found["lesions judged"].found == "1 of their voxels: 2 of 2; 1 too small or too faint to judge the volume"
    same = checks(source, source, large | small, brain)
    assert {check.verdict for check in same.values()} == {"ok"}


def test_a_dark_lesion_that_is_erased_beside_a_bright_one_fails(healthy, brain):
    bright, dark = ball(LARGE, 5), ball(SMALL, 4)
    source = with_lesions(healthy, (bright, 40), (dark, -20))
    found = checks(source, with_lesions(healthy, (bright, 40)), bright | dark, brain)
    assert (found["lesion contrast"].verdict, found["lesion volume"].verdict) == ("fail", "fail")
    assert found["lesion volume"].found.startswith("0 of that in the source, the worst of 2")


def test_a_lesion_that_was_turned_over_is_worse_than_one_that_is_fainter(healthy, brain):
    large, small = ball(LARGE, 5), ball(SMALL, 3)
    source = with_lesions(healthy, (large, -30), (small, -30))
    found = checks(source, with_lesions(healthy, (large, -10), (small, 30)), large | small, brain)
    assert found["lesion contrast"].verdict == "fail"
    assert float(found["lesion contrast"].found.split()[0]) < -0.8


def test_one_that_stands_out_three_times_as_much_is_worse_than_one_that_is_faint(healthy, brain):
    large, small = ball(LARGE, 5), ball(SMALL, 3)
    source = with_lesions(healthy, (large, -30), (small, -30))
    found = checks(source, with_lesions(healthy, (large, -10), (small, -105)), large | small, brain)
    assert found["lesion contrast"].verdict == "fail"
    assert float(found["lesion contrast"].found.split()[0]) > 3


def test_lesions_that_cannot_be_judged_are_counted_with_the_reason(healthy, brain):
    seen, faint, beside = ball(LARGE, 5), ball(SMALL, 5), ball((2, 2, 2), 2.5)
    assert not (beside & ndimage.binary_dilation(brain, iterations=6)).any()
    source = with_lesions(healthy, (seen, -30), (faint, -0.1))
    found = checks(source, source, seen | faint | beside, brain)
    assert found["lesions judged"].verdict == "check"
    assert found["lesions judged"].found.endswith(
        ": 1 of 3; 1 faint in the source; 1 too little around to compare with"
    )
    assert found["lesion contrast"].verdict == "ok"


def test_where_nothing_could_be_judged_that_is_told(healthy, brain):
    (check,) = checks(healthy, healthy, ball(LARGE, 5), brain).values()
    assert (check.name, check.verdict) == ("lesions judged", "check")
    assert check.found == "0 of their voxels: 0 of 1; 1 faint in the source"


def test_a_lesion_beside_another_is_not_compared_with_it(healthy, brain):
    one, other = ball(LARGE, 4), ball((12, 22, 14), 4)
    source = with_lesions(healthy, (one, -30), (other, 60))
    parts = lesion_parts(source, source, one | other, [brain], SPACING)
    assert [part.contrast for part in parts] == [pytest.approx(1), pytest.approx(1)]
    fainter = with_lesions(healthy, (one, -30), (other, 30))
    assert lesion_parts(source, fainter, one | other, [brain], SPACING)[0].contrast == pytest.approx(1)


def test_voxels_that_touch_at_a_corner_are_one_lesion(healthy, brain):
    lesion = np.zeros(SHAPE, bool)
    lesion[12, 12, 14] = lesion[13, 13, 15] = True
    assert len(lesion_parts(healthy, healthy, lesion, [brain], SPACING)) == 1


def test_a_dark_lesion_half_in_fluid_is_judged_by_the_rest(healthy, brain):
    lesion = ball((20, 20, 14), 5)
    fluid = brain & (np.indices(SHAPE)[0] > 22) & ~lesion
    source = with_lesions(healthy, (lesion, -40), (fluid, -80))
    (pooled,) = lesion_parts(source, source, lesion, [brain], SPACING)
    assert pooled.reason == "faint in the source"
    (part,) = lesion_parts(source, with_lesions(healthy, (fluid, -80)), lesion, [brain, brain & ~fluid], SPACING)
    assert part.contrast == pytest.approx(0, abs=0.1)
    assert part.volume == 0
