import pytest
import torch

from hail_mri.model.tissue_classes import BACKGROUND, CSF, GREY_MATTER, TISSUE_CLASSES, WHITE_MATTER
from hail_mri.model.tissue_fit import FitSettings, fit_tissues

SHAPE = (32, 32, 32)
MEANS = {BACKGROUND: 0.0, CSF: 0.15, GREY_MATTER: 0.42, WHITE_MATTER: 0.6}


@pytest.fixture(scope="module")
def layers():
    """Concentric cubes: background, fluid, grey and white matter from the outside inwards."""
    steps = (torch.arange(32) - 15.5).abs()
    distance = torch.stack(torch.meshgrid(steps, steps, steps, indexing="ij")).amax(dim=0)
    labels = torch.full(SHAPE, BACKGROUND)
    for edge, label in ((14, CSF), (12, GREY_MATTER), (8, WHITE_MATTER)):
        labels[distance < edge] = label
    return labels


@pytest.fixture(scope="module")
def prior(layers):
    """A network that is not sure, and takes two voxels in five for their neighbour's tissue."""
    tissue_map = torch.full((len(TISSUE_CLASSES), *SHAPE), 1e-4)
    tissue_map[list(MEANS)] = 0.1
    wrong = torch.rand(SHAPE, generator=torch.Generator().manual_seed(0)) < 0.4
    neighbour = layers.roll(4, 0)
    labels = torch.where(wrong & (layers != BACKGROUND) & (neighbour != BACKGROUND), neighbour, layers)
    tissue_map.scatter_(0, labels[None], 0.4)
    return tissue_map / tissue_map.sum(dim=0)


@pytest.fixture(scope="module")
def field():
    """A coil that is brighter on one side."""
    return torch.exp(torch.linspace(-0.15, 0.15, 32))[:, None, None].expand(SHAPE)


def scan(layers, field, noise=0.01):
    volume = torch.zeros(SHAPE)
    for label, mean in MEANS.items():
        volume[layers == label] = mean
    return volume * field + noise * torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))


def weight(layers):
    return (layers != BACKGROUND).float()


def test_the_scan_mends_what_the_network_got_wrong(layers, prior, field):
    fit = fit_tissues(prior, scan(layers, field), weight(layers), spacing=2.0)
    inside = layers != BACKGROUND
    before, after = ((found.argmax(dim=0) == layers)[inside].float().mean() for found in (prior, fit.tissue_map))
    assert before < 0.95
    assert after > 0.98


def test_class_means_are_found_without_the_field(layers, prior, field):
    fit = fit_tissues(prior, scan(layers, field), weight(layers), spacing=2.0)
    for label in (CSF, GREY_MATTER, WHITE_MATTER):
        assert fit.style.means[label] == pytest.approx(MEANS[label], abs=0.02)


def test_the_field_is_found_where_there_is_brain(layers, prior, field):
    fit = fit_tissues(prior, scan(layers, field), weight(layers), spacing=2.0)
    brain = (layers == GREY_MATTER) | (layers == WHITE_MATTER)
    found, true = fit.field[brain].log(), field[brain].log()
    assert torch.corrcoef(torch.stack([found, true]))[0, 1] > 0.95


def test_a_field_that_is_bright_in_the_middle_is_not_flattened(layers, prior):
    steps = torch.linspace(-1, 1, 32)
    x, y, z = torch.meshgrid(steps, steps, steps, indexing="ij")
    bright = torch.exp(-0.3 * (x**2 + y**2 + z**2))
    fit = fit_tissues(prior, scan(layers, bright), weight(layers), spacing=5.0)  # a brain of 120 mm
    brain = (layers == GREY_MATTER) | (layers == WHITE_MATTER)
    found, true = (field[brain].log() - field[brain].log().mean() for field in (fit.field, bright))
    # A Gaussian alone finds 0.16 of it; all of it cannot be told from layers that are as concentric as it is.
    assert 0.4 < (found * true).sum() / (true**2).sum() < 1.2


def test_shares_add_up_to_one(layers, prior, field):
    fit = fit_tissues(prior, scan(layers, field), weight(layers), spacing=2.0)
    torch.testing.assert_close(fit.tissue_map.sum(dim=0), torch.ones(SHAPE))


def test_outside_the_weight_the_map_is_the_networks(layers, prior, field):
    fit = fit_tissues(prior, scan(layers, field), weight(layers), spacing=2.0)
    outside = layers == BACKGROUND
    assert torch.equal(fit.tissue_map[:, outside], prior[:, outside])


def test_no_iteration_leaves_the_map_and_the_scan_as_they_are(layers, prior, field):
    settings = FitSettings(n_iterations=0)
    fit = fit_tissues(prior, scan(layers, field), weight(layers), spacing=2.0, settings=settings)
    torch.testing.assert_close(fit.tissue_map, prior)
    assert (fit.field == 1).all()


def test_inputs_are_not_mutated(layers, prior, field):
    volume = scan(layers, field)
    before = prior.clone(), volume.clone()
    fit_tissues(prior, volume, weight(layers), spacing=2.0)
    assert torch.equal(prior, before[0])
    assert torch.equal(volume, before[1])


def test_a_fit_that_overturns_the_map_is_not_used(layers, prior, field):
    nonsense = prior[torch.randperm(len(prior), generator=torch.Generator().manual_seed(0))]

    fit = fit_tissues(nonsense, scan(layers, field), weight(layers), spacing=2.0)

    assert torch.equal(fit.tissue_map, nonsense)
    assert (fit.field == 1).all()
