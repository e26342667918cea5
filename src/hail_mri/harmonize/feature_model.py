"""The paper's model, ready to harmonize: the style is that of a network's features."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hail_mri.harmonize.style_model import Reading, Style
from hail_mri.model.feature_network import FeatureStyleNetwork
from hail_mri.model.feature_style import FeatureStyle
from hail_mri.model.known_styles import KnownStyles
from hail_mri.model.prepared_features import encode_prepared
from hail_mri.model.tiles import EncodedVolume, decode
from hail_mri.preprocess.prepare import Prepared


@dataclass(frozen=True, kw_only=True)
class FeatureReading(Reading[FeatureStyle]):
    """What the paper's network sees in a scan.

    Attributes
    ----------
    encoded : EncodedVolume
    score : float or None
        How far its style is from those of training scans, see `KnownStyles`; None if the weights do not know them.
    """

    encoded: EncodedVolume
    score: float | None


class FeatureModel:
    """A network of the paper's kind.

    Parameters
    ----------
    network : FeatureStyleNetwork
    spacing : float
        Of the network grid, mm.
    device : torch.device
    known_styles : KnownStyles, optional
        Of the scans it was trained on.
    """

    def __init__(
        self,
        network: FeatureStyleNetwork,
        spacing: float,
        device: torch.device,
        known_styles: KnownStyles | None = None,
    ) -> None:
        self.network, self.spacing, self.device = network.to(device), spacing, device
        self.known_styles = known_styles
        self.stride = network.settings.stride

    def read(self, prepared: Prepared) -> FeatureReading:
        """Encode a prepared scan, and measure its style."""
        encoded = encode_prepared(self.network, prepared)
        style = FeatureStyle.from_statistics(encoded.statistics)
        return FeatureReading(prepared, style, encoded=encoded, score=self.score(style))

    def score(self, style: FeatureStyle) -> float | None:
        """Return how far a style is from those of training scans; None if the weights do not know them."""
        return None if self.known_styles is None else self.known_styles.score(style)

    def predict(self, reading: FeatureReading, style: FeatureStyle) -> tuple[Tensor, Tensor]:
        """Return p and r, (i, j, k) each, on the CPU."""
        styles = (wanted.statistics(self.device) for wanted in (style, reading.style))
        p, r = (decode(self.network, reading.encoded, wanted)[0, 0].cpu() for wanted in styles)
        return p, r

    def fits(self, style: Style) -> bool:
        """Return whether a style is one of features, and has as many numbers as this model's."""
        if not isinstance(style, FeatureStyle):
            return False
        return tuple(map(len, style.means)) == tuple(map(len, style.stds)) == self.network.settings.channels
