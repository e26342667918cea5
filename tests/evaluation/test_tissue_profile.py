"""Profiles are on one scale: what a scan looks like does not depend on the unit of its target."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from hail_mri.evaluation.pair_labels import PairLabels
from hail_mri.evaluation.pair_scans import PairScans
from hail_mri.evaluation.tissue_profile import bin_centres, profile_from, tissue_profiles
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume

TISSUES = np.arange(64).reshape(4, 4, 4) % 4  # 0 nothing, 1 fluid, 2 grey, 3 white: 16 voxels of each
AFFINE = np.diag([2.0, 2.0, 2.5, 1.0])  # 10 mm³


def volume(fluid, grey, white):
    return Volume(np.array([0.0, fluid, grey, white])[TISSUES], AFFINE)


def profiled(gain, *, labels=True, truth=None):
    head = TISSUES > 0
    scans = PairScans(
        volume(20.5 * gain, 40.5 * gain, 60.5 * gain),
        volume(10.5 * gain, 50.5 * gain, 60.5 * gain),
        volume(10.5 * gain, 50.5 * gain, 61.5 * gain),
        truth,
        head,
        head,
        None,
        None,
        LinearScale(0.0, 100.0 * gain),
    )
    found = np.where(TISSUES == 3, 2, TISSUES)  # in the result white matter is taken for grey matter
    known = PairLabels(TISSUES, TISSUES, found, None, "native grid") if labels else None
    return {(profile.scan, profile.tissue): profile for profile in tissue_profiles(scans, known)}


def test_a_profile_is_the_same_in_every_unit():
    assert profiled(1.0).keys() == profiled(7.5).keys()
    for key, profile in profiled(1.0).items():
        other = profiled(7.5)[key]
        assert other.counts == profile.counts
        assert other.mean == pytest.approx(profile.mean, rel=1e-6)


def test_means_are_of_the_source_s_tissues_and_volumes_of_those_found_in_each_scan():
    found = profiled(1.0)
    assert found["harmonized", "white matter"].mean == pytest.approx(0.615)
    assert found["harmonized", "white matter"].volume_ml == 0
    assert found["harmonized", "grey matter"].volume_ml == pytest.approx(0.32)
    assert found["source", "grey matter"].volume_ml == pytest.approx(0.16)
    assert found["source", "head"].volume_ml == pytest.approx(0.48)


def test_a_histogram_counts_every_voxel_where_it_is():
    counts = np.array(profiled(1.0)["source", "csf"].counts)
    assert counts.sum() == 16
    assert bin_centres()[counts.argmax()] == pytest.approx(0.205, abs=0.001)


def test_without_tissues_there_is_the_head_and_a_truth_has_its_own():
    assert set(profiled(1.0, labels=False)) == {(scan, "head") for scan in ("source", "target", "harmonized")}
    found = profiled(1.0, truth=volume(30.0, 40.0, 50.0))
    assert found["truth", "csf"].mean == pytest.approx(0.3)


def test_what_was_kept_is_read_again_and_nothing_else():
    profile = profiled(1.0)["target", "csf"]
    held = json.loads(json.dumps(asdict(profile)))
    assert profile_from(held) == profile
    with pytest.raises(ValueError, match="not a profile"):
        profile_from({**held, "counts": held["counts"][1:]})
