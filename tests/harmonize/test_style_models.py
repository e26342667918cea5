"""What the shipped tissue model reads in a simulated scan, also when the heuristics before it were wrong."""

import numpy as np
import pytest
import torch

from hail_mri.harmonize.models import load_style_model
from hail_mri.harmonize.tissue_model import TissueModel
from hail_mri.model.tissue_classes import TISSUE_CLASSES, WHITE_MATTER
from hail_mri.model.weights import load_model
from hail_mri.preprocess.prepare import prepare

pytestmark = pytest.mark.xdist_group("simulated head")
SPACING = 2.0  # mm
ML_PER_VOXEL = 8e-3  # of the network grid


@pytest.fixture(scope="module")
def model():
    return load_style_model("compact", torch.device("cpu"))[0]


@pytest.fixture(scope="module")
def prepared(simulated_slab, model):
    return prepare(simulated_slab, spacing=model.spacing, stride=model.stride)


@pytest.fixture(scope="module")
def reading(prepared, model):
    return read(model, prepared)


def read(model, prepared):
    with torch.inference_mode():
        return model.read(prepared)


@pytest.mark.parametrize("factor", [0.6, 1.0, 1.6])
def test_white_matter_of_the_map_sets_the_scale_whatever_the_first_guess(reading, prepared, model, factor):
    found = read(model, prepared.rescaled(factor))
    assert found.prepared.scale.high == pytest.approx(reading.prepared.scale.high, rel=0.01)
    np.testing.assert_allclose(found.style.means[1:4], reading.style.means[1:4], atol=0.01)


def test_a_map_without_white_matter_leaves_the_first_guess(small_tissue_model, make_head):
    network, card = load_model(small_tissue_model)
    model = TissueModel(network, card.spacing_mm, torch.device("cpu"))
    prepared = prepare(make_head(), spacing=model.spacing, stride=model.stride)
    assert read(model, prepared).prepared.scale != prepared.scale
    with torch.no_grad():
        network.last.bias.view(-1, len(TISSUE_CLASSES))[:, WHITE_MATTER] = -1e3
    assert read(model, prepared).prepared.scale == prepared.scale


@pytest.mark.slow
def test_the_map_finds_the_head_in_noise_as_bright_as_tissue(simulated_scan, visit, model):
    scan, head = simulated_scan, visit.head.head.numpy()
    white_matter = np.percentile(scan.data[visit.head.white_matter.numpy() > 0.9], 50)
    noise = np.random.default_rng(0).uniform(0, 1.7 * white_matter, scan.shape)
    noisy = scan.with_data(np.where(head, scan.data, noise).astype(np.float32))

    quiet, prepared = (prepare(s, spacing=model.spacing, stride=model.stride) for s in (scan, noisy))
    reading, found = read(model, quiet), read(model, prepared)

    truth = head.sum() * SPACING**3 * 1e-3
    assert prepared.weight.sum() * ML_PER_VOXEL > 2 * truth  # the heuristic is led astray
    assert found.prepared.weight.sum() * ML_PER_VOXEL < 1.4 * truth
    assert found.prepared.scale.high == pytest.approx(reading.prepared.scale.high, rel=0.05)


def test_dark_parts_that_the_head_mask_misses_are_measured_too(reading, prepared):
    assert (reading.prepared.weight >= prepared.weight).all()
