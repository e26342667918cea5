"""Training the networks of Liu et al.: a generator and a discriminator take turns, every iteration.

The objective is that of StarGAN v2 with styles from latent codes, and the same again with styles that the style encoder
reads in other slices; here each step takes the mean of the two.

References
----------
Choi et al., StarGAN v2, CVPR 2020 (arXiv 1912.01865), section 2.2 and appendix. Liu et al., MICCAI 2021.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from hail_mri.model.adversarial_losses import (
    cycle_loss,
    decayed,
    discriminator_loss,
    generator_loss,
    r1_penalty,
    style_diversity,
    style_reconstruction_loss,
)
from hail_mri.model.slice_gan import Discriminator, SliceGan, pad_slices
from hail_mri.training.batch import Batch
from hail_mri.training.gan_settings import GanLossSection, GanSection
from hail_mri.training.running.budget import Budget
from hail_mri.training.running.finite_steps import drop_unless_finite

PAIR = 2  # slices of a pair lie beside each other in a batch
LOSS_KEY = "last_validation_loss"  # in checkpoints

Styles = tuple[Tensor, Tensor]  # two style codes for each slice, (B, n_style)


class GanPhase(lightning.LightningModule):
    """A generator learns to give slices other styles that the discriminator takes for real.

    Parameters
    ----------
    network : SliceGan
        Its weights are averaged, and are the result.
    settings : GanSection
    losses : GanLossSection
    budget : Budget
        The weight of diversity goes down to 0 within it.
    seed : int
        Of latent codes; those of a step depend on nothing but it and the step.
    """

    def __init__(
        self, network: SliceGan, settings: GanSection, losses: GanLossSection, budget: Budget, *, seed: int
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network, self.discriminator = network, Discriminator(network.settings)
        self.settings, self.losses, self.budget, self.seed = settings, losses, budget, seed

    def configure_optimizers(self) -> list[Optimizer]:
        """Return Adam for the discriminator, and for what works against it, of which the mapping network is slow."""
        shared: dict[str, Any] = {"betas": self.settings.betas, "weight_decay": self.settings.weight_decay}
        network, learning_rate = self.network, self.settings.learning_rate
        groups: list[dict[str, Any]] = [
            {"params": [*network.generator.parameters(), *network.style_encoder.parameters()]},
            {"params": [*network.mapping.parameters()], "lr": self.settings.mapping_learning_rate},
        ]
        return [
            Adam(self.discriminator.parameters(), lr=learning_rate, **shared),
            Adam(groups, lr=learning_rate, **shared),
        ]

    def training_step(self, batch: Batch) -> None:
        """Take a step of the discriminator, then one of the networks that it judges."""
        slices, references = self._slices(batch)
        latents = self._latent_codes(len(slices))
        optimizers: Any = self.optimizers()
        opponent, generating = optimizers
        terms = self.discriminator_terms(slices, references, latents)
        # Without Lightning's wrapper: an iteration counts as one step, that of the generator.
        self._step(opponent.optimizer, terms, opponent.optimizer)
        with _not_learning(self.discriminator):
            generator_terms = self.generator_terms(slices, references, latents)
            self._step(generating, generator_terms, generating.optimizer)
        terms |= generator_terms
        self.log_dict({f"train_{name}": term.detach() for name, term in terms.items()}, prog_bar=True)

    def discriminator_terms(self, slices: Tensor, references: Tensor, latents: Tensor) -> dict[str, Tensor]:
        """
        Return the weighted terms that the discriminator minimizes.

        Parameters
        ----------
        slices, references : (B, 1, size, size) Tensor
            Real slices, and those in whose style the networks put them.
        latents : (2, B, n_latent) Tensor
        """
        real = slices.detach().requires_grad_()
        logits = self.discriminator(real)
        with torch.no_grad():
            generated = [self.network.generator(slices, style) for style, _ in self._styles(references, latents)]
        losses = [discriminator_loss(logits, self.discriminator(images)) for images in generated]
        terms = {"discriminator": torch.stack(losses).mean()}
        if self.losses.r1:
            terms["r1"] = self.losses.r1 * r1_penalty(logits, real)
        return terms

    def generator_terms(self, slices: Tensor, references: Tensor, latents: Tensor) -> dict[str, Tensor]:
        """Return the weighted terms that generator, style encoder and mapping network minimize; arguments as above."""
        own = self.network.style_encoder(slices)
        kinds = [self._objective(slices, own, styles) for styles in self._styles(references, latents)]
        return {name: torch.stack([terms[name] for terms in kinds]).mean() for name in kinds[0]}

    def validation_step(self, batch: Batch) -> None:
        """Log what can be told without the discriminator: whether style and anatomy are kept."""
        slices, references = self._slices(batch)
        style = self.network.style_encoder(references)
        images = self.network.generator(slices, style)
        terms = self._kept(slices, self.network.style_encoder(slices), style, images)
        self.log_dict({f"validation_{name}": term for name, term in terms.items()}, batch_size=len(batch))
        total = torch.stack(list(terms.values())).sum()
        self.log("validation_loss", total, prog_bar=True, batch_size=len(batch))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the last validation loss: the last weights are the result, and their card tells it."""
        found = self.trainer.callback_metrics.get("validation_loss")
        checkpoint[LOSS_KEY] = None if found is None else float(found)

    def _objective(self, slices: Tensor, own: Tensor, styles: Styles) -> dict[str, Tensor]:
        """Return the weighted terms for styles of one kind."""
        style, other = styles
        images = self.network.generator(slices, style)
        terms = {"generator": generator_loss(self.discriminator(images)), **self._kept(slices, own, style, images)}
        weight = decayed(self.losses.diversity, self.budget.progress(self.global_step))
        if self.losses.diversity:
            terms["diversity"] = -weight * style_diversity(images, self.network.generator(slices, other))
        return terms

    def _kept(self, slices: Tensor, own: Tensor, style: Tensor, images: Tensor) -> dict[str, Tensor]:
        """Return the weighted terms of what a generated image has to keep: the style it was given, and the anatomy."""
        found = self.network.style_encoder(images)
        returned = self.network.generator(images, own)
        return {
            "style": self.losses.style * style_reconstruction_loss(found, style),
            "cycle": self.losses.cycle * cycle_loss(returned, slices),
        }

    def _styles(self, references: Tensor, latents: Tensor) -> Iterator[Styles]:
        """Yield two styles for each slice: of latent codes, and of its own pair's other slice and one of another."""
        yield self.network.mapping(latents[0]), self.network.mapping(latents[1])
        codes = self.network.style_encoder(references)
        yield codes, codes.roll(PAIR, dims=0)

    def _slices(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the slices of a batch and those in whose style they are wanted, (B, 1, size, size) each."""
        target = batch.require("target", by="the network of Liu et al.")
        source, references = (pad_slices(v[..., 0], self.network.settings.size) for v in (batch.source, target))
        return source, references

    def _latent_codes(self, n: int) -> Tensor:
        """Draw two latent codes for each slice, (2, n, n_latent)."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.global_step)
        return torch.randn(2, n, self.network.settings.n_latent, generator=generator).to(self.device)

    def _step(self, stepping: Any, terms: dict[str, Tensor], optimizer: Optimizer) -> None:
        """Go down the gradient of the sum of terms."""
        optimizer.zero_grad()
        self.manual_backward(torch.stack(list(terms.values())).sum())
        if stepping is not optimizer or drop_unless_finite(optimizer):  # Lightning's wrapper has its own guard
            stepping.step()


@contextmanager
def _not_learning(network: nn.Module) -> Iterator[None]:
    """Let gradients go through a network, and none into its weights."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
