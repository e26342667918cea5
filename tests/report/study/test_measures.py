import json
import math

import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.image.nifti import save_volume
from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.report.study.features import feature_names
from hail_mri.report.study.measures import measure, measure_files

FACTOR = 3.0


@pytest.fixture(scope="module")
def louder(simulated_slab):
    return simulated_slab.with_data(FACTOR * simulated_slab.data)


@pytest.fixture(scope="module")
def measured(simulated_slab, louder):
    return measure(simulated_slab, louder)


def test_a_result_that_is_only_louder_has_the_same_volumes_and_contrast(measured):
    for name in feature_names():
        factor = 1.0 if "volume" in name or "contrast" in name else FACTOR
        if math.isfinite(measured.before[name]):
            assert measured.after[name] == pytest.approx(factor * measured.before[name], rel=1e-3, abs=0.05), name


def test_fluid_is_darkest_and_white_matter_brightest_and_both_are_found(measured):
    assert measured.before["white_matter_median"] > measured.before["grey_matter_median"]
    assert measured.before["grey_matter_median"] > measured.before["csf_median"]
    assert 200 < measured.before["white_matter_volume_ml"] < 700


def test_the_box_is_around_the_brain(measured, simulated_slab):
    i0, i1, j0, j1, k = measured.box
    shape = to_canonical(simulated_slab).shape

    assert 0 <= i0 < i1 < shape[0]
    assert 0 <= j0 < j1 < shape[1]
    assert 0 < k < shape[2] - 1
    assert 100 < 2 * (i1 - i0) < 180  # mm


def test_what_was_measured_is_kept_for_the_same_two_files(simulated_slab, louder, measured, tmp_path):
    source, result, kept = tmp_path / "a.nii.gz", tmp_path / "b.nii.gz", tmp_path / "kept"
    save_volume(simulated_slab, source)
    save_volume(louder, result)

    first = measure_files(source, result, kept)
    (kept_path,) = kept.iterdir()
    told = json.loads(kept_path.read_text())
    told["before"]["csf_mean"] = 123.0
    kept_path.write_text(json.dumps(told))

    assert first.box == measured.box
    assert measure_files(source, result, kept).before["csf_mean"] == 123.0
    assert measure_files(result, source, kept).before["csf_mean"] != 123.0
    kept_path.write_text("{")
    assert repr(measure_files(source, result, kept)) == repr(first)  # NaN is not NaN, but looks like it


def test_scans_on_other_grids_are_not_compared(simulated_slab):
    with pytest.raises(InputError, match="not on the same grid"):
        measure(simulated_slab, Volume(simulated_slab.data, simulated_slab.affine @ np.diag([1.1, 1, 1, 1])))


def test_what_cannot_be_measured_has_a_reason_and_is_not_kept(tmp_path):
    (tmp_path / "a.nii.gz").write_bytes(b"no scan")

    found = measure_files(tmp_path / "a.nii.gz", tmp_path / "gone.nii.gz", tmp_path / "kept")

    assert (found.before, found.box) == ({}, None)
    assert "gone.nii.gz does not exist" in found.reason
    assert not (tmp_path / "kept").exists()


def test_tissues_that_fail_a_check_are_not_measured(simulated_slab):
    half = Volume(simulated_slab.data, simulated_slab.affine @ np.diag([0.5, 0.5, 0.5, 1]))

    with pytest.raises(InputError, match="in the source are not to be believed"):
        measure(half, half)
