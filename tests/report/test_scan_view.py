import numpy as np
import pytest

from hail_mri.errors import InputError
from hail_mri.image.scales import LinearScale
from hail_mri.image.volume import Volume
from hail_mri.report.histograms import N_BINS, RANGE, count_tissues
from hail_mri.report.scan_view import view_scan


@pytest.fixture(scope="module")
def view(simulated_slab):
    return view_scan(simulated_slab)


def test_white_matter_is_100_and_no_signal_0_in_any_unit(view, simulated_slab, visit, slab):
    white = visit.head.white_matter.numpy()[slab]
    assert np.median(view.percent()[white]) == pytest.approx(100, abs=3)
    other = view_scan(simulated_slab.with_data(7 * simulated_slab.data))
    assert np.abs(other.percent() - view.percent()).max() < 0.1
    assert other.scale.high == pytest.approx(7 * view.scale.high, rel=1e-3)


def test_tissues_are_where_they_are_known_to_be(view, visit, slab):
    white = visit.head.white_matter.numpy()[slab]
    found = view.tissues()["white matter"]
    assert np.count_nonzero(white & found) > 0.98 * white.sum()  # known is what is white matter and nothing else
    assert not (white & view.tissues()["fluid"]).any()
    assert next(iter(view.tissues())) == "all of the brain"


def test_a_lesion_is_no_tissue(view):
    lesion = np.zeros(view.volume.shape, bool)
    lesion[40:50, 50:70] = True
    assert not any((mask & lesion).any() for mask in view.without(lesion).tissues().values())
    assert (view.region & lesion).any()


def test_a_result_is_looked_at_on_its_own_scale(view):
    result = view.with_result(
        view.volume.with_data(10 + 2 * view.volume.data), LinearScale(10.0, 10 + 2 * view.scale.high)
    )
    low = view.scale.low
    expected = 100 * 2 * view.volume.data / (2 * view.scale.high)
    assert low == pytest.approx(0, abs=1)
    assert np.abs(result.percent() - expected).max() < 0.01


def test_a_scan_without_a_brain_is_shown_as_a_whole():
    radius = np.linalg.norm(np.indices((24, 24, 24)) - 11.5, axis=0)  # mm
    noise = np.random.default_rng(0).normal(0, 5, radius.shape)
    view = view_scan(Volume(np.abs(np.where(radius < 4, 500, 0) + noise), np.eye(4)))
    assert (view.region_name, view.labels) == ("head", None)
    assert "No tissues were found" in view.told
    assert list(count_tissues(view)) == ["all of the head"]


def test_a_mask_of_another_grid_is_refused(simulated_slab, make_head):
    with pytest.raises(InputError, match="is on another grid"):
        view_scan(simulated_slab, brain_mask=make_head(signal=(0, 1, 1, 1, 1, 1), noise=0))


def test_whole_numbers_make_no_combs(view):
    steps = view.volume.with_data(np.rint(view.volume.data / view.scale.high * 30))
    coarse = view.with_result(steps, LinearScale(0.0, 30.0))  # 30 values up to white matter
    density = count_tissues(coarse)["white matter"].density
    rises = np.diff(np.sign(np.diff(density[density > 0.05 * density.max()])))
    assert np.count_nonzero(rises) <= 3
    assert density.sum() == pytest.approx(1, abs=0.02)
    middle = np.linspace(*RANGE, N_BINS)[density.argmax()]
    assert middle == pytest.approx(100, abs=5)
