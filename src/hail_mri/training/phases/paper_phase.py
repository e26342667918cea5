"""What both phases of the paper share: the network, the optimizer and its schedule within a budget, the logs.

References
----------
Parida et al., HAIL, 2023, section 2.1.
"""

from __future__ import annotations

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from hail_mri.model.feature_network import FeatureStyleNetwork
from hail_mri.training.batch import Batch
from hail_mri.training.example import Example
from hail_mri.training.phases.learning_rate import cosine, warm_up
from hail_mri.training.phases.plateau import PlateauSchedule
from hail_mri.training.running.budget import Budget
from hail_mri.training.running.processes import weight_in_validation
from hail_mri.training.settings import PhaseSection

LAST_FACTOR = 0.01  # on the learning rate, at the end of a cosine


class PaperPhase(lightning.LightningModule):
    """A phase that learns a `FeatureStyleNetwork`; what it minimizes is its `loss`."""

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
        by_step = LambdaLR(optimizer, self._learning_rate_factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": by_step, "interval": "step"}}

    def configure_callbacks(self) -> list[Callback]:
        """Return the schedule that goes by validation, if the settings ask for it."""
        return [PlateauSchedule()] if self.settings.schedule == "plateau" else []

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted terms of the loss; their sum is minimized."""
        raise NotImplementedError

    def example(self, batch: Batch) -> Example:
        """Return the first source of a batch, and what the network makes of it."""
        raise NotImplementedError

    def training_step(self, batch: Batch) -> Tensor:
        """Return the loss of a batch."""
        terms = self.loss(batch)
        losses = {f"train_{name}": term.detach() for name, term in terms.items()}
        self.log_dict(losses, prog_bar=True, sync_dist=True)
        return torch.stack(list(terms.values())).sum()

    def validation_step(self, batch: Batch) -> None:
        """Log the loss of a validation batch."""
        terms = self.loss(batch)
        losses = {f"validation_{name}": term for name, term in terms.items()}
        n_scans = weight_in_validation(self, batch)
        self.log_dict(losses, batch_size=n_scans, sync_dist=True)
        total = torch.stack(list(terms.values())).sum()
        self.log("validation_loss", total, prog_bar=True, batch_size=n_scans, sync_dist=True)

    def _learning_rate_factor(self, step: int) -> float:
        """Return the factor on the learning rate."""
        n_warmup = self.settings.warmup_steps
        if self.settings.schedule == "constant":
            return warm_up(step, n_warmup)
        return cosine(step, self.budget.progress(step), last=LAST_FACTOR, n_warmup=n_warmup)
