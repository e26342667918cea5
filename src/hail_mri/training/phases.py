"""The paper's two phases as Lightning modules: pretraining by reconstruction, then style transfer.

References
----------
Parida et al., HAIL, 2023, section 2.1.
"""

from __future__ import annotations

import copy
import math

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from hail_mri.model.adain import Statistics
from hail_mri.model.feature_network import FeatureStyleNetwork
from hail_mri.model.losses import consistency_loss, content_loss, reconstruction_loss, style_loss, supervised_loss
from hail_mri.training.budget import Budget
from hail_mri.training.pairs import Example
from hail_mri.training.plateau import PlateauSchedule
from hail_mri.training.settings import PhaseSection, StyleLossSection

BRAIN_WEIGHT, AIR_WEIGHT = 3.0, 0.1  # of the supervised loss; the rest of the head weighs 1
WARMUP_STEPS = 100


class _Phase(lightning.LightningModule):
    """What both phases share: the network, the optimizer and its schedule within a budget."""

    def __init__(self, network: FeatureStyleNetwork, settings: PhaseSection, budget: Budget | None = None) -> None:
        super().__init__()
        self.budget = budget or Budget(settings.n_steps)
        # The order of the features in memory in which a CPU's matrix units are fastest; the numbers are the same.
        self.network, self.settings = network.to(memory_format=torch.channels_last_3d), settings  # type: ignore[call-overload]

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return AdamW over what may learn, with the schedule of the settings."""
        optimizer = torch.optim.AdamW(
            [p for p in self.network.parameters() if p.requires_grad], lr=self.settings.learning_rate
        )
        if self.settings.schedule == "plateau":
            return {"optimizer": optimizer}
        factor = _cosine if self.settings.schedule == "cosine" else _constant
        by_step = LambdaLR(optimizer, lambda step: factor(step, self.budget.progress(step)))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": by_step, "interval": "step"}}

    def configure_callbacks(self) -> list[Callback]:
        """Return the schedule that goes by validation, if the settings ask for it."""
        return [PlateauSchedule()] if self.settings.schedule == "plateau" else []

    def loss(self, example: Example) -> dict[str, Tensor]:
        """Return the weighted terms of the loss; their sum is minimized."""
        raise NotImplementedError

    def training_step(self, batch: Example) -> Tensor:
        """Return the loss of a batch of pairs."""
        terms = self.loss(_merge_directions(batch))
        self.log_dict({f"train_{name}": term.detach() for name, term in terms.items()}, prog_bar=True)
        return torch.stack(list(terms.values())).sum()

    def validation_step(self, batch: Example) -> None:
        """Log the loss of a batch of validation pairs."""
        example = _merge_directions(batch)
        terms = self.loss(example)
        self.log_dict({f"validation_{name}": term for name, term in terms.items()}, batch_size=len(example.source))
        total = torch.stack(list(terms.values())).sum()
        self.log("validation_loss", total, prog_bar=True, batch_size=len(example.source))


class EncoderPhase(_Phase):
    """Phase 1: encoder and decoder learn to reconstruct scans of all sites."""

    def loss(self, example: Example) -> dict[str, Tensor]:
        """Return the reconstruction loss of every scan: with both directions in the batch, each is a source once."""
        drawn = self.network.decoder(self.network.encoder(example.source))
        return {"reconstruction": reconstruction_loss(drawn.float(), example.source)}


class StylePhase(_Phase):
    """Phase 2: the decoder learns to draw the source in the target's style.

    The encoder of phase 1 measures style and content; it is frozen (the paper), or, with `freeze_encoder` off, a frozen
    copy of it measures while the encoder learns on.
    """

    def __init__(
        self,
        network: FeatureStyleNetwork,
        settings: PhaseSection,
        losses: StyleLossSection,
        budget: Budget | None = None,
    ) -> None:
        super().__init__(network, settings, budget)
        self.losses = losses
        if losses.freeze_encoder:
            network.encoder.requires_grad_(False)
            self.judge = network.encoder
        else:
            self.judge = copy.deepcopy(network.encoder).requires_grad_(False)

    def loss(self, example: Example) -> dict[str, Tensor]:
        """Return the terms of the paper and the supervised ones, each times its weight."""
        source, target, truth, source_weight, target_weight, brain = example
        p, r = (v.float() for v in self._redraw(source, target, source_weight, target_weight))
        weight = AIR_WEIGHT + (1 - AIR_WEIGHT) * source_weight + (BRAIN_WEIGHT - 1) * brain
        weights, terms = self.losses, {}
        if weights.supervised:
            # Through the transfer in its simplest form: the network is to learn the change, not to redraw the head.
            terms["supervised"] = weights.supervised * supervised_loss(source + p - r, truth, weight)
        if weights.drawing:
            terms["drawing"] = weights.drawing * supervised_loss(p, truth, weight)
        if weights.consistency:
            # Of source and target: with both directions in the batch, each scan is a source once.
            terms["consistency"] = weights.consistency * consistency_loss(r, source)
        if weights.style or weights.content:
            terms |= self._paper_terms(p, source, target, source_weight, target_weight)
        return terms

    def _redraw(
        self, source: Tensor, target: Tensor, source_weight: Tensor, target_weight: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return p and r; when the two directions of a pair use the same two scans, each is encoded once."""
        if not torch.equal(target, _other_direction(source)):
            p, r = self.network(source, target, source_weight, target_weight)
            return p, r
        features = self.network.encoder(source)
        own = self.network.statistics(features, source_weight)
        style = [Statistics(_other_direction(level.mean), _other_direction(level.std)) for level in own]
        return self.network.redraw(features, own, style)

    def _paper_terms(
        self, p: Tensor, source: Tensor, target: Tensor, source_weight: Tensor, target_weight: Tensor
    ) -> dict[str, Tensor]:
        """Return the weighted style and content losses, measured by the encoder of phase 1."""
        drawn, wanted, own = self.judge(p), self.judge(target), self.judge(source)
        style = self.network.statistics(wanted, target_weight)
        loss = style_loss(self.network.statistics(drawn, source_weight), style)
        if self.losses.content_wanted == "adain":
            own = self.network.restyle(own, self.network.statistics(own, source_weight), style)
        content = content_loss(drawn[-1], own[-1])
        return {"style": self.losses.style * loss, "content": self.losses.content * content}


def _merge_directions(batch: Example) -> Example:
    """Make a batch of pairs, each (n, 2, 1, I, J, K), a batch of directions, each (2 n, 1, I, J, K)."""
    return Example(*(volume.flatten(0, 1) for volume in batch))


def _other_direction(batch: Tensor) -> Tensor:
    """Swap the two directions of each pair in a batch of directions, (2 n, ...)."""
    return batch.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)


def _cosine(step: int, progress: float) -> float:
    """Return the factor on the learning rate: warm up, then down a cosine to a hundredth."""
    return _constant(step, progress) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


def _constant(step: int, _progress: float) -> float:
    """Return the factor on the learning rate: warm up, then stay."""
    return min(1.0, (step + 1) / WARMUP_STEPS)
