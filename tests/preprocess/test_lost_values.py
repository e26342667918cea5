"""Bright voxels that are cut off, and those that only look so."""

import numpy as np
import pytest

from hail_mri.preprocess.lost_values import clipped_share


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(500, 100, 100_000)


@pytest.mark.parametrize("whole_numbers", [True, False])
@pytest.mark.parametrize("limit", [500, 600, 700])
def test_the_share_is_that_of_the_voxels_that_were_cut_off(values, whole_numbers, limit):
    clipped = np.minimum(values.round() if whole_numbers else values, limit)
    assert clipped_share(clipped, above=450) == pytest.approx((values >= limit).mean(), abs=0.02)


def test_voxels_that_are_brighter_still_hide_nothing(values):
    clipped = np.minimum(values.round(), 600)
    clipped[:20] = np.linspace(700, 2000, 20).round()
    assert clipped_share(clipped, above=450) > 0.1


@pytest.mark.parametrize("step", [1, 4, 16])
def test_no_scan_is_clipped_because_it_has_few_values(values, step):
    assert clipped_share((values / step).round() * step, above=450) < 0.002


def test_what_is_dark_is_not_asked(values):
    assert clipped_share(np.maximum(values, 450), above=460) < 0.001


def test_without_bright_voxels_none_is_clipped(values):
    assert clipped_share(values, above=1e6) == 0
