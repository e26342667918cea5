"""Training the tissue network: cross-entropy of tissue maps, one scan a sample."""

from __future__ import annotations

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from hail_mri.model.tissue_classes import BACKGROUND, BRAIN, TISSUE_CLASSES
from hail_mri.model.tissue_network import TissueNetwork, fold_classes
from hail_mri.training.batch import Batch
from hail_mri.training.example import Example, volume_of
from hail_mri.training.phases.learning_rate import cosine
from hail_mri.training.running.budget import Budget
from hail_mri.training.running.processes import weight_in_validation
from hail_mri.training.settings import TissuePhaseSection

BACKGROUND_WEIGHT, BRAIN_WEIGHT = 0.2, 3.0  # of a voxel in the loss; the rest of the head has 1
LAST_FACTOR = 0.02  # on the learning rate, at the end


class TissuePhase(lightning.LightningModule):
    """A network that learns to name tissues.

    Parameters
    ----------
    network : TissueNetwork
    settings : TissuePhaseSection
    budget : Budget
        Steps and wall time; the learning rate follows a cosine within them.
    """

    def __init__(self, network: TissueNetwork, settings: TissuePhaseSection, budget: Budget) -> None:
        super().__init__()
        self.network, self.settings, self.budget = network, settings, budget
        # No buffer: several processes would send each other theirs before every batch, also of validation, where some
        # have fewer.
        self.class_weights = _class_weights()

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return AdamW with warm-up and a cosine over the run."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.settings.learning_rate, betas=(0.9, 0.99))
        schedule = LambdaLR(optimizer, self._learning_rate_factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, batch: Batch) -> Tensor:
        """Return the loss of a batch."""
        loss = self._loss(batch)
        self.log("train_loss", loss.detach(), prog_bar=True, batch_size=len(batch), sync_dist=True)
        return loss

    def validation_step(self, batch: Batch) -> None:
        """Log the loss of a batch of validation scans."""
        loss, n_scans = self._loss(batch), weight_in_validation(self, batch)
        self.log("validation_loss", loss, prog_bar=True, batch_size=n_scans, sync_dist=True)
        self.log("minutes", self.budget.elapsed / 60, batch_size=n_scans, sync_dist=True)

    def example(self, batch: Batch) -> Example:
        """Return the first scan of a batch, the tissues that the network finds in it, and the true ones."""
        found = self.network.tissue_map(batch.source[:1])[0].argmax(dim=0)
        true = batch.require("tissue_counts", by="the tissue network")[0].argmax(dim=-1)
        labels = {"tissues found": found.cpu().numpy(), "true tissues": true.cpu().numpy()}
        return Example({"scan": volume_of(batch.source)}, labels)

    def _learning_rate_factor(self, step: int) -> float:
        """Return the factor on the learning rate."""
        return cosine(step, self.budget.progress(self.global_step), last=LAST_FACTOR)

    def _loss(self, batch: Batch) -> Tensor:
        """Return the loss of a batch, whose tissues have to be known."""
        counts = batch.require("tissue_counts", by="the tissue network")
        return tissue_loss(self.network(batch.source), counts, self.class_weights.to(counts.device))


def tissue_loss(logits: Tensor, counts: Tensor, class_weights: Tensor) -> Tensor:
    """
    Return the cross-entropy between the map and the true one, weighted by class.

    Parameters
    ----------
    logits : (B, i, j, k, 8, C) Tensor
        Folded, as the network returns them.
    counts : (B, 2 i, 2 j, 2 k, C) Tensor
        See `Batch`.
    class_weights : (C,) Tensor

    Returns
    -------
    loss : () Tensor
        Nats; 0 only where every voxel is of one class and known.
    """
    weighted = fold_classes(counts).float() * class_weights
    log_tissue_map = torch.log_softmax(logits.float(), dim=-1)
    return -(weighted * log_tissue_map).sum() / weighted.sum()


def _class_weights() -> Tensor:
    """Return the weight of each class."""
    weights = torch.ones(len(TISSUE_CLASSES))
    weights[list(BRAIN)] = BRAIN_WEIGHT
    weights[BACKGROUND] = BACKGROUND_WEIGHT
    return weights
