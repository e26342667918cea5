"""The paper's phase 2: the decoder learns style transfer.

References
----------
Parida et al., HAIL, 2023, section 2.1.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hail_mri.model.adain import Statistics
from hail_mri.model.feature_network import FeatureStyleNetwork
from hail_mri.model.losses import consistency_loss, content_loss, style_loss, supervised_loss
from hail_mri.model.tissue_classes import BRAIN
from hail_mri.training.batch import Batch
from hail_mri.training.example import Example, volume_of
from hail_mri.training.phases.paper_phase import PaperPhase
from hail_mri.training.running.budget import Budget
from hail_mri.training.settings import PhaseSection, StyleLossSection

BRAIN_WEIGHT, BACKGROUND_WEIGHT = 3.0, 0.1  # of the supervised loss; the rest of the head weighs 1


@dataclass(frozen=True)
class _Encoded:
    """Features of the sources at every stage, their statistics, and those of the targets."""

    features: list[Tensor]
    own: list[Statistics]
    style: list[Statistics]


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
        scans = self._encode(batch, target)
        p, r = (v.float() for v in self.network.predict(scans.features, scans.own, scans.style))
        weights, terms = self.losses, {}
        if weights.need_truth:
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
            terms |= self._paper_terms(batch, p, self._measured(scans, batch, target))
        return terms

    def example(self, batch: Batch) -> Example:
        """Return the first source of a batch, its target, p and r, and what the transfer makes of them, the truth last.

        Here the scan is on the network grid, where the transfer comes down to its simplest form.
        """
        first = batch.map(lambda values: values[:1])
        source, target = first.source, first.require("target", by="phase 2")
        p, r = self.network(source, target, first.source_weight, first.target_weight)
        scans = {"source": source, "target": target, "p": p, "r": r, "harmonized: source + p - r": source + p - r}
        if first.truth is not None:
            scans["truth"] = first.truth
        return Example({name: volume_of(scan) for name, scan in scans.items()})

    def _encode(self, batch: Batch, target: Tensor) -> _Encoded:
        """Encode a batch; when the two directions of a pair use the same two scans, each is encoded once."""
        return _encode(self.network, self.network.encoder, batch, target)

    def _measured(self, scans: _Encoded, batch: Batch, target: Tensor) -> _Encoded:
        """Return the batch as the encoder of phase 1 sees it, which is the network's own when that is frozen."""
        if self.losses.freeze_encoder:
            return scans
        return _encode(self.network, self.measuring_encoder, batch, target)

    def _paper_terms(self, batch: Batch, p: Tensor, scans: _Encoded) -> dict[str, Tensor]:
        """Return the weighted style and content losses; the scans as the encoder of phase 1 sees them."""
        predicted = self.measuring_encoder(p)
        loss = style_loss(self.network.statistics(predicted, batch.source_weight), scans.style)
        wanted = scans.features[-1:]
        if self.losses.content_wanted == "adain":
            wanted = self.network.restyle(wanted, scans.own[-1:], scans.style[-1:])
        content = content_loss(predicted[-1], wanted[-1])
        return {"style": self.losses.style * loss, "content": self.losses.content * content}


def _encode(network: FeatureStyleNetwork, encoder: nn.Module, batch: Batch, target: Tensor) -> _Encoded:
    """Return what an encoder finds in a batch."""
    features = encoder(batch.source)
    own = network.statistics(features, batch.source_weight)
    if _are_both_directions(batch):
        style = [Statistics(_other_direction(stage.mean), _other_direction(stage.std)) for stage in own]
    else:
        style = network.statistics(encoder(target), batch.target_weight)
    return _Encoded(features, own, style)


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
