"""The networks of Liu et al. as a baseline; with weights that have learned nothing, since its laws hold for any."""

import numpy as np
import pytest
import torch

from hail_mri.baselines.do_nothing import rescale
from hail_mri.baselines.liu import SliceHarmonizer
from hail_mri.errors import InputError, MissingFileError
from hail_mri.image.volume import Volume
from hail_mri.model.slice_gan import SliceGan, SliceGanSettings
from hail_mri.model.weights import SLICES_PHASE, ModelCard, save_model
from hail_mri.preprocess.cache import EstimateCache

pytestmark = pytest.mark.slow  # two registrations

SETTINGS = SliceGanSettings(size=32, width=4, widest=8, n_style=6, n_latent=3, n_hidden=8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Networks that see 8 mm voxels, with random weights."""
    torch.manual_seed(0)
    network = SliceGan(SETTINGS)
    card = ModelCard(
        name="untrained",
        phase=SLICES_PHASE,
        network=SETTINGS,
        spacing_mm=8.0,
        training_data=(),
        validation_data=(),
        date="2026-11-27",
        n_steps=0,
        validation_loss=1.0,
    )
    return save_model(network, card, tmp_path_factory.mktemp("liu") / "liu.safetensors")


@pytest.fixture(scope="module")
def target(simulated_scan):
    """The same head in other units, brighter where it is dark."""
    return simulated_scan.with_data(40 + 900 * (simulated_scan.data / simulated_scan.data.max()) ** 0.8)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return EstimateCache(tmp_path_factory.mktemp("estimates"))


@pytest.fixture(scope="module")
def result(weights, target, simulated_scan, cache):
    return SliceHarmonizer(target, model=weights, cache=cache).run(simulated_scan)


def test_the_result_lies_on_the_sources_grid_in_the_targets_units(result, simulated_scan, target):
    assert result.grid.is_close(simulated_scan.grid)
    assert np.isfinite(result.data).all()
    assert result.data.dtype == np.float32
    assert 0.3 < np.percentile(result.data, 99) / np.percentile(target.data, 99) < 3


def test_outside_the_brain_it_is_the_rescaled_source_and_inside_the_prediction(result, simulated_scan, target):
    rescaled = rescale(simulated_scan, target).data
    same = result.data == rescaled
    assert same.mean() > 0.6
    middle = tuple(n // 2 for n in simulated_scan.shape)
    assert not same[middle]
    corner = np.s_[:10, :10, :10]
    assert same[corner].all()


def test_the_same_scans_give_the_same_bits_and_stay_as_they_are(result, weights, target, simulated_scan, cache):
    before = simulated_scan.data.copy(), target.data.copy()

    again = SliceHarmonizer(target, model=weights, cache=cache).run(simulated_scan)  # by what was estimated before

    np.testing.assert_array_equal(again.data, result.data)
    np.testing.assert_array_equal(simulated_scan.data, before[0])
    np.testing.assert_array_equal(target.data, before[1])


def test_a_target_without_a_head_is_refused(weights):
    nothing = Volume(np.zeros((40, 40, 40), np.float32), np.diag([4.0, 4.0, 4.0, 1.0]))
    with pytest.raises(InputError):
        SliceHarmonizer(nothing, model=weights)


def test_weights_of_another_kind_are_refused(target):
    with pytest.raises(InputError, match="networks of Liu et al"):
        SliceHarmonizer(target, model="compact")
    with pytest.raises(MissingFileError):
        SliceHarmonizer(target, model="no such weights")
