"""The training of Liu et al.'s networks without a trainer: what each player's terms move, and what they must not."""

from pathlib import Path

import pytest
import torch

from hail_mri.errors import InputError
from hail_mri.model.adversarial_losses import discriminator_loss, r1_penalty
from hail_mri.model.slice_gan import SliceGan
from hail_mri.training.batch import Batch
from hail_mri.training.gan_settings import load_gan_settings
from hail_mri.training.phases.gan_phase import GanPhase
from hail_mri.training.running.budget import Budget

CONFIG = Path(__file__).parents[3] / "configs" / "liu-small.toml"
NETWORK = {"size": 32, "width": 4, "widest": 8, "n_style": 6, "n_latent": 3, "n_hidden": 8}


@pytest.fixture
def make_phase():
    """Return a function that makes a small phase, the same every time."""
    settings = load_gan_settings(CONFIG)

    def make(**losses):
        torch.manual_seed(0)
        network = SliceGan(settings.network.model_copy(update=NETWORK).to_settings())
        return GanPhase(network, settings.gan, settings.losses.model_copy(update=losses), Budget(100), seed=1)

    return make


@pytest.fixture
def drawn():
    """Slices, references and latent codes of two pairs."""
    generator = torch.Generator().manual_seed(2)
    slices = torch.rand(4, 1, 32, 32, generator=generator)
    references = slices.unflatten(0, (2, 2)).flip(1).flatten(0, 1)
    return slices, references, torch.randn(2, 4, 3, generator=generator)


def total(terms):
    return torch.stack(list(terms.values())).sum()


def moved(module):
    return {name for name, p in module.named_parameters() if p.grad is not None and p.grad.any()}


def test_the_discriminators_terms_move_the_discriminator_and_nothing_else(make_phase, drawn):
    phase = make_phase()
    total(phase.discriminator_terms(*drawn)).backward()
    expected = {f"discriminator.{name}" for name, _ in phase.discriminator.named_parameters()}
    # A constant that is added to all logits alike has no slope where real and generated are told apart by chance.
    assert moved(phase) <= expected
    assert expected - moved(phase) <= {"discriminator.last.bias"}


def test_r1_alone_moves_the_discriminator_and_nothing_else(make_phase, drawn):
    phase = make_phase()
    phase.discriminator_terms(*drawn)["r1"].backward()
    found = moved(phase)
    assert found
    assert all(name.startswith("discriminator.") for name in found)


def test_the_generators_terms_move_all_of_generator_style_encoder_and_mapping_network(make_phase, drawn):
    phase = make_phase()
    phase.discriminator.requires_grad_(False)
    total(phase.generator_terms(*drawn)).backward()
    assert moved(phase) == {f"network.{name}" for name, _ in phase.network.named_parameters()}


def test_the_discriminators_terms_are_those_of_the_paper_for_both_kinds_of_styles(make_phase, drawn):
    phase, (slices, references, latents) = make_phase(r1=2.0), drawn
    found = phase.discriminator_terms(*drawn)
    real = slices.clone().requires_grad_()
    logits = phase.discriminator(real)
    styles = phase.network.mapping(latents[0]), phase.network.style_encoder(references)
    judged = [phase.discriminator(phase.network.generator(slices, style)) for style in styles]
    expected = sum(discriminator_loss(logits, each) for each in judged) / 2
    torch.testing.assert_close(found["discriminator"], expected)
    torch.testing.assert_close(found["r1"], 2 * r1_penalty(logits, real))


def test_the_generators_terms_are_those_of_the_paper_for_both_kinds_of_styles(make_phase, drawn):
    phase, (slices, references, latents) = make_phase(style=2.0, diversity=3.0, cycle=5.0), drawn
    found, network = phase.generator_terms(*drawn), phase.network
    codes = network.style_encoder(references)
    kinds = [(network.mapping(latents[0]), network.mapping(latents[1])), (codes, codes[[2, 3, 0, 1]])]
    expected = dict.fromkeys(("generator", "style", "cycle", "diversity"), 0.0)
    for style, other in kinds:
        images = network.generator(slices, style)
        back = network.generator(images, network.style_encoder(slices))
        expected["generator"] += torch.log1p(torch.exp(-phase.discriminator(images))).mean() / 2
        expected["style"] += 2 * (network.style_encoder(images) - style).abs().mean() / 2
        expected["cycle"] += 5 * (back - slices).abs().mean() / 2
        expected["diversity"] -= 3 * (images - network.generator(slices, other)).abs().mean() / 2
    assert found.keys() == expected.keys()
    for name, term in expected.items():
        torch.testing.assert_close(found[name], term, msg=name)


def test_diversity_fades_with_the_run(make_phase, drawn, monkeypatch):
    phase, found = make_phase(), []
    for step in (0, 50, 100):
        monkeypatch.setattr(GanPhase, "global_step", step)
        found.append(phase.generator_terms(*drawn)["diversity"].item())
    assert found == pytest.approx([found[0], found[0] / 2, 0])
    assert found[0] < 0


def test_terms_of_weight_0_are_not_computed(make_phase, drawn):
    phase = make_phase(r1=0.0, diversity=0.0)
    assert set(phase.discriminator_terms(*drawn)) == {"discriminator"}
    assert set(phase.generator_terms(*drawn)) == {"generator", "style", "cycle"}


def test_the_mapping_network_learns_a_hundred_times_slower(make_phase):
    phase = make_phase()
    opponent, generating = phase.configure_optimizers()
    rates = [[group["lr"] for group in optimizer.param_groups] for optimizer in (opponent, generating)]
    assert rates == [[1e-4], [1e-4, 1e-6]]
    groups = [*opponent.param_groups, *generating.param_groups]
    assert all((group["betas"], group["weight_decay"]) == ((0.0, 0.99), 1e-4) for group in groups)
    assert sum(len(group["params"]) for group in groups) == len(list(phase.parameters()))
    assert {id(p) for p in groups[2]["params"]} == {id(p) for p in phase.network.mapping.parameters()}


def test_some_steps_bring_slices_back_better_and_stay_finite(make_phase, drawn):
    phase = make_phase()
    opponent, generating = (
        torch.optim.Adam(network.parameters(), lr=2e-3, betas=(0.0, 0.99))
        for network in (phase.discriminator, phase.network)
    )
    cycles = []
    for _ in range(20):
        for optimizer, terms_of in ((opponent, phase.discriminator_terms), (generating, phase.generator_terms)):
            terms = terms_of(*drawn)
            phase.zero_grad()
            total(terms).backward()
            optimizer.step()
            assert all(torch.isfinite(term) for term in terms.values())
        cycles.append(terms["cycle"].item())
    assert cycles[-1] < 0.7 * cycles[0]
    assert all(torch.isfinite(p).all() for p in phase.parameters())


def test_latent_codes_depend_on_the_seed_and_the_step_alone(make_phase, monkeypatch):
    one, other = make_phase(), make_phase()
    assert torch.equal(one._latent_codes(4), other._latent_codes(4))
    before = one._latent_codes(4)
    monkeypatch.setattr(GanPhase, "global_step", 1)
    assert not torch.equal(one._latent_codes(4), before)


def test_slices_without_targets_are_refused(make_phase):
    with pytest.raises(InputError, match=r"the network of Liu et al\. needs the target of each scan"):
        make_phase()._slices(Batch(torch.rand(2, 1, 24, 32, 1)))
