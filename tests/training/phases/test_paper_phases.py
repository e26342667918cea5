"""Both phases without a trainer: what a step changes, and what it must leave alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.harmonize.transfer import transfer
from hail_mri.model.feature_network import FeatureNetworkSettings, FeatureStyleNetwork
from hail_mri.training.data.simulated_pairs import PairSettings, draw_pair
from hail_mri.training.phases.encoder_phase import EncoderPhase
from hail_mri.training.phases.style_phase import StylePhase
from hail_mri.training.settings import AugmentationSection, PhaseSection, StyleLossSection

PHASE = PhaseSection(
    epochs=1,
    pairs_per_epoch=1,
    pairs_per_batch=1,
    batches_per_step=1,
    learning_rate=3e-3,
    schedule="constant",
    warmup_steps=0,
    gradient_clip=1.0,
    precision="32-true",
    ema_decay=0.0,
)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return FeatureStyleNetwork(FeatureNetworkSettings((4, 8, 8, 8), (1, 1, 1, 1), skips=True))


@pytest.fixture(scope="module")
def example(head_paths):
    """One pair: both directions."""
    augmentation = AugmentationSection(stripping=True, field_of_view=True, gamma=True, flips=True)
    return draw_pair(head_paths, torch.Generator().manual_seed(5), settings=PairSettings(augmentation))


def style_phase(network, *, freeze_encoder=False, **weights):
    terms = {"style": 0.0, "content": 0.0, "consistency": 0.0, "supervised": 0.0, "prediction": 0.0} | weights
    return StylePhase(network, PHASE, StyleLossSection(**terms, content_wanted="adain", freeze_encoder=freeze_encoder))


def learn(module, example, *, n_steps=30):
    """Take steps on one pair; return the loss before each."""
    optimizer = torch.optim.AdamW([p for p in module.network.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    for _ in range(n_steps):
        loss = torch.stack(list(module.loss(example).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def copy_of(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def changed(before, module):
    return {name for name, tensor in module.state_dict().items() if not torch.equal(tensor, before[name])}


PAPER_TERMS = {"style": 100.0, "content": 150.0, "consistency": 200.0}


@pytest.mark.parametrize(
    "make_module",
    [
        pytest.param(lambda network: EncoderPhase(network, PHASE), id="reconstruction"),
        pytest.param(lambda network: style_phase(network, supervised=1.0), id="supervised"),
        pytest.param(lambda network: style_phase(network, **PAPER_TERMS, freeze_encoder=True), id="the paper's terms"),
        pytest.param(lambda network: style_phase(network, style=100.0, content=150.0), id="the paper's ablation"),
        pytest.param(
            lambda network: style_phase(network, supervised=1.0, prediction=0.2, consistency=0.05), id="compact"
        ),
    ],
)
def test_a_few_steps_on_one_pair_cut_the_loss(network, example, make_module):
    losses = learn(make_module(network), example)
    assert losses[-1] < 0.8 * losses[0]


def test_phase_2_leaves_a_frozen_encoder_untouched_and_trains_all_of_the_decoder(network, example):
    before = copy_of(network)
    learn(style_phase(network, **PAPER_TERMS, freeze_encoder=True), example, n_steps=2)
    assert changed(before, network) == {name for name in before if name.startswith("decoder.")}


def test_an_encoder_that_learns_on_is_judged_by_a_copy_that_does_not(network, example):
    module = style_phase(network, **PAPER_TERMS, supervised=1.0)
    before, judge_before = copy_of(network), copy_of(module.measuring_encoder)
    learn(module, example, n_steps=2)
    assert any(name.startswith("encoder.") for name in changed(before, network))
    assert not changed(judge_before, module.measuring_encoder)


def test_terms_of_weight_0_are_not_computed(network, example):
    assert set(style_phase(network, supervised=1.0, style=2.0).loss(example)) == {"supervised", "style", "content"}
    assert set(style_phase(network, prediction=1.0).loss(example)) == {"prediction"}


@pytest.mark.parametrize(
    "vary",
    [
        pytest.param(lambda pair: pair, id="targets that are sources, too"),
        pytest.param(lambda pair: replace(pair, target=0.9 * pair.target), id="targets of their own"),
        pytest.param(lambda pair: replace(pair, target_weight=pair.source_weight), id="target weights of their own"),
        pytest.param(lambda pair: replace(pair, target_weight=None), id="no target weights"),
    ],
)
def test_the_supervised_loss_is_0_when_the_truth_is_what_the_change_makes_of_the_source(network, example, vary):
    example = vary(example)
    p, r = network(example.source, example.target, example.source_weight, example.target_weight)
    perfect = replace(example, truth=example.source + p - r)
    loss = style_phase(network, supervised=1.0).loss
    assert loss(perfect)["supervised"].item() == pytest.approx(0, abs=1e-5)
    assert loss(example)["supervised"].item() > 0.01


def test_training_under_autocast_gives_the_loss_of_single_precision_closely(network, example):
    module = style_phase(network, supervised=1.0, consistency=1.0)
    exact = {name: term.item() for name, term in module.loss(example).items()}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = {name: term.item() for name, term in module.loss(example).items()}
    assert found == pytest.approx(exact, rel=0.05)


def without(example, *names):
    """Return the example as of scans of which less is known."""
    return replace(example, **dict.fromkeys(names))


def test_the_papers_own_terms_need_neither_truth_nor_tissues_nor_weights(network, example):
    known = without(example, "truth", "tissue_counts", "source_weight", "target_weight")
    assert set(style_phase(network, **PAPER_TERMS).loss(known)) == set(PAPER_TERMS)
    assert set(EncoderPhase(network, PHASE).loss(without(known, "target"))) == {"reconstruction"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("target", "phase 2 needs the target of each scan", id="no target"),
        pytest.param("truth", "the supervised loss needs the truth of each scan", id="no truth"),
        pytest.param("tissue_counts", "the supervised loss needs the tissue counts of each scan", id="no tissues"),
    ],
)
def test_what_scans_lack_is_said_by_who_needs_it(network, example, name, message):
    with pytest.raises(InputError, match=message):
        style_phase(network, supervised=1.0).loss(without(example, name))


def test_what_a_picture_shows_of_phase_1_is_the_first_scan_and_its_reconstruction(network, example):
    with torch.no_grad():
        shown = EncoderPhase(network, PHASE).example(example).scans
        expected = network.decoder(network.encoder(example.source))[0, 0]
    assert list(shown) == ["source", "reconstruction"]
    assert torch.equal(torch.from_numpy(shown["source"]), example.source[0, 0])
    torch.testing.assert_close(torch.from_numpy(shown["reconstruction"]), expected)


@pytest.mark.parametrize("names", [("truth",), ()])
def test_a_picture_of_phase_2_has_a_truth_where_there_is_one(network, example, names):
    with torch.no_grad():
        shown = style_phase(network, style=1.0).example(without(example, *names)).scans
    expected = ["source", "target", "p", "r", "harmonized: source + p - r"] + ["truth"] * ("truth" not in names)
    assert list(shown) == expected


def test_what_a_picture_calls_harmonized_is_what_the_transfer_makes_of_a_scan_on_the_network_grid(network, example):
    with torch.no_grad():
        shown = style_phase(network, style=1.0).example(example).scans
    source, p, r, harmonized = (
        torch.from_numpy(shown[name]) for name in ("source", "p", "r", "harmonized: source + p - r")
    )
    same_grid = [np.eye(n, dtype=np.float32) for n in source.shape]
    inside = torch.ones_like(source)
    change = transfer(source, p, r, inside, 0 * inside, to_network=same_grid, to_native=same_grid)
    torch.testing.assert_close(source + change, harmonized, rtol=0, atol=1e-5)
