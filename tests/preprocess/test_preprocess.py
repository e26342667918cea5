import nibabel as nib
import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.image.orientation import to_canonical
from hail_mri.image.volume import Volume
from hail_mri.preprocess.cache import EstimateCache
from hail_mri.preprocess.prepare import prepare
from hail_mri.preprocess.preprocess import preprocess
from hail_mri.preprocess.reference import prepared_grid, scan_reference
from hail_mri.preprocess.reslicing import reslice
from hail_mri.preprocess.settings import PRESETS


@pytest.fixture(scope="module", autouse=True)
def coarser():
    """Let N4 work on a coarser grid, where it takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hail_mri.preprocess.bias_field.SPACING", 12.0)
        yield


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return EstimateCache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def source(visit, move):
    """Return the subject of the reference at another site, turned, cut and with an offset, axes in another order."""
    from hail_mri.simulation.scanners import SITES
    from hail_mri.simulation.travelling import rescan_at

    turned, _ = move(rescan_at(visit, SITES["A"]), (10, -15, 20), (5, -8, 12), size=118)
    ornt = nib.orientations.ornt_transform([[0, 1], [1, 1], [2, 1]], nib.orientations.axcodes2ornt("LIP"))
    held = nib.Nifti1Image(turned.data, turned.affine).as_reoriented(ornt)
    return Volume(held.get_fdata(dtype=np.float32), held.affine)


@pytest.fixture(scope="module")
def found(source, reference, cache):
    return preprocess(source, reference, PRESETS["robust"], cache=cache)


def test_the_result_lies_on_the_references_grid_between_0_and_1(found, reference):
    assert found.volume.grid.is_close(reference.grid)
    assert found.volume.data.min() == 0
    assert found.volume.data.max() == 1
    assert 0 < found.clipped < 0.1


def test_the_background_is_exactly_0(found):
    assert (found.volume.data[:3] == 0).all()


def test_the_scan_lies_where_the_reference_does(found, reference, simulated_scan):
    there = reslice(simulated_scan, reference.grid, np.eye(4)).data
    inside = reslice(reference.brain, reference.grid, np.eye(4)).data > 0.9

    def agreement(shift, axis):
        return np.corrcoef(there[inside], np.roll(found.scaled.data, shift, axis)[inside])[0, 1]

    assert agreement(0, 0) > max(agreement(shift, axis) for shift in (-1, 1) for axis in range(3))
    assert agreement(0, 0) > 0.8


def test_without_a_change_the_scan_itself_comes_back(found, source):
    back = found.carry_back(found.volume)
    np.testing.assert_array_equal(back.data, source.data)
    np.testing.assert_array_equal(back.affine, source.affine)


def test_a_change_of_everything_comes_back_as_such(found, source):
    back = found.carry_back(found.volume.with_data(found.volume.data * 1.1))
    head = to_canonical(source).data > 0.3 * found.scale.high
    ratio = to_canonical(back).data[head] / to_canonical(source).data[head]
    assert np.median(ratio) == pytest.approx(1.1, abs=0.01)
    assert back.data.min() >= 0


def test_the_bias_field_can_be_left_out(found):
    kept, removed = (found.carry_back(found.volume, keep_bias=keep) for keep in (True, False))
    field = found.bias.factor()
    bright = to_canonical(kept).data > 0.3 * found.scale.high
    ratio = to_canonical(kept).data[bright] / to_canonical(removed).data[bright]
    np.testing.assert_allclose(ratio, field[bright], rtol=1e-3)


def test_how_bright_a_lesion_is_does_not_change_field_and_scale_with_its_mask(source, reference, cache):
    centre = np.array(source.shape).reshape(3, 1, 1, 1) / 2
    lesion = 2.0 * np.sqrt(((np.indices(source.shape) - centre) ** 2).sum(axis=0)) < 24
    spoilt = source.with_data(np.where(lesion, 2 * source.data, source.data))
    fields = [
        preprocess(scan, reference, PRESETS["robust"], lesion_mask=mask, cache=cache)
        for scan, mask in ((source, source.with_data(lesion)), (spoilt, source.with_data(lesion)), (spoilt, None))
    ]
    logs = [found.bias.log for found in fields]
    assert np.abs(logs[1] - logs[0]).max() < 0.01 < 0.05 < np.abs(logs[2] - logs[0]).max()
    scales = [found.prepared.scale.high for found in fields]
    assert abs(scales[1] / scales[0] - 1) < 0.01


def test_erased_background_stays_what_it_is(source, reference, cache):
    plain = preprocess(source, reference, PRESETS["robust"], cache=cache)
    outside = ~plain.prepared.head
    canonical = to_canonical(source)
    marked = canonical.with_data(np.where(outside, -32768, canonical.data))
    found = preprocess(marked, reference, PRESETS["robust"], cache=cache)
    back = found.carry_back(found.volume.with_data(found.volume.data + 0.1))
    assert (to_canonical(back).data[outside] == -32768).mean() > 0.99
    assert found.volume.data.min() == 0


def test_how_a_scan_is_held_does_not_matter(found, source, reference, cache):
    upright = preprocess(to_canonical(source), reference, PRESETS["robust"], cache=cache)
    np.testing.assert_array_equal(upright.volume.data, found.volume.data)


def test_the_papers_preset_goes_from_the_darkest_voxel_to_the_brightest(source, reference, cache):
    found = preprocess(source, reference, PRESETS["paper"], cache=cache)
    assert found.volume.data.min() == 0
    assert found.volume.data.max() == pytest.approx(1)
    assert found.clipped < 1e-6


def test_a_marker_on_the_skin_spoils_the_papers_scale_and_not_the_robust_one(found, source, reference, cache):
    data = source.data.copy()
    data[59:61, 59:61, 59:61] = 30 * data.max()
    spoilt = {name: preprocess(source.with_data(data), reference, PRESETS[name], cache=cache) for name in PRESETS}
    assert spoilt["robust"].scale.high == pytest.approx(found.scale.high, rel=0.05)
    assert spoilt["paper"].scale.high > 5 * found.scale.high


def test_what_was_moved_cannot_be_carried_back(found):
    moved = Volume(found.volume.data[1:], found.volume.affine)
    with pytest.raises(InputError, match="prepared grid"):
        found.carry_back(moved)


def test_a_scan_on_such_a_grid_keeps_it_as_reference(found):
    grid = prepared_grid(prepare(found.volume, spacing=4.0, stride=1), 2.0, 128)
    np.testing.assert_array_equal(grid.affine, found.volume.affine)


def test_a_mask_of_the_scan_goes_with_it(found, source):
    head = source.with_data(source.data > 0.2 * found.scale.high)
    there = found.resliced_mask(head)
    assert set(np.unique(there.data)) == {0, 1}
    assert there.data.sum() * 8 == pytest.approx(head.data.sum() * np.prod(source.spacing), rel=0.02)


@pytest.mark.parametrize(
    ("spacing", "size", "message"), [(0.1, 256, "spacing"), (1.0, 0, "voxels along"), (1.0, 5000, "voxels along")]
)
def test_grids_that_make_no_sense_are_refused(simulated_scan, brain_mask, spacing, size, message):
    with pytest.raises(InputError, match=message):
        scan_reference(simulated_scan, brain_mask, name="x", spacing=spacing, size=size)


def test_an_empty_mask_of_the_reference_is_refused(simulated_scan):
    with pytest.raises(InputError, match="empty"):
        scan_reference(simulated_scan, simulated_scan.with_data(np.zeros(simulated_scan.shape)), name="x")


def test_a_mask_on_another_grid_is_refused(source, reference, cache, brain_mask):
    with pytest.raises(InputError, match="mask"):
        preprocess(source, reference, PRESETS["robust"], brain_mask=brain_mask, cache=cache)
