"""The paper's phase 2: the decoder learns style transfer.

References
----------
Parida et al., HAIL, 2023, section 2.1.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from hail_mri.model.adain import Statistics
from hail_mri.model.feature_network import FeatureStyleNetwork
from hail_mri.model.losses import consistency_loss, content_loss, style_loss, supervised_loss
from hail_mri.model.tissue_classes import BRAIN
from hail_mri.training.batch import Batch
from hail_mri.training.phases.paper_phase import PaperPhase
from hail_mri.training.running.budget import Budget
from hail_mri.training.settings import PhaseSection, StyleLossSection

BRAIN_WEIGHT, BACKGROUND_WEIGHT = 3.0, 0.1  # of the supervised loss; the rest of the head weighs 1


class StylePhase(PaperPhase):
    """Phase 2: the decoder learns to predict the source in the target's style.

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
            self.measuring_encoder = network.encoder
        else:
            self.measuring_encoder = copy.deepcopy(network.encoder).requires_grad_(False)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the terms of the paper and the supervised ones, each times its weight.

        Raises
        ------
        InputError
            If the scans have no target, or a term needs a truth or tissues that they do not have.
        """
        source, target = batch.source, batch.require("target", by="phase 2")
        p, r = (v.float() for v in self._predict(batch, target))
        weights, terms = self.losses, {}
        if weights.supervised or weights.prediction:
            truth, weight = batch.require("truth", by="the supervised loss"), _supervised_weight(batch)
        if weights.supervised:
            # Through the transfer in its simplest form: the network is to learn the change, not the head.
            terms["supervised"] = weights.supervised * supervised_loss(source + p - r, truth, weight)
        if weights.prediction:
            terms["prediction"] = weights.prediction * supervised_loss(p, truth, weight)
        if weights.consistency:
            # Of source and target: with both directions in the batch, each scan is a source once.
            terms["consistency"] = weights.consistency * consistency_loss(r, source)
        if weights.style or weights.content:
            terms |= self._paper_terms(batch, p, target)
        return terms

    def _predict(self, batch: Batch, target: Tensor) -> tuple[Tensor, Tensor]:
        """Return p and r; when the two directions of a pair use the same two scans, each is encoded once."""
        if not _are_both_directions(batch):
            p, r = self.network(batch.source, target, batch.source_weight, batch.target_weight)
            return p, r
        features = self.network.encoder(batch.source)
        own = self.network.statistics(features, batch.source_weight)
        style = [Statistics(_other_direction(stage.mean), _other_direction(stage.std)) for stage in own]
        return self.network.predict(features, own, style)

    def _paper_terms(self, batch: Batch, p: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Return the weighted style and content losses, measured by the encoder of phase 1."""
        predicted, wanted, own = (
            self.measuring_encoder(p),
            self.measuring_encoder(target),
            self.measuring_encoder(batch.source),
        )
        style = self.network.statistics(wanted, batch.target_weight)
        loss = style_loss(self.network.statistics(predicted, batch.source_weight), style)
        if self.losses.content_wanted == "adain":
            own = self.network.restyle(own, self.network.statistics(own, batch.source_weight), style)
        content = content_loss(predicted[-1], own[-1])
        return {"style": self.losses.style * loss, "content": self.losses.content * content}


def _supervised_weight(batch: Batch) -> Tensor:
    """Return how much each voxel counts in the supervised loss, (B, 1, I, J, K)."""
    counts = batch.require("tissue_counts", by="the supervised loss")
    brain = (2 * counts[..., list(BRAIN)].sum(dim=-1) > counts.sum(dim=-1)).unsqueeze(1)  # sums of uint8 are int64
    head = batch.require("source_weight", by="the supervised loss")
    return BACKGROUND_WEIGHT + (1 - BACKGROUND_WEIGHT) * head + (BRAIN_WEIGHT - 1) * brain


def _are_both_directions(batch: Batch) -> bool:
    """Return whether each target, with its weight, is the source beside it."""
    return _is_swapped(batch.source, batch.target) and _is_swapped(batch.source_weight, batch.target_weight)


def _is_swapped(own: Tensor | None, other: Tensor | None) -> bool:
    """Return whether one is the other with the two directions of each pair swapped, or there is neither."""
    if own is None or other is None:
        return own is other
    return len(own) % 2 == 0 and torch.equal(other, _other_direction(own))


def _other_direction(batch: Tensor) -> Tensor:
    """Swap the two directions of each pair in a batch of directions, (2 n, ...)."""
    return batch.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)
