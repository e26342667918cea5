"""The paper's phase 1: encoder and decoder learn to reconstruct scans.

References
----------
Parida et al., HAIL, 2023, section 2.1.
"""

from __future__ import annotations

from torch import Tensor

from hail_mri.model.losses import reconstruction_loss
from hail_mri.training.batch import Batch
from hail_mri.training.example import Example, volume_of
from hail_mri.training.phases.paper_phase import PaperPhase


class EncoderPhase(PaperPhase):
    """Phase 1: encoder and decoder learn to reconstruct scans of all sites."""

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the reconstruction loss of every scan: with both directions in the batch, each is a source once."""
        reconstruction = self.network.decoder(self.network.encoder(batch.source))
        return {"reconstruction": reconstruction_loss(reconstruction.float(), batch.source)}

    def example(self, batch: Batch) -> Example:
        """Return the first scan of a batch and its reconstruction."""
        source = batch.source[:1]
        reconstruction = self.network.decoder(self.network.encoder(source))
        return Example({"source": volume_of(source), "reconstruction": volume_of(reconstruction)})
